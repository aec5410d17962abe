import { type ObjectStore, REGISTERS } from "@sluice/object-store";

/** Whether a store has no objects at all: with a catalog that names some, the wrong volume seems to be mounted. */
export async function isEmpty(store: ObjectStore): Promise<boolean> {
  // Registers come by themselves, also to a wrong volume.
  for await (const { key } of store.list("")) if (!key.startsWith(REGISTERS)) return false;
  return true;
}
