import { scannedVersion } from "@sluice/clamav";
import { DeferredObjectStore } from "@sluice/object-store";
import { activateAtStart, PolicyInForce } from "@sluice/policies";
import { findPython, findRules, withRules } from "@sluice/python-analysis";
import { resolveSetting, runService } from "@sluice/runtime";
import { openStores, runStage } from "@sluice/worker";
import { dedup } from "./dedup.js";

await runService("dedup", async (context) => {
  const { clamdUrl, policyFile, pythonBin, yaraRules } = context.settings;
  const python = withRules(
    await resolveSetting("PYTHON_BIN", () => findPython(pythonBin)),
    await resolveSetting("YARA_RULES", () => findRules(yaraRules)),
  );
  const stores = await openStores(context);
  await activateAtStart(stores.catalog, policyFile, {
    log: context.log,
    signal: context.shutdown.signal,
  });
  const backup = new DeferredObjectStore(context.settings.backupUrl);
  context.shutdown.add("backup store", () => backup.close());
  const deps = {
    catalog: stores.catalog,
    objects: stores.objects,
    backup,
    analyserVersion: scannedVersion(python.analyserVersion, clamdUrl),
    policies: new PolicyInForce(stores.catalog),
  };
  await runStage("dedup", dedup, deps, stores, context);
});
