import { TOOL_PROFILES, type AnalysisMetadata } from "@sluice/contracts";
import { readStructure } from "./structure/facts.js";
import type { ParsedModule } from "./structure/types.js";
import { describeTools } from "./tools/index.js";
import { PYTHON_VERSION } from "./version.js";

/** Everything that can be said of a script without judging it. The script should be valid Python. */
export function extractMetadata(parsed: ParsedModule): AnalysisMetadata {
  const facts = readStructure(parsed);
  const tools = TOOL_PROFILES.map(
    (profile) => [profile, describeTools(parsed, facts.functions, profile)] as const,
  );
  return {
    python_version: PYTHON_VERSION,
    ...facts,
    tools: Object.fromEntries(tools) as AnalysisMetadata["tools"],
  };
}
