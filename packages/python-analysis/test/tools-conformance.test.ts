import { readFileSync, readdirSync } from "node:fs";
import { TOOL_PROFILES, type ToolDescription } from "@sluice/contracts";
import { describe, expect, test } from "vitest";
import { cleanDocstring } from "../src/docstring/clean.js";
import { collectDefinitions, functionFactsOf } from "../src/structure/definitions.js";
import { parseModule } from "../src/structure/parse.js";
import { describeTools } from "../src/tools/index.js";
import { PROBLEMS } from "./conformance/tool-schemas/known-differences.js";

const FIXTURES = new URL("./conformance/tool-schemas/fixtures/", import.meta.url);

type Answer = { error: string } | (Record<string, unknown> & { description?: string });
type Answers = Record<string, { line: number; mcp: Answer; fastmcp: Answer }>;

/** With the order of `properties` made part of what is compared. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, key === "properties" && inner ? Object.entries(inner).map(([name, each]) => [name, ordered(each)]) : ordered(inner)]),
  );
}

for (const file of readdirSync(FIXTURES).filter((name) => name.endsWith(".py"))) {
  const fixture = file.slice(0, -".py".length);
  const expected = JSON.parse(readFileSync(new URL(`${fixture}.json`, FIXTURES), "utf8")) as Answers;
  describe(fixture, async () => {
    const parsed = await parseModule(readFileSync(new URL(file, FIXTURES), "utf8"));
    const facts = collectDefinitions(parsed).functions.map((definition) => functionFactsOf(parsed, definition));
    for (const profile of TOOL_PROFILES) {
      const described = new Map(describeTools(parsed, facts, profile).map((tool): [string, ToolDescription] => [tool.function, tool]));
      test(`offers what the runtimes are asked about (${profile})`, () => {
        expect([...described.keys()]).toEqual(Object.keys(expected));
      });
      for (const [name, answers] of Object.entries(expected)) {
        if (PROBLEMS.has(`${fixture}.${name} ${profile}`)) continue;
        test(`${name} (${profile})`, () => {
          const answer = answers[profile];
          const found = described.get(name)!;
          expect(found.line_number).toBe(answers.line);
          if ("error" in answer) {
            expect(found.tool, `the runtime raises ${String(answer["error"])}`).toBeNull();
            expect(found.diagnostics).not.toEqual([]);
            return;
          }
          // The SDK shows a docstring as it is compiled: with its indentation before Python 3.13, without since.
          const wanted = profile === "mcp" ? { ...answer, description: cleanDocstring(answer.description ?? "") } : answer;
          expect(ordered(found.tool ?? found.diagnostics)).toEqual(ordered(wanted));
        });
      }
    }
  });
}
