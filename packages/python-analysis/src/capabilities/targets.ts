import { identifier } from "../structure/statements.js";
import type { SyntaxNode } from "../structure/types.js";
import { ANY_ATTRIBUTE } from "./carriers.js";
import { operands, type Origin, type Variable } from "./names.js";

/** What an assignment reaches: a name, an attribute, a subscript or an expression that is only read. */
export interface Target {
  readonly node: SyntaxNode;
  readonly origin: Origin;
}

export const UNKNOWN: Origin = { kind: "unknown" };
/** Taking apart what is nested deeper than this gives nothing more precise. */
const DEEPEST = 3;
const PATTERNS = new Set([
  "pattern_list",
  "tuple_pattern",
  "list_pattern",
  "tuple",
  "list",
  "expression_list",
  "parenthesized_expression",
]);

/** An origin in the value of an expression, in what is in it `depth` levels down, or in an attribute of it. */
export const expressionOrigin = (
  node: SyntaxNode,
  depth = 0,
  attribute: string | null = null,
): Origin => ({
  kind: "expression",
  node,
  depth,
  attribute,
});

/** Whether a target or what is assigned to it is made of several, or is one in parentheses. */
export function isPattern(node: SyntaxNode): boolean {
  return PATTERNS.has(node.type);
}

/**
 * Takes a target apart. Where a tuple is assigned that is written out, each part gets its own part of it.
 *
 * @param source - what is assigned; `null` where that is not known
 * @param depth - how often it is taken apart before, such as once by `for`
 */
export function* targetsOf(
  target: SyntaxNode,
  source: SyntaxNode | null,
  depth: number,
): Generator<Target, void, undefined> {
  const pending = [{ node: target, source, depth }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { node, source, depth } = next;
    if (isSplat(node)) {
      for (const part of operands(node))
        pending.push({ node: part, source, depth: Math.max(0, depth - 1) });
    } else if (node.type === "parenthesized_expression") {
      for (const part of operands(node)) pending.push({ node: part, source, depth });
    } else if (isPattern(node)) {
      const parts = operands(node);
      const sources = source && depth === 0 && isPattern(source) ? operands(source) : [];
      const pairwise = sources.length === parts.length && ![...sources, ...parts].some(isSplat);
      for (const [i, part] of parts.entries()) {
        if (pairwise) pending.push({ node: part, source: sources[i]!, depth: 0 });
        else pending.push({ node: part, source, depth: Math.min(depth + 1, DEEPEST) });
      }
    } else {
      yield { node, origin: source ? expressionOrigin(source, depth) : UNKNOWN };
    }
  }
}

function isSplat(node: SyntaxNode): boolean {
  return node.type.startsWith("list_splat");
}

/** What a `match` statement looks at: an expression, or a variable that holds many of them. */
export type Subject = SyntaxNode | Variable;

function originIn(subject: Subject, depth: number, attribute: string | null): Origin {
  return "bindings" in subject
    ? { kind: "variable", from: subject, depth, attribute }
    : expressionOrigin(subject, depth, attribute);
}

/**
 * The names that a pattern of `match` captures. Each may be the subject, a part of it, or the attribute of it that a class pattern
 * names; so one name is given several times.
 */
export function* capturesOf(
  pattern: SyntaxNode,
  subjects: readonly Subject[],
): Generator<Target, void, undefined> {
  const pending: { node: SyntaxNode; attribute: string | null }[] = [
    { node: pattern, attribute: null },
  ];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { node, attribute } = next;
    const parts = operands(node);
    if (node.type === "identifier") {
      for (const subject of subjects) {
        yield { node, origin: originIn(subject, 0, attribute) };
        for (let depth = attribute === null ? depthIn(node) : 0; depth > 0; depth--)
          yield { node, origin: originIn(subject, depth, null) };
        if (attribute === null && isPositional(node))
          yield { node, origin: originIn(subject, 0, ANY_ATTRIBUTE) };
      }
    } else if (
      node.type === "dotted_name" &&
      (parts.length > 1 || node.parent?.type === "class_pattern")
    ) {
      continue;
    } else if (node.type === "keyword_pattern" && parts[0]) {
      for (const part of parts.slice(1))
        pending.push({ node: part, attribute: identifier(parts[0]) });
    } else {
      for (const part of parts) pending.push({ node: part, attribute });
    }
  }
}

/** How many sequences and mappings a capture may be in. */
function depthIn(node: SyntaxNode): number {
  let depth = 1;
  let outer = node.parent?.parent;
  while (outer && outer.type !== "case_clause" && depth < DEEPEST) {
    if (/^(?:list|tuple|dict)_pattern$/.test(outer.type)) depth++;
    outer = outer.parent;
  }
  return depth;
}

/** Whether a capture is an attribute that `__match_args__` of a class names. */
function isPositional(node: SyntaxNode): boolean {
  let outer = node.parent;
  for (let depth = 0; outer && depth < 4; depth++, outer = outer.parent)
    if (outer.type === "class_pattern") return true;
  return false;
}
