/**
 * `npm start`: installs and builds what is missing, then runs Sluice in this process. package.json says
 * `exec`, for a shell between npm and this process would die of npm's SIGTERM and not hand it on.
 */
import { ensureBuilt, ensureInstalled, runMain } from "./install.mjs";

const say = (line) => void process.stdout.write(`${line}\n`);

await runMain(async () => {
  await ensureInstalled({ say });
  await ensureBuilt();
  const { main } = await import("@sluice/standalone");
  process.exit(await main(process.argv.slice(2), process.env));
});
