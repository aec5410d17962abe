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
  const all = await listExports(from);
  const newest = all.at(-1);
  if (newest === undefined)
    throw new RestoreRefusedError(`there is no export in ${from.description}`);
  if (exportId !== undefined && !all.includes(exportId))
    throw new RestoreRefusedError(
      `there is no export ${exportId} in ${from.description}: the newest is ${newest}`,
    );
  let oldest = "";
  for (const id of exportId === undefined ? all.toReversed() : [exportId]) {
    if (at !== undefined) {
      oldest = (await readIndex(from, id)).index.created_at;
      // Numbers grow in the order of the exports, whatever the clock did.
      if (Date.parse(oldest) > at.getTime()) continue;
    }
    return (await readChain(from, id)).map(({ index }) => index);
  }
  throw new RestoreRefusedError(
    `there is no export from ${at?.toISOString()} or before in ${from.description}: the oldest is of ${oldest}`,
  );
}
