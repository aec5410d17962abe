import { readFileSync, readdirSync } from "node:fs";
import { TOOL_PROFILES, type ToolDescription } from "@sluice/contracts";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { collectDefinitions, functionFactsOf } from "../src/structure/definitions.js";
import { parseModule } from "../src/structure/parse.js";
import { describeTools } from "../src/tools/index.js";
import { type Answer, expectedTool, ordered } from "./conformance/tool-schemas/comparison.js";
import {
  KNOWN_DIFFERENCES,
  NO_VALID_SCHEMA,
} from "./conformance/tool-schemas/known-differences.js";

const CONFORMANCE = new URL("./conformance/tool-schemas/", import.meta.url);
const FIXTURES = new URL("fixtures/", CONFORMANCE);

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const isTool = ajv.compile(
  JSON.parse(readFileSync(new URL("mcp-tool-2026-07-28.json", CONFORMANCE), "utf8")),
);

type Answers = Record<string, { line: number; mcp: Answer; fastmcp: Answer }>;

for (const file of readdirSync(FIXTURES).filter((name) => name.endsWith(".py"))) {
  const fixture = file.slice(0, -".py".length);
  const expected = JSON.parse(
    readFileSync(new URL(`${fixture}.json`, FIXTURES), "utf8"),
  ) as Answers;
  describe(fixture, async () => {
    const parsed = await parseModule(readFileSync(new URL(file, FIXTURES), "utf8"));
    const facts = collectDefinitions(parsed).functions.map((definition) =>
      functionFactsOf(parsed, definition),
    );
    for (const profile of TOOL_PROFILES) {
      const described = new Map(
        describeTools(parsed, facts, profile).map((tool): [string, ToolDescription] => [
          tool.function,
          tool,
        ]),
      );

      test(`offers the functions that the references are asked about (${profile})`, () => {
        expect([...described.keys()]).toEqual(Object.keys(expected));
      });

      for (const [name, answers] of Object.entries(expected)) {
        const known = KNOWN_DIFFERENCES.get(`${fixture}.${name} ${profile}`);
        // A known difference that is gone fails, so that it is struck off the list.
        const hold = known === undefined ? test : test.fails;
        hold(
          `${name} is described as ${profile} does${known === undefined ? "" : `, but: ${known}`}`,
          () => {
            const answer = answers[profile];
            const found = described.get(name)!;
            expect(found.line_number).toBe(answers.line);
            if (answer.error !== undefined) {
              expect(found.tool, `the runtime raises ${answer.error}`).toBeNull();
              expect(found.diagnostics).not.toEqual([]);
              return;
            }
            expect(ordered(found.tool ?? found.diagnostics)).toEqual(
              ordered(expectedTool(answer, profile)),
            );
          },
        );
      }

      test(`every tool is one as MCP 2026-07-28 has it, with schemas that are JSON Schemas (${profile})`, () => {
        for (const [name, { tool }] of described) {
          if (!tool || NO_VALID_SCHEMA.has(`${fixture}.${name}`)) continue;
          expect(isTool(tool) ? [] : isTool.errors, name).toEqual([]);
          for (const schema of [tool.inputSchema, tool.outputSchema ?? {}]) {
            expect(ajv.validateSchema(schema) ? [] : ajv.errors, name).toEqual([]);
          }
        }
      });
    }
  });
}
