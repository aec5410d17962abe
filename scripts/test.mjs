/**
 * Runs the tests from a fresh clone or any state of it: `npm test`, `npm test -- test/contract`, and
 * every other argument that vitest takes.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";

import { ensureBuilt, ensureInstalled, ROOT, runMain } from "./install.mjs";

await runMain(async () => {
  try {
    await ensureInstalled();
    await ensureBuilt();
  } catch (error) {
    // Whoever reads only the last line is told, too.
    process.once("exit", () => process.stdout.write("Tests: 0 passed, 1 failed, 0 skipped\n"));
    throw error;
  }
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
    cwd: ROOT,
    stdio: "inherit",
  });
  // Ctrl-C reaches both; vitest cleans up before it ends, and its end is ours.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise((resolve) => {
    child.on("close", (code) => resolve(code ?? 1));
  });
});
