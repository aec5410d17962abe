import { describe, expect, it } from "vitest";
import { askedBy, FURTHER_IMPORTS } from "../src/asked.js";
import type { AnalysisReport } from "../src/report.js";

type Parts = Pick<AnalysisReport, "capabilities" | "imports">;
const report = (parts: Partial<Parts>) =>
  ({ capabilities: [], imports: [], ...parts }) as unknown as AnalysisReport;
const capability = (
  name: string,
  references: readonly string[],
  decision: Parts["capabilities"][number]["decision"] = "needs_approval",
) => ({
  capability: name,
  decision,
  uses: references.map((reference, index) => ({ reference, line: index, column: 1, chain: [] })),
});
const imported = (module: string, decision: Parts["imports"][number]["decision"]) => ({
  module,
  line: 1,
  column: 1,
  origin: "unknown" as const,
  distribution: null,
  decision,
});

describe("what a report asks for", () => {
  it("is what the policy leaves to a person, each reference once", () => {
    const asked = askedBy(
      report({
        capabilities: [
          capability("network.client", ["b", "a", "b"]),
          capability("process.spawn", ["c"], "refused"),
          capability("system.info", ["d"], "allowed"),
        ],
        imports: [imported("foo.bar", "needs_approval"), imported("os", "allowed")],
      }),
    );
    expect(asked).toEqual([
      { kind: "capability", name: "network.client", references: ["a", "b"], complete: true },
      { kind: "import", name: "foo.bar", references: [], complete: true },
    ]);
    expect(askedBy(report({}))).toEqual([]);
  });

  it("is not complete where a list or a name may have been cut", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `r${index}`);
    const completeness = (references: readonly string[]) =>
      askedBy(report({ capabilities: [capability("device", references)] }))[0]?.complete;
    expect(completeness(many(99))).toBe(true);
    expect(completeness(many(100))).toBe(false);
    expect(completeness(["os.a", "os.b…"])).toBe(false);
    expect(askedBy(report({ imports: [imported("long…", "needs_approval")] }))).toMatchObject([
      { name: "long…", complete: false },
    ]);
  });

  it("names two long imports that were cut to the same once, and stands in for those that were left out", () => {
    const twice = [imported("long…", "needs_approval"), imported("long…", "needs_approval")];
    expect(askedBy(report({ imports: twice }))).toHaveLength(1);
    const many = (count: number, decision: "allowed" | "needs_approval") =>
      Array.from({ length: count }, (_, index) => imported(`m${index}`, decision));
    expect(askedBy(report({ imports: many(499, "needs_approval") }))).toHaveLength(499);
    const asked = askedBy(report({ imports: many(500, "needs_approval") }));
    expect(asked).toHaveLength(501);
    const further = { name: FURTHER_IMPORTS, complete: false };
    expect(asked.at(-1)).toMatchObject(further);
    expect(askedBy(report({ imports: many(500, "allowed") }))).toMatchObject([further]);
  });
});
