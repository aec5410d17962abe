/**
 * Everything that can be said about the code without a server: `npm run check`, or some parts of it as
 * `npm run check -- lint types`. Every part runs, so that one look shows all that is wrong.
 */
import { spawnSync } from "node:child_process";

import { ensureInstalled, ROOT, runMain, SetupError } from "./install.mjs";

/** Names of npm scripts; `types` comes first because the others read what it builds. */
const PARTS = ["types", "format:check", "lint", "boundaries", "dead-code", "unit"];

await runMain(async () => {
  const parts = process.argv.length > 2 ? process.argv.slice(2) : PARTS;
  const unknown = parts.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) {
    throw new SetupError(`check has no part ${unknown}: there are ${PARTS.join(", ")}`);
  }
  await ensureInstalled();
  const results = parts.map(runPart);
  if (results.includes(false)) process.exitCode = 1;
});

function runPart(part) {
  const startedAt = performance.now();
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", part], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 100_000_000,
    shell: process.platform === "win32",
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const passed = status === 0;
  if (!passed) process.stdout.write(`${stdout ?? ""}${stderr ?? ""}\n`);
  process.stdout.write(
    `${passed ? "ok    " : "FAILED"} ${part.padEnd(12)} ${seconds.padStart(6)} s\n`,
  );
  return passed;
}
