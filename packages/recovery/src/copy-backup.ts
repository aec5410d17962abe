import { EXPORTS, type ObjectStat, type ObjectStore } from "@sluice/object-store";
import pMap from "p-map";

const BATCH = 500;
const AT_ONCE = 16;

/**
 * Copies blobs and manifests from one backup store to another; what is there in the same size is left alone. Exports are not copied:
 * the restored catalog begins a base of its own.
 */
export async function copyBackup(
  from: ObjectStore,
  to: ObjectStore,
  signal: AbortSignal,
  onCopied: (objects: number) => void,
): Promise<void> {
  let copied = 0;
  let batch: ObjectStat[] = [];
  const copy = async (): Promise<void> => {
    signal.throwIfAborted();
    await pMap(
      batch,
      async ({ key, size }) => {
        if ((await to.stat(key))?.size !== size) await to.put(key, await from.get(key));
      },
      { concurrency: AT_ONCE },
    );
    copied += batch.length;
    batch = [];
    onCopied(copied);
  };
  for await (const object of from.list("backups/")) {
    if (object.key.startsWith(EXPORTS)) continue;
    batch.push(object);
    if (batch.length === BATCH) await copy();
  }
  await copy();
}
