import { ANALYSER_VERSION, loadPolicy, policyVersion } from "@sluice/python-analysis";
import { runService } from "@sluice/runtime";
import { openStores, runStage } from "@sluice/worker";
import { dedup } from "./dedup.js";

await runService("dedup", async (context) => {
  const policy = await loadPolicy(context.settings.policyFile);
  const stores = await openStores(context);
  const deps = {
    objects: stores.objects,
    analyserVersion: ANALYSER_VERSION,
    policyVersion: policyVersion(policy),
  };
  await runStage("dedup", dedup, deps, stores, context);
});
