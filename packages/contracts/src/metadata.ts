import { z } from "zod";
import { userFields } from "./user-metadata.js";

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

/** A type parameter (PEP 695), with its default (PEP 696). */
export const typeParameter = z.object({
  name: z.string(),
  kind: z.enum(["type_var", "type_var_tuple", "param_spec"]),
  bound: z.string().nullable().describe("Source text of the bound, or of the constraints"),
  default: z.string().nullable().describe("Source text"),
});
export type TypeParameter = z.infer<typeof typeParameter>;

export const functionComplexity = z.object({
  lines: z.int().describe("From the line of the `def` to its end"),
  max_nesting: z.int().describe("Blocks inside each other at most"),
  mccabe: z.int().describe("Cyclomatic complexity as the package `mccabe` counts it"),
  cognitive: z.int().describe("Cognitive complexity as SonarSource's white paper defines it"),
});

/** A `def`, methods and nested ones too. `line_number` is the line of the `def` itself. */
export const functionFacts = z.object({
  name: z.string(),
  qualified_name: z
    .string()
    .describe("As `__qualname__`, such as `Greeter.greet` or `f.<locals>.g`"),
  description: z.string().nullable().describe("The docstring's text before its sections"),
  docstring: z.string().nullable().describe("As `inspect.cleandoc(ast.get_docstring(…))` gives it"),
  is_async: z.boolean(),
  is_generator: z.boolean().describe("It yields; an asynchronous generator if `is_async` too"),
  is_method: z.boolean().describe("It stands directly in a class"),
  is_conditional: z
    .boolean()
    .describe("It stands in an `if`, loop, `match` or `try` of the scope that defines it"),
  decorators: z.array(z.string()).describe("Source text, without the `@`"),
  parameters: z.array(parameter),
  return_type: z.string().nullable().describe("Source text"),
  type_parameters: z.array(typeParameter),
  raises: z
    .array(z.string())
    .describe("Source text of what its own `raise` statements raise, each once"),
  complexity: functionComplexity,
  line_number: z.int(),
  end_line_number: z.int(),
});
export type FunctionFacts = z.infer<typeof functionFacts>;

export const classFacts = z.object({
  name: z.string(),
  qualified_name: z.string(),
  bases: z.array(z.string()).describe("Source text of each argument of the class statement"),
  decorators: z.array(z.string()).describe("Source text, without the `@`"),
  type_parameters: z.array(typeParameter),
  is_conditional: z.boolean(),
  description: z.string().nullable(),
  docstring: z.string().nullable(),
  line_number: z.int(),
  end_line_number: z.int(),
});
export type ClassFacts = z.infer<typeof classFacts>;

/** Where an import comes from, as far as its name and the script's own declaration tell. */
export const importOrigin = z
  .enum(["standard_library", "removed", "declared", "relative", "unknown"])
  .describe(
    "The standard library of Python 3.14 (whichever Python judged), one before it (or Python 2's), a declared dependency, the script's own package, or none of these",
  );
export type ImportOriginName = z.infer<typeof importOrigin>;

/** One module that an import statement names. A namespace package's is listed once for each distribution behind it. */
export const importDetail = z.object({
  module: z.string().describe("Without the dots of a relative import; empty in `from . import a`"),
  level: z.int().describe("How many dots stand before it"),
  names: z
    .array(z.object({ name: z.string(), alias: z.string().nullable() }))
    .nullable()
    .describe("What `from … import` takes, `*` for all; `null` for `import module`"),
  alias: z.string().nullable().describe("`c` in `import a.b as c`"),
  scope: z
    .enum(["module", "class", "function"])
    .describe("What runs it: loading the module, as for a class's body too, or calling a function"),
  is_conditional: z.boolean().describe("It stands in an `if`, loop, `match` or `try`"),
  is_type_checking: z.boolean().describe("It stands in `if TYPE_CHECKING:`"),
  line_number: z.int().describe("Of the module's name"),
  column: z.int(),
  origin: importOrigin,
  distribution: z
    .string()
    .nullable()
    .describe("Canonical name of the distribution that presumably installs it"),
  requirement: z.string().nullable().describe("The declared dependency, normalised"),
});
export type ImportDetail = z.infer<typeof importDetail>;

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
  docstring: z.string().nullable().describe("The module's, as for functions"),
  exports: z
    .array(z.string())
    .nullable()
    .describe("The names in `__all__`; `null` without one, and where it is not constant"),
  entry_point: z
    .object({ line_number: z.int(), end_line_number: z.int() })
    .nullable()
    .describe('The first `if __name__ == "__main__":` outside of functions and classes'),
  functions: z
    .array(functionFacts)
    .describe("In order of place, the first of them that come to 16 MiB of JSON"),
  classes: z
    .array(classFacts)
    .describe("In order of place, the first of them that come to 16 MiB of JSON"),
  imports: z.array(z.string()).describe("Modules, each once, in order of first appearance"),
  import_details: z
    .array(importDetail)
    .describe(
      "Every import in order of place, the first 5,000 of them, and no more than come to 16 MiB of JSON",
    ),
  dependencies: z.array(z.string()).describe("PEP 508 requirements"),
  dependencies_source: z
    .enum(["pep723", "inferred"])
    .describe("Declared in the script, or guessed from its imports"),
  truncated: z
    .array(z.enum(["functions", "classes", "import_details"]))
    .describe("Lists that lack their last entries, because all of them would be too much"),
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
  .extend({
    user: userFields.describe(
      "What users say about the script; `PUT` replaces and `PATCH` changes it",
    ),
  })
  .meta({ id: "Metadata" });
export type MetadataDocument = z.infer<typeof metadataDocument>;
