import type { ParsedModule, SyntaxNode } from "./types.js";

/** Nodes through which statements can be reached from the module without entering an expression. */
const HOLDS_STATEMENTS: ReadonlySet<string> = new Set([
  "module",
  "block",
  "if_statement",
  "elif_clause",
  "else_clause",
  "for_statement",
  "while_statement",
  "try_statement",
  "except_clause",
  "finally_clause",
  "with_statement",
  "match_statement",
  "case_clause",
  "decorated_definition",
  "function_definition",
  "class_definition",
  "ERROR",
]);

/** Statements that may leave out what stands in them, or do it and let it fail. */
export const CONDITIONAL: ReadonlySet<string> = new Set([
  "if_statement",
  "for_statement",
  "while_statement",
  "try_statement",
  "match_statement",
]);

/**
 * Every statement of a module, and the clauses and blocks that hold them, parents before children, in order of place.
 * Much less than all nodes: expressions are not entered.
 */
export function statements(parsed: ParsedModule): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  const pending = [parsed.root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    found.push(node);
    if (!HOLDS_STATEMENTS.has(node.type)) continue;
    for (let i = node.children.length - 1; i >= 0; i--) {
      const child = node.children[i]!;
      if (child.isNamed && !isTrivia(child)) pending.push(child);
    }
  }
  return found;
}

/** Whether a node is a comment or a line continuation, which tree-sitter puts wherever they stand. */
export function isTrivia(node: SyntaxNode): boolean {
  return node.type === "comment" || node.type === "line_continuation";
}

/** The function or class in whose body a node stands, or `null` for the module. */
export function enclosingDefinition(node: SyntaxNode): SyntaxNode | null {
  let outer = node.parent;
  while (outer && outer.type !== "function_definition" && outer.type !== "class_definition")
    outer = outer.parent;
  return outer;
}

/** An identifier as Python knows it: normalised to NFKC (PEP 3131). */
export function identifier(node: SyntaxNode): string {
  const { text } = node;
  // Nearly all are ASCII, and asking for their normal form costs more than everything else about them.
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) > 0x7f) return text.normalize("NFKC");
  return text;
}

/** A `dotted_name` without whatever white space and comments are between its parts. */
export function dottedName(node: SyntaxNode): string {
  return node.children
    .filter((child) => child.type === "identifier")
    .map(identifier)
    .join(".");
}
