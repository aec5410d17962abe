import { scannedVersion } from "@sluice/clamav";
import { createAnalysers, findPython, findRules, withRules } from "@sluice/python-analysis";
import { resolveSetting, runService } from "@sluice/runtime";
import { openStores, runStage } from "@sluice/worker";
import { extract } from "./extract.js";

await runService("extract", async (context) => {
  const { settings, log, shutdown } = context;
  const ruleFiles = await resolveSetting("YARA_RULES", () => findRules(settings.yaraRules));
  const python = withRules(
    await resolveSetting("PYTHON_BIN", () => findPython(settings.pythonBin)),
    ruleFiles,
  );
  const stores = await openStores(context);
  const analysers = await createAnalysers({
    threads: settings.concurrency.extract,
    maxMemoryMb: settings.analysisMemoryMb,
    verdict: false,
    python,
    log,
  });
  shutdown.add("analysers", () => analysers.close());
  await runStage(
    "extract",
    extract,
    {
      ...stores,
      analysers,
      analyserVersion: scannedVersion(python.analyserVersion, settings.clamdUrl),
    },
    stores,
    context,
  );
});
