import { scannedVersion } from "@sluice/clamav";
import { findPython, loadPolicy, policyVersion } from "@sluice/python-analysis";
import { resolveSetting, runService } from "@sluice/runtime";
import { openStores, runStage } from "@sluice/worker";
import { dedup } from "./dedup.js";

await runService("dedup", async (context) => {
  const { clamdUrl, policyFile, pythonBin } = context.settings;
  const python = await resolveSetting("PYTHON_BIN", () => findPython(pythonBin));
  const policy = await loadPolicy(policyFile);
  const stores = await openStores(context);
  const deps = {
    objects: stores.objects,
    analyserVersion: scannedVersion(python.analyserVersion, clamdUrl),
    policyVersion: policyVersion(policy),
  };
  await runStage("dedup", dedup, deps, stores, context);
});
