import { expect, test } from "vitest";
import { runAudited } from "../conformance/evasions/audit.js";
import { controls, type Script, singles } from "../conformance/evasions/generate.js";
import { judge } from "../conformance/evasions/judge.js";
import { describeNative } from "../native-python.js";

/** One script in so many is run here; `npm run conformance:evasions` runs all. */
const EVERY = 12;
/** Of what Python did, so much is named at least: lower it for nothing. */
const NAMED = 0.95;

describeNative("what scripts do in roundabout ways", (python) => {
  test("is named", { timeout: 120_000 }, async () => {
    const scripts = [...singles()].filter((_, i) => i % EVERY === 0);
    const kinds = await kindsOf(python.path ?? "python3", scripts);
    const confirmed = kinds.filter((kind) => kind !== "unconfirmed");
    expect(confirmed.length).toBeGreaterThan(0.9 * scripts.length);
    const named = confirmed.filter((kind) => kind === "named").length;
    expect(named / confirmed.length).toBeGreaterThan(NAMED);
    // What is not named is unresolved at least.
    expect(kinds).not.toContain("silent");
  });

  test("is not said of harmless ones", { timeout: 120_000 }, async () => {
    const kinds = await kindsOf(python.path ?? "python3", [...controls(1, 60)]);
    expect(kinds.filter((kind) => kind === "harmless").length).toBeGreaterThan(50);
    expect(kinds).not.toContain("accused");
  });
});

async function kindsOf(python: string, scripts: readonly Script[]): Promise<string[]> {
  const outcomes = await runAudited(python, scripts);
  const verdicts = await Promise.all(scripts.map((script, i) => judge(script, outcomes[i]!)));
  return verdicts.map(({ kind }) => kind);
}
