import type { Complexity } from "@sluice/contracts";
import { cognitiveComplexities } from "./cognitive-complexity.js";
import { collectDefinitions, endLine, type Definition } from "./structure/definitions.js";
import { enclosingDefinition, statements } from "./structure/statements.js";
import type { ParsedModule, Position, SyntaxNode } from "./structure/types.js";

/** Blocks that nest. A clause such as `elif` is as deep as the statement it belongs to. */
const NESTS: ReadonlySet<string> = new Set([
  "if_statement",
  "for_statement",
  "while_statement",
  "try_statement",
  "with_statement",
  "match_statement",
]);

/** What adds a path. A function adds one to the function or block around it. */
const BRANCHES: ReadonlySet<string> = new Set([
  "if_statement",
  "elif_clause",
  "for_statement",
  "while_statement",
  "try_statement",
  "except_clause",
  "function_definition",
]);

/** Statements of which `mccabe` makes a graph of their own where they stand in no function. */
const GRAPHS: ReadonlySet<string> = new Set([
  "if_statement",
  "for_statement",
  "while_statement",
  "try_statement",
]);

export interface FunctionComplexity {
  readonly definition: Definition;
  /** Where its `def` is. */
  readonly position: Position;
  /** Lines from its `def` to its end. */
  readonly lines: number;
  /** McCabe's cyclomatic complexity; nested functions count in the outer one, too. */
  readonly mccabe: number;
  readonly cognitive: number;
  /** How many blocks stand inside each other at most; a function or class inside starts anew. */
  readonly maxNesting: number;
}

/** An `if`, loop or `try` outside of any function, as `mccabe` reports it. */
export interface BlockComplexity {
  readonly position: Position;
  readonly mccabe: number;
}

export interface MeasuredComplexity {
  /** Of the whole module; `max_mccabe` is the greatest of its functions and blocks, 0 without any, `max_cognitive` that of its functions. */
  readonly module: Complexity;
  readonly functions: readonly FunctionComplexity[];
  readonly blocks: readonly BlockComplexity[];
}

/**
 * Sizes a module up. McCabe's complexity is what the PyPI package `mccabe` 0.7 says, with its peculiarities: what stands in
 * `match`, `try … except*` and `finally` does not count, nor do `and`, `or`, comprehensions and conditional expressions.
 */
export function measureComplexity(parsed: ParsedModule): MeasuredComplexity {
  const nodes = [...statements(parsed)];
  const paths = countPaths(nodes);
  const nesting = measureNesting(nodes);
  const cognitive = cognitiveComplexities(parsed);
  const { functions, classes } = collectDefinitions(parsed);
  const measured = functions.map((definition): FunctionComplexity => {
    const { node } = definition;
    const position = parsed.position(node.startIndex);
    return {
      definition,
      position,
      lines: endLine(parsed, node) - position.line + 1,
      mccabe: paths.get(node) ?? 1,
      cognitive: cognitive.get(node) ?? 0,
      maxNesting: nesting.get(node) ?? 0,
    };
  });
  const blocks = nodes.filter(isOwnGraph).map((node) => ({
    position: parsed.position(node.startIndex),
    mccabe: 1 + (paths.get(node) ?? 0),
  }));
  return {
    module: {
      lines: countLines(parsed.text),
      functions: functions.length,
      classes: classes.length,
      max_nesting: maximum(nesting.values()),
      max_mccabe: maximum([...measured, ...blocks].map((each) => each.mccabe)),
      max_cognitive: maximum(cognitive.values()),
    },
    functions: measured,
    blocks,
  };
}

/** The paths that each node adds to the statement it is in: those of its own, and those of what is in it. */
function countPaths(nodes: readonly SyntaxNode[]): Map<SyntaxNode, number> {
  const paths = new Map<SyntaxNode, number>();
  for (const node of nodes.toReversed()) {
    const total = (paths.get(node) ?? 0) + (BRANCHES.has(node.type) ? 1 : 0);
    paths.set(node, total);
    if (node.parent && counts(node)) paths.set(node.parent, (paths.get(node.parent) ?? 0) + total);
  }
  return paths;
}

function counts(node: SyntaxNode): boolean {
  return node.type !== "match_statement" && node.type !== "finally_clause" && !isTryStar(node);
}

/** `try … except*`, which `mccabe` takes for a simple statement. */
function isTryStar(node: SyntaxNode): boolean {
  const handler =
    node.type === "try_statement" && node.children.find((child) => child.type === "except_clause");
  return (
    handler !== undefined &&
    handler !== false &&
    handler.children.some((child) => child.type === "*")
  );
}

function isOwnGraph(node: SyntaxNode): boolean {
  if (!GRAPHS.has(node.type) || isTryStar(node)) return false;
  for (let outer = node.parent; outer; outer = outer.parent) {
    if (GRAPHS.has(outer.type) || !counts(outer) || outer.type === "function_definition")
      return false;
  }
  return true;
}

/** How deep blocks nest at most, by the function, class or module (whose key is the root) in which they do. */
function measureNesting(nodes: readonly SyntaxNode[]): Map<SyntaxNode, number> {
  const deepest = new Map<SyntaxNode, number>();
  const depths = new Map<SyntaxNode, number>();
  const root = nodes[0];
  for (const node of nodes) {
    if (node.type === "function_definition" || node.type === "class_definition") {
      depths.set(node, 0);
      continue;
    }
    const depth = ((node.parent && depths.get(node.parent)) ?? 0) + (NESTS.has(node.type) ? 1 : 0);
    depths.set(node, depth);
    const owner = enclosingDefinition(node) ?? root!;
    if (depth > (deepest.get(owner) ?? 0)) deepest.set(owner, depth);
  }
  return deepest;
}

function countLines(text: string): number {
  let count = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", end + 1)) count++;
  return text === "" || text.endsWith("\n") ? count : count + 1;
}

function maximum(values: Iterable<number>): number {
  let greatest = 0;
  for (const value of values) greatest = Math.max(greatest, value);
  return greatest;
}
