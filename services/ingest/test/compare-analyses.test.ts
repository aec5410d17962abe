import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import { describe, expect, it } from "vitest";
import { compareMetadata, compareReports, signatureOf } from "../src/compare/analyses.js";

type Facts = AnalysisMetadata["functions"][number];
type Parameter = Facts["parameters"][number];

function parameter(
  name: string,
  kind: Parameter["kind"],
  more: Partial<Parameter> = {},
): Parameter {
  return {
    name,
    kind,
    annotation: null,
    default: null,
    description: null,
    required: true,
    ...more,
  };
}

function facts(qualified_name: string, more: Partial<Facts> = {}): Facts {
  return {
    name: qualified_name.split(".").at(-1),
    qualified_name,
    docstring: null,
    is_async: false,
    decorators: [],
    parameters: [],
    return_type: null,
    type_parameters: [],
    complexity: { lines: 1, max_nesting: 0, mccabe: 1, cognitive: 0 },
    line_number: 1,
    ...more,
  } as Facts;
}

function metadata(more: Partial<AnalysisMetadata>): AnalysisMetadata {
  const none = { functions: [], imports: [], dependencies: [], tools: { fastmcp: [], mcp: [] } };
  return { ...none, ...more } as unknown as AnalysisMetadata;
}

describe("what the analysis found", () => {
  it("has signatures as the source has them", () => {
    const parameters = [
      parameter("a", "positional_only"),
      parameter("b", "positional_or_keyword", { annotation: "int", default: "1" }),
      parameter("c", "keyword_only", { default: "None" }),
      parameter("rest", "var_keyword"),
    ];
    const one = facts("f", { is_async: true, parameters, return_type: "str" });
    expect(signatureOf(one)).toBe("async def f(a, /, b: int = 1, *, c=None, **rest) -> str");
    const starred = [parameter("args", "var_positional"), parameter("k", "keyword_only")];
    expect(signatureOf(facts("g", { parameters: starred }))).toBe("def g(*args, k)");
  });

  it("differs in functions, imports, dependencies and tools", () => {
    const tool = (name: string, description: string) => ({
      function: name,
      line_number: 1,
      discoverable: true,
      diagnostics: [],
      tool: { name, description, inputSchema: {} },
    });
    const from = metadata({
      functions: [facts("same"), facts("gone"), facts("f"), facts("twice"), facts("twice")],
      imports: ["os", "re"],
      dependencies: ["requests>=1", "Foo_Bar==1", "old"],
      tools: { fastmcp: [tool("f", "one"), tool("gone", "x")], mcp: [] },
    });
    const to = metadata({
      functions: [
        facts("new"),
        facts("same", { line_number: 9 }),
        facts("f", { parameters: [parameter("x", "positional_or_keyword")], decorators: ["d"] }),
        facts("twice"),
      ],
      imports: ["re", "json"],
      dependencies: ["requests>=2", "foo-bar==1", "fresh"],
      tools: { fastmcp: [tool("f", "two"), tool("new", "x")], mcp: [] },
    });
    const { functions, tools, imports, dependencies } = compareMetadata(from, to, "fastmcp");
    expect(functions?.added.map((item) => item.qualified_name)).toEqual(["new"]);
    expect(functions?.removed.map((item) => item.qualified_name)).toEqual(["gone", "twice"]);
    expect(functions?.changed).toMatchObject([
      {
        from: { signature: "def f()" },
        to: { signature: "def f(x)" },
        what: ["signature", "decorators"],
      },
    ]);
    expect(tools).toEqual({ added: ["new"], removed: ["gone"], changed: ["f"] });
    expect(imports).toEqual({ added: ["json"], removed: ["os"] });
    expect(dependencies).toEqual({
      added: ["fresh"],
      removed: ["old"],
      changed: [
        { name: "requests", from: "requests>=1", to: "requests>=2" },
        { name: "foo-bar", from: "Foo_Bar==1", to: "foo-bar==1" },
      ],
    });
  });

  it("differs in capabilities and findings", () => {
    const uses = (...references: string[]) =>
      references.map((reference) => ({ reference, line: 1, column: 1, chain: [] }));
    const report = (capabilities: unknown, rules: readonly (readonly [string, string])[]) =>
      ({
        capabilities,
        findings: rules.map(([rule, severity]) => ({ rule, severity })),
      }) as unknown as AnalysisReport;
    const { capabilities, findings } = compareReports(
      report(
        [
          { capability: "network.client", decision: "allowed", uses: uses("a", "b") },
          { capability: "process.spawn", decision: "refused", uses: [] },
        ],
        [
          ["r1", "error"],
          ["r2", "info"],
        ],
      ),
      report(
        [
          { capability: "network.client", decision: "needs_approval", uses: uses("b", "c") },
          { capability: "filesystem.read", decision: "allowed", uses: [] },
        ],
        [
          ["r2", "info"],
          ["r2", "info"],
        ],
      ),
    );
    expect(capabilities).toEqual({
      added: [{ capability: "filesystem.read", decision: "allowed" }],
      removed: [{ capability: "process.spawn", decision: "refused" }],
      changed: [
        {
          capability: "network.client",
          from: "allowed",
          to: "needs_approval",
          references: { added: ["c"], removed: ["a"] },
        },
      ],
    });
    expect(findings).toEqual({
      from: { error: 1, warning: 0, info: 1 },
      to: { error: 0, warning: 0, info: 2 },
      rules: { added: [], removed: ["r1"] },
    });
  });
});
