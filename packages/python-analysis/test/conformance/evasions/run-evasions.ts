/**
 * Generates scripts that reach something dangerous in roundabout ways, runs them in Python under an audit hook, and holds what the
 * analyser says to what they did:
 *
 *     npm run conformance:evasions -w packages/python-analysis -- [--python PATH] [--seed N] [--count N] [--list KIND] [--only TEXT]
 *
 * Every part is tried alone, then `--count` combinations, then as many harmless ones. `--list` prints the scripts of a kind, such as
 * `silent`, `--only` looks at those with a part that contains the text. Exits with 1 when a script is allowed silently, when fewer
 * than 97 % are named right, or when a harmless one is accused.
 */
import { parseArgs } from "node:util";
import { runAudited } from "./audit.js";
import { combinations, controls, type Script, singles } from "./generate.js";
import { judge, type Verdict } from "./judge.js";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "2000" },
    list: { type: "string", multiple: true, default: [] },
    only: { type: "string" },
  },
});
const seed = Number(values.seed);
const count = Number(values.count);
let accepted = true;

async function measure(title: string, generated: Iterable<Script>): Promise<void> {
  const scripts = [...generated].filter(
    ({ parts }) => values.only === undefined || parts.some((part) => part.includes(values.only!)),
  );
  if (scripts.length === 0) return;
  const outcomes = await runAudited(values.python, scripts);
  const verdicts: Verdict[] = [];
  for (const [i, script] of scripts.entries()) verdicts.push(await judge(script, outcomes[i]!));
  const kinds = new Map<string, number>();
  for (const { kind } of verdicts) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  for (const { kind, script, said, outcome } of verdicts) {
    if (!values.list.includes(kind)) continue;
    process.stdout.write(
      `\n--- ${kind}: ${script.parts.join(", ")}\n${script.source}did: ${outcome.events.join(", ")} ${outcome.error}\nsaid: ${said.join("; ")}\n`,
    );
  }
  const confirmed = verdicts.length - (kinds.get("unconfirmed") ?? 0);
  const named = kinds.get("named") ?? 0;
  const told = [...kinds].map(([kind, number]) => `${number} ${kind}`).join(", ");
  const share = named > 0 ? `, ${((100 * named) / confirmed).toFixed(2)} % named right` : "";
  process.stdout.write(
    `${title}: ${verdicts.length} scripts, ${confirmed} confirmed: ${told}${share}\n`,
  );
  if (kinds.has("silent") || kinds.has("accused")) accepted = false;
  if (!kinds.has("harmless") && named < 0.97 * confirmed) accepted = false;
}

await measure("Each part alone", singles());
await measure("Combinations", combinations(seed, count));
await measure("Harmless combinations", controls(seed, count));
process.exitCode = accepted ? 0 : 1;
