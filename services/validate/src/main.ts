import { createAnalysers, loadPolicy } from "@sluice/python-analysis";
import { runService } from "@sluice/runtime";
import { openStores, runStage } from "@sluice/worker";
import { validate } from "./validate.js";

await runService("validate", async (context) => {
  const { settings, log, shutdown } = context;
  const policy = await loadPolicy(settings.policyFile);
  const stores = await openStores(context);
  const analysers = await createAnalysers({
    threads: settings.concurrency.validate,
    maxMemoryMb: settings.analysisMemoryMb,
    verdict: true,
    log,
  });
  shutdown.add("analysers", () => analysers.close());
  await runStage("validate", validate, { ...stores, analysers, policy }, stores, context);
});
