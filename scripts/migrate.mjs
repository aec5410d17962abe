/**
 * Brings the tables of the catalog named by CATALOG_URL up to date, once, before services of a new
 * version are started on it. `npm start` does it by itself.
 */
import { migrate } from "@sluice/catalog";
import { createLog, loadSettings, SettingsError, withoutPasswords } from "@sluice/runtime";

const log = createLog("migrate", { logLevel: "info" });
try {
  const { catalogUrl } = loadSettings(process.env);
  if (catalogUrl === undefined)
    throw new SettingsError([{ name: "CATALOG_URL", message: "is not set" }]);
  await migrate(catalogUrl);
  log.info({ catalog: withoutPasswords(catalogUrl) }, "the catalog is up to date");
} catch (error) {
  if (error instanceof SettingsError) log.fatal(error.message);
  else log.fatal({ err: error }, "the catalog cannot be prepared");
  process.exitCode = 1;
}
