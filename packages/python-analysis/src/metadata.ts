import { TOOL_PROFILES, type AnalysisMetadata } from "@sluice/contracts";
import { readStructure } from "./structure/facts.js";
import type { ParsedModule } from "./structure/types.js";
import { describeTools } from "./tools/index.js";
import { BUILT_IN_PYTHON, type Python } from "./verdict/python.js";

/**
 * Everything that can be said of a script without judging it. The script should be valid Python.
 *
 * @param python - whose verdict that is
 */
export function extractMetadata(
  parsed: ParsedModule,
  python: Python = BUILT_IN_PYTHON,
): AnalysisMetadata {
  const facts = readStructure(parsed);
  const tools = TOOL_PROFILES.map(
    (profile) => [profile, describeTools(parsed, facts.functions, profile)] as const,
  );
  return {
    python_version: python.version,
    ...facts,
    tools: Object.fromEntries(tools) as AnalysisMetadata["tools"],
  };
}
