/** Exports the catalog that the environment names, once: to be killed meanwhile. */
import { openObjectStore } from "@sluice/object-store";
import { exportCatalog } from "@sluice/recovery";

const { CATALOG_URL, OBJECT_STORE_URL, BACKUP_URL } = process.env;
const objects = await openObjectStore(OBJECT_STORE_URL);
const backup = await openObjectStore(BACKUP_URL);
await exportCatalog({
  catalogUrl: CATALOG_URL,
  objects,
  backup,
  keys: [],
  signal: new AbortController().signal,
  keepMs: 0,
});
await objects.close();
await backup.close();
