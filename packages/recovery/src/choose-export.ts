import type { ObjectStore } from "@sluice/object-store";
import { type ExportIndex, listExports, readChain, readIndex } from "./export-index.js";
import { RestoreRefusedError } from "./target.js";

/** Which export is meant: the newest where neither is said. */
export interface WantedExport {
  readonly exportId?: string | undefined;
  /** The newest of those that were made until then. */
  readonly at?: Date | undefined;
}

/**
 * The export that is meant, with all that it rests on, base first.
 *
 * @throws {@link RestoreRefusedError} where there is none; `DamagedExportError` that names the object
 */
export async function chooseExport(
  from: ObjectStore,
  { exportId, at }: WantedExport,
): Promise<ExportIndex[]> {
  const ids = exportId === undefined ? await listExports(from) : [exportId];
  for (const id of ids.reverse()) {
    // Numbers grow in the order of the exports, whatever the clock did.
    if (at !== undefined && Date.parse((await readIndex(from, id)).index.created_at) > at.getTime())
      continue;
    return (await readChain(from, id)).map(({ index }) => index);
  }
  throw new RestoreRefusedError(
    at === undefined || ids.length === 0
      ? `there is no export in ${from.description}`
      : `there is no export from ${at.toISOString()} or before in ${from.description}`,
  );
}
