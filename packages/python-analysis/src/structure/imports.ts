import {
  CONDITIONAL,
  dottedName,
  enclosingDefinition,
  identifier,
  statements,
} from "./statements.js";
import { withoutParentheses } from "./strings.js";
import type { ParsedModule, Position, SyntaxNode } from "./types.js";

export interface ImportedName {
  /** `*` for all. */
  readonly name: string;
  /** The name it is bound to, where that is another. */
  readonly alias: string | null;
  readonly position: Position;
}

/** One module that an import statement names. */
export interface Import {
  /** The dotted name without the dots before it; empty in `from . import a`. */
  readonly module: string;
  /** How many dots stand before it: 0 for an absolute import. */
  readonly level: number;
  /** What `from module import …` takes from it; `null` for `import module`. */
  readonly names: readonly ImportedName[] | null;
  /** `c` in `import a.b as c`. */
  readonly alias: string | null;
  /** Where the module is named. */
  readonly position: Position;
  /** Whether it may be left out, or fail without harm: it stands in an `if`, a loop, a `match` or a `try`. */
  readonly isConditional: boolean;
  /** Whether it is for type checkers only: it stands in `if TYPE_CHECKING:`. */
  readonly isForTypeChecking: boolean;
  /** What runs it: loading the module, as a class body's import also does, or calling a function. */
  readonly scope: "module" | "class" | "function";
}

/** Every import of a module in order of place, one for each module that a statement names. */
export function collectImports(parsed: ParsedModule): Import[] {
  const found: Import[] = [];
  for (const node of statements(parsed)) {
    if (node.type === "import_statement") {
      const context = contextOf(node);
      for (const child of node.children) {
        const named = namedImport(parsed, child);
        if (!named) continue;
        const { name: module, alias, position } = named;
        found.push({ module, level: 0, names: null, alias, position, ...context });
      }
    } else if (node.type === "import_from_statement" || node.type === "future_import_statement") {
      found.push({ ...fromImport(parsed, node), ...contextOf(node) });
    }
  }
  return found;
}

/** The module that an import names, with its dots: `a.b`, `.x`, `..`. */
export function moduleName(imported: Pick<Import, "level" | "module">): string {
  return ".".repeat(imported.level) + imported.module;
}

function fromImport(parsed: ParsedModule, node: SyntaxNode) {
  const source = node.children.find(
    (child) => child.field === "module_name" || child.type === "__future__",
  );
  const dots = source?.type === "relative_import" ? source.children[0] : undefined;
  const path = source?.type === "relative_import" ? source.children.find(isDottedName) : source;
  const keyword = node.children.findIndex((child) => child.type === "import");
  const names = node.children
    .slice(keyword + 1)
    .flatMap((child) => namedImport(parsed, child) ?? []);
  return {
    module: path === undefined ? "" : isDottedName(path) ? dottedName(path) : path.text,
    level: dots?.text.replace(/[^.]/g, "").length ?? 0,
    names,
    alias: null,
    position: parsed.position((source ?? node).startIndex),
  };
}

function isDottedName(node: SyntaxNode): boolean {
  return node.type === "dotted_name";
}

function namedImport(parsed: ParsedModule, node: SyntaxNode): ImportedName | undefined {
  const position = parsed.position(node.startIndex);
  if (node.type === "wildcard_import") return { name: "*", alias: null, position };
  if (node.type === "dotted_name") return { name: dottedName(node), alias: null, position };
  if (node.type !== "aliased_import") return undefined;
  const name = node.childForFieldName("name");
  const alias = node.childForFieldName("alias");
  return { name: name ? dottedName(name) : "", alias: alias && identifier(alias), position };
}

function contextOf(
  node: SyntaxNode,
): Pick<Import, "isConditional" | "isForTypeChecking" | "scope"> {
  let isConditional = false;
  let isForTypeChecking = false;
  for (let inner = node, outer = node.parent; outer; inner = outer, outer = outer.parent) {
    isConditional ||= CONDITIONAL.has(outer.type);
    isForTypeChecking ||=
      inner.field === "consequence" &&
      (outer.type === "if_statement" || outer.type === "elif_clause") &&
      asksForTypeChecking(outer);
  }
  return { isConditional, isForTypeChecking, scope: scopeOf(node) };
}

function scopeOf(node: SyntaxNode): Import["scope"] {
  let scope: Import["scope"] = "module";
  for (let outer = enclosingDefinition(node); outer; outer = enclosingDefinition(outer)) {
    if (outer.type === "function_definition") return "function";
    scope = "class";
  }
  return scope;
}

function asksForTypeChecking(statement: SyntaxNode): boolean {
  const tested = statement.childForFieldName("condition");
  const condition = tested && withoutParentheses(tested);
  const name =
    condition?.type === "attribute" ? condition.childForFieldName("attribute") : condition;
  return name?.type === "identifier" && name.text === "TYPE_CHECKING";
}
