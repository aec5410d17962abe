import { EXPORTS, exportIndexKey, exportSegmentKey, type ObjectStore } from "@sluice/object-store";
import { DamagedExportError, type ExportIndex, listExports, readIndex } from "./export-index.js";

const AT_LEAST_BASES = 2;

/**
 * Deletes old exports: bases and all that rests on them, where the newest that does is older than what is to be kept. Two bases stay
 * in any case. Indexes go first, the newest first, so that none is left that rests on what is gone.
 *
 * @param newest - a base that has just been written
 */
export async function pruneExports(
  store: ObjectStore,
  newest: ExportIndex,
  keepMs: number,
): Promise<void> {
  const ids = await listExports(store);
  const chains = new Map<string, { id: string; at: number }[]>();
  for (const id of ids) {
    try {
      const { index } = await readIndex(store, id);
      const chain = chains.get(index.base) ?? [];
      chain.push({ id, at: Date.parse(index.created_at) });
      chains.set(index.base, chain);
    } catch (error) {
      // A damaged one goes with those that are older than what is kept.
      if (!(error instanceof DamagedExportError)) throw error;
      chains.set(id, [{ id, at: 0 }]);
    }
  }
  const oldest = Date.parse(newest.created_at) - keepMs;
  const bases = [...chains.keys()].sort().reverse();
  const goes = bases
    .slice(AT_LEAST_BASES)
    .filter((base) => (chains.get(base) ?? []).every(({ at }) => at < oldest));
  const gone = new Set(goes.flatMap((base) => (chains.get(base) ?? []).map(({ id }) => id)));
  for (const id of [...gone].sort().reverse()) await store.delete(exportIndexKey(id));
  const kept = new Set(ids.filter((id) => !gone.has(id)));
  await deleteSegments(store, (id) => !kept.has(id) && id < newest.id);
}

/** Also of exports that never got an index: there is one exporter, so what is older than its own is nobody's. */
async function deleteSegments(store: ObjectStore, goes: (id: string) => boolean): Promise<void> {
  const prefix = exportSegmentKey("").slice(0, -1);
  if (!prefix.startsWith(EXPORTS)) throw new Error(`${prefix} is not where exports are`);
  for await (const { key } of store.list(prefix)) {
    const id = key.slice(prefix.length).split("/", 1)[0];
    if (id !== undefined && id !== "" && goes(id)) await store.delete(key);
  }
}
