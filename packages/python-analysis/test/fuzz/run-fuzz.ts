/**
 * Sends hostile sources to the engines, until the time is over, and prints what they and `decodeSource` disagree on:
 *
 *     npm run fuzz -w packages/python-analysis -- [--seconds 60] [--seeds DIRECTORY] [--seed N] [--python PATH]…
 *
 * Without a Python it is Pyodide alone. Exits with 1 if there was something.
 */
import { parseArgs } from "node:util";
import fc from "fast-check";
import { readSeeds } from "./seeds.js";
import { hostileSources } from "./sources.js";
import { Subject } from "./subjects.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seeds: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    python: { type: "string", multiple: true, default: [] },
  },
});
const RUNS_A_ROUND = 2_000;
/** What is found again and again is shown so often. */
const SHOWN = 20;

const sources = hostileSources(readSeeds(values.seeds));
const end = performance.now() + Number(values.seconds) * 1_000;
const starts = [
  () => Subject.pyodide(),
  ...values.python.map((path) => () => Subject.native(path)),
];
let [rounds, runs, found] = [0, 0, 0];
process.stdout.write(`seed ${values.seed}\n`);
while (performance.now() < end && found < SHOWN) {
  for (const start of starts) {
    const subject = await start();
    const details = await fc.check(
      fc.asyncProperty(sources, async (source) => {
        const wrong = await subject.disagreement(source);
        if (wrong !== undefined) throw new Error(wrong);
      }),
      {
        seed: Number(values.seed) + rounds,
        numRuns: RUNS_A_ROUND,
        interruptAfterTimeLimit: Math.max(1, end - performance.now()),
      },
    );
    runs += details.numRuns;
    if (details.failed && details.counterexample) {
      found++;
      const [source] = details.counterexample;
      const error = details.errorInstance instanceof Error ? details.errorInstance.message : "";
      process.stdout.write(
        `${subject.name}: ${Buffer.from(source).toString("base64")}\n  ${error.slice(0, 500)}\n`,
      );
    }
    await subject.close();
  }
  rounds++;
}
process.stdout.write(`${runs} sources, ${found} disagreements\n`);
process.exitCode = found > 0 ? 1 : 0;
