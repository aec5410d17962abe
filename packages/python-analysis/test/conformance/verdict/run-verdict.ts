/**
 * Compares verdicts with those of another CPython, on every source that this CPython's own tests compile:
 *
 *     npm run conformance:verdict -w packages/python-analysis -- [PYTHON]
 *
 * PYTHON (`python3` if not said) needs its standard library's tests, which run for some minutes. Prints each difference, and exits
 * with 1 if there is one that `known-differences.ts` does not explain. Needs a built package (`npm run build`).
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createAnalysers, DEFAULT_POLICY } from "@sluice/python-analysis";
import { explain } from "./known-differences.js";

interface Snippet {
  /** One character a byte. */
  readonly source: string;
  /** Class and message of the error with which it does not compile. */
  readonly error: string | null;
}

async function collect(python: string): Promise<{ version: string; snippets: Snippet[] }> {
  const script = fileURLToPath(new URL("collect_snippets.py", import.meta.url));
  const child = spawn(python, ["-B", script], { stdio: ["ignore", "pipe", "ignore"] });
  const status = new Promise<number | null>((resolve, reject) =>
    child.on("close", resolve).on("error", reject),
  );
  const lines: unknown[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line));
  if ((await status) !== 0) throw new Error(`${python} ended with status ${await status}`);
  const [first, ...snippets] = lines as [{ python: string }, ...Snippet[]];
  return { version: first.python, snippets };
}

const { version, snippets } = await collect(process.argv[2] ?? "python3");
const analysers = await createAnalysers({ threads: availableParallelism(), verdict: true });
const byReason = new Map<string, number>();
let different = 0;
try {
  await Promise.all(
    snippets.map(async ({ source, error }) => {
      const bytes = Buffer.from(source, "latin1");
      const { syntax, verdict } = await analysers.report(bytes, DEFAULT_POLICY);
      const here = syntax.error && `${syntax.error.type}: ${syntax.error.message}`;
      if ((error === null) === (here === null) && (error === null) === (verdict !== "invalid"))
        return;
      different++;
      const reason = explain(source, error, here) ?? "not known";
      byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
      const shown = JSON.stringify(bytes.toString().slice(0, 200));
      process.stdout.write(
        `${shown}\n  ${version}: ${error ?? "compiles"}\n  here: ${here ?? verdict}\n  ${reason}\n`,
      );
    }),
  );
} finally {
  await analysers.close();
}
const invalid = snippets.filter(({ error }) => error !== null).length;
process.stdout.write(
  `\n${snippets.length} sources of CPython ${version}'s tests, ${invalid} of them invalid: ${different} judged otherwise\n`,
);
for (const [reason, count] of byReason)
  process.stdout.write(`${String(count).padStart(6)} ${reason}\n`);
process.exitCode = byReason.has("not known") ? 1 : 0;
