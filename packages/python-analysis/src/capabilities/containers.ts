import type { SyntaxNode } from "../structure/types.js";
import type { FlowGraph } from "./flow.js";
import { operands } from "./names.js";
import { ANYTHING, isMapping, NOTHING, union, type ValueFactory, type Values } from "./values.js";

interface Context {
  readonly graph: FlowGraph;
  readonly make: ValueFactory;
}

const LITERAL = new Set(["integer", "float", "true", "false", "none", "ellipsis", "comment"]);
const CONTAINERS = new Set([
  "tuple",
  "list",
  "set",
  "dictionary",
  "expression_list",
  "list_comprehension",
  "set_comprehension",
  "dictionary_comprehension",
  "generator_expression",
]);

/** Whether an expression makes a tuple, list, set, dictionary or generator. */
export function isContainer({ type }: SyntaxNode): boolean {
  return CONTAINERS.has(type);
}

/** The container that an expression makes, whose elements' values flow into it. */
export function containerValues(node: SyntaxNode, { graph, make }: Context): Values {
  if (!graph.isContainer(node)) {
    const parts = containerParts(node);
    if (parts.length === 0) return ANYTHING;
    const elements = graph.makeContainer(node);
    for (const { part, depth } of parts) graph.link(part, elements, depth);
  }
  return spreadNames(node, graph).reduce<Values>(
    (all, value) => union(all, [value]),
    [make.node("container", node)],
  );
}

/** The namespaces whose names a dictionary has: `{**vars(os)}`. */
function spreadNames(node: SyntaxNode, graph: FlowGraph): Values {
  if (node.type !== "dictionary") return NOTHING;
  return operands(node)
    .filter((child) => child.type === "dictionary_splat")
    .flatMap((splat) => operands(splat))
    .flatMap((part) => graph.values(part).filter(isMapping));
}

/** The expressions whose values become elements, with how often each is to be taken apart first. */
function containerParts(node: SyntaxNode): { part: SyntaxNode; depth: number }[] {
  const parts: { part: SyntaxNode; depth: number }[] = [];
  for (const child of operands(node)) {
    if (LITERAL.has(child.type) || child.type === "for_in_clause" || child.type === "if_clause")
      continue;
    if (child.type === "pair") {
      for (const part of operands(child))
        if (!LITERAL.has(part.type)) parts.push({ part, depth: 0 });
    } else if (child.type === "list_splat" || child.type === "dictionary_splat") {
      for (const part of operands(child)) parts.push({ part, depth: 1 });
    } else {
      parts.push({ part: child, depth: 0 });
    }
  }
  return parts;
}
