#!/usr/bin/env node
/**
 * `npx sluice` in a checkout: builds what is not built, then runs the command line. Plain JavaScript, and in git, because npm
 * links a workspace's program when it installs, before anything is built.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** Whether the compiler has anything to do; finding out costs a fifth of a second. */
function isStale() {
  const tsc = path("../../../node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-b", "--dry", path("..")], {
    encoding: "utf8",
  });
  return status !== 0 || stdout.includes("would build");
}

if (isStale()) {
  // Not a static import: the package could not be read without the checkout around it.
  const setup = await import(new URL("../../../scripts/install.mjs", import.meta.url));
  try {
    await setup.ensureInstalled();
    process.stderr.write("sluice: building, once …\n");
    await setup.ensureBuilt(["packages/cli"]);
  } catch (error) {
    if (!(error instanceof setup.SetupError)) throw error;
    process.stderr.write(`sluice: ${error.message}\n`);
    process.exit(3);
  }
}
const { main } = await import("@sluice/cli");
process.exit(await main(process.argv.slice(2)));
