import { createAnalysers } from "@sluice/python-analysis";
import { runService } from "@sluice/runtime";
import { openStores, runStage } from "@sluice/worker";
import { extract } from "./extract.js";

await runService("extract", async (context) => {
  const { settings, log, shutdown } = context;
  const stores = await openStores(context);
  const analysers = await createAnalysers({
    threads: settings.concurrency.extract,
    maxMemoryMb: settings.analysisMemoryMb,
    verdict: false,
    log,
  });
  shutdown.add("analysers", () => analysers.close());
  await runStage("extract", extract, { ...stores, analysers }, stores, context);
});
