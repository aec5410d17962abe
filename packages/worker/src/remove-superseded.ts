import { type Catalog, withSupersededForm } from "@sluice/catalog";
import { isPackKey, type ObjectStore } from "@sluice/object-store";

/**
 * Deletes a form of a blob that another form has taken the place of: the plain one after compression,
 * the one outside quarantine. Never the one that the blob's row names, and none while that one is not
 * there: two workers of different versions may have moved a blob to and fro. Nor an object that it shared with others in the archive.
 */
export async function removeSuperseded(
  { catalog, objects }: { catalog: Catalog; objects: ObjectStore },
  { sha256, key }: { sha256: string; key: string },
  isStillSuperseded: () => Promise<boolean> = async () => true,
): Promise<boolean> {
  if (isPackKey(key)) return false;
  let removed = false;
  await withSupersededForm(catalog, { sha256, key }, async (currentKey) => {
    if ((await objects.stat(currentKey)) === undefined || !(await isStillSuperseded())) return;
    await objects.delete(key);
    removed = true;
  });
  return removed;
}
