import type { ToolDiagnostic } from "@sluice/contracts";

/**
 * What a diagnostic says:
 * - `no_docstring`: nothing tells a model what the tool is for;
 * - `unknown_type`, `unknown_default`: known only by running the script, so the schema allows more than the tool may take;
 * - `environment`: the default depends on an environment variable, and is that of one that is not set;
 * - `unknown_option`: an argument of the decorator is known only by running the script;
 * - `type_checking_import`: described as if a name were there at run time that only type checkers see;
 * - `decorated`: described as written, though a decorator may change it;
 * - `tool_name`: the name is not one that MCP asks for;
 * - `reader_error`: this reader failed, which is a defect of its own;
 * - the others say why the runtime refuses to register the function.
 */
export type DiagnosticCode =
  | "no_docstring"
  | "unknown_type"
  | "unknown_default"
  | "environment"
  | "unknown_option"
  | "type_checking_import"
  | "decorated"
  | "tool_name"
  | "positional_only_parameter"
  | "variadic_parameter"
  | "underscore_parameter"
  | "reserved_parameter"
  | "undefined_name"
  | "invalid_annotation"
  | "unsupported_type"
  | "invalid_signature"
  | "too_large"
  | "reader_error";

/** Gathers what there is to say about one tool, each thing once. */
export class Diagnostics {
  readonly #found = new Map<string, ToolDiagnostic>();

  add(code: DiagnosticCode, message: string, parameter: string | null = null): void {
    this.#found.set(`${code}\0${parameter}\0${message}`, { code, message, parameter });
  }

  get all(): ToolDiagnostic[] {
    return [...this.#found.values()];
  }
}

/** Raised where the runtime refuses to register a function. */
export class Refusal extends Error {
  constructor(
    readonly code: DiagnosticCode,
    message: string,
    readonly parameter: string | null = null,
  ) {
    super(message);
  }
}
