import type { ObjectStore } from "@sluice/object-store";

/** Whether a store has no objects at all: with a catalog that names some, the wrong volume seems to be mounted. */
export async function isEmpty(store: ObjectStore): Promise<boolean> {
  for await (const _ of store.list("")) return false;
  return true;
}
