import { z } from "zod";
import { userFields } from "./scripts.js";

export const parameterKind = z.enum([
  "positional_only",
  "positional_or_keyword",
  "var_positional",
  "keyword_only",
  "var_keyword",
]);

export const parameter = z.object({
  name: z.string(),
  kind: parameterKind,
  annotation: z.string().nullable().describe("Source text"),
  default: z.string().nullable().describe("Source text"),
  description: z.string().nullable().describe("From the docstring"),
  required: z.boolean(),
});
export type Parameter = z.infer<typeof parameter>;

/** A `def`, methods and nested ones too. `line_number` is the line of the `def` itself. */
export const functionFacts = z.object({
  name: z.string(),
  qualified_name: z
    .string()
    .describe("As `__qualname__`, such as `Greeter.greet` or `f.<locals>.g`"),
  description: z.string().nullable().describe("The docstring's text before its sections"),
  docstring: z.string().nullable().describe("As `inspect.cleandoc(ast.get_docstring(…))` gives it"),
  is_async: z.boolean(),
  decorators: z.array(z.string()).describe("Source text, without the `@`"),
  parameters: z.array(parameter),
  return_type: z.string().nullable().describe("Source text"),
  line_number: z.int(),
  end_line_number: z.int(),
});
export type FunctionFacts = z.infer<typeof functionFacts>;

export const classFacts = z.object({
  name: z.string(),
  qualified_name: z.string(),
  bases: z.array(z.string()).describe("Source text of each argument of the class statement"),
  description: z.string().nullable(),
  docstring: z.string().nullable(),
  line_number: z.int(),
  end_line_number: z.int(),
});
export type ClassFacts = z.infer<typeof classFacts>;

/** The newest MCP revision's `Tool`, as far as a static reader fills it. */
export const mcpTool = z.object({
  name: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  inputSchema: z.record(z.string(), z.unknown()),
  outputSchema: z.record(z.string(), z.unknown()).optional(),
});
export type McpTool = z.infer<typeof mcpTool>;

export const toolDiagnostic = z.object({
  code: z.string(),
  message: z.string(),
  parameter: z.string().nullable(),
});
export type ToolDiagnostic = z.infer<typeof toolDiagnostic>;

/** A function described as an MCP tool. */
export const toolDescription = z.object({
  function: z.string(),
  line_number: z.int(),
  discoverable: z.boolean().describe("`false` without a docstring"),
  diagnostics: z.array(toolDiagnostic),
  tool: mcpTool.nullable().describe("`null` where the reference runtime refuses the function"),
});
export type ToolDescription = z.infer<typeof toolDescription>;

/** The runtimes whose schemas are given: FastMCP, or the official MCP Python SDK. */
export const TOOL_PROFILES = ["fastmcp", "mcp"] as const;
export type ToolProfile = (typeof TOOL_PROFILES)[number];

/** What extraction found out about some bytes, whoever uploaded them. */
export const analysisMetadata = z.object({
  python_version: z
    .string()
    .describe("The Python whose grammar the script was read by, such as `3.14.2`"),
  requires_python: z.string().nullable().describe("From the script's PEP 723 block"),
  functions: z.array(functionFacts),
  classes: z.array(classFacts),
  imports: z.array(z.string()).describe("Modules, each once, in order of first appearance"),
  dependencies: z.array(z.string()).describe("PEP 508 requirements"),
  dependencies_source: z
    .enum(["pep723", "inferred"])
    .describe("Declared in the script, or guessed from its imports"),
  tools: z.record(z.enum(TOOL_PROFILES), z.array(toolDescription)),
});
export type AnalysisMetadata = z.infer<typeof analysisMetadata>;

/** `metadata.json`: the tools are those of one profile. */
export const metadata = analysisMetadata.extend({
  script_id: z.uuid(),
  filename: z.string(),
  version: z.int(),
  sha256: z.string(),
  tools: z.array(toolDescription),
});
export type Metadata = z.infer<typeof metadata>;

/** `GET /scripts/{id}/metadata`. */
export const metadataDocument = metadata
  .extend({ user: userFields.describe("What users say about the script; `PUT` replaces it") })
  .meta({ id: "Metadata" });
export type MetadataDocument = z.infer<typeof metadataDocument>;
