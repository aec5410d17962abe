import { Clamd, scannedVersion } from "@sluice/clamav";
import { EffectivePolicies } from "@sluice/policies";
import { createAnalysers, findPython, findRules, withRules } from "@sluice/python-analysis";
import { resolveSetting, runService } from "@sluice/runtime";
import { openStores, runStage } from "@sluice/worker";
import { validate } from "./validate.js";

await runService("validate", async (context) => {
  const { settings, log, shutdown } = context;
  const ruleFiles = await resolveSetting("YARA_RULES", () => findRules(settings.yaraRules));
  const python = withRules(
    await resolveSetting("PYTHON_BIN", () => findPython(settings.pythonBin)),
    ruleFiles,
  );
  log.info({ version: python.version, path: python.path }, "the Python that judges");
  const stores = await openStores(context);
  const analysers = await createAnalysers({
    threads: settings.concurrency.validate,
    maxMemoryMb: settings.analysisMemoryMb,
    verdict: true,
    python,
    ruleFiles,
    log,
  });
  shutdown.add("analysers", () => analysers.close());
  const { clamdUrl, clamdTimeoutMs } = settings;
  const scanner =
    clamdUrl === undefined ? undefined : new Clamd({ url: clamdUrl, timeoutMs: clamdTimeoutMs });
  await runStage(
    "validate",
    validate,
    {
      ...stores,
      analysers,
      policies: new EffectivePolicies(stores.catalog),
      analyserVersion: scannedVersion(python.analyserVersion, clamdUrl),
      scanner,
    },
    stores,
    context,
    scanner ? [{ name: "clamd", check: () => scanner.check() }] : [],
  );
});
