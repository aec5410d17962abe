import type { SyntaxNode } from "../structure/types.js";
import type { FlowGraph } from "./flow.js";
import { operands } from "./names.js";
import { ANYTHING, isMapping, NOTHING, union, type ValueFactory, type Values } from "./values.js";

interface Context {
  readonly graph: FlowGraph;
  readonly make: ValueFactory;
}

/** More strings than this are not put together out of others. */
const MOST_JOINED = 64;

/** What an operator may give: paths that are joined, names that are merged, strings and containers that are put together. */
export function operatorValues(node: SyntaxNode, { graph, make }: Context): Values {
  const [left, right] = operands(node);
  const operator = node.childForFieldName("operator")?.type ?? node.children[1]?.type;
  if (!left || !right) return ANYTHING;
  if (operator === "/") {
    const paths = [...graph.values(left), ...graph.values(right)].filter(
      (value) => value.kind === "instance",
    );
    return paths.length > 0 ? union(paths, ANYTHING) : ANYTHING;
  }
  if (operator === "|")
    return union(ANYTHING, [...graph.values(left), ...graph.values(right)].filter(isMapping));
  return operator === "+" ? joined(graph.values(left), graph.values(right), make) : ANYTHING;
}

/** Strings joined with strings, as long as there are few ways to do so, and the containers of both sides. */
function joined(left: Values, right: Values, make: ValueFactory): Values {
  if (left === ANYTHING && right === ANYTHING) return ANYTHING;
  const containers = [...left, ...right].filter(({ kind }) => kind === "container");
  const beginnings = left.flatMap((value) => (value.kind === "string" ? [value.text] : []));
  const ends = right.flatMap((value) => (value.kind === "string" ? [value.text] : []));
  const allStrings = beginnings.length === left.length && ends.length === right.length;
  if (beginnings.length * ends.length > MOST_JOINED) return union(ANYTHING, containers);
  const joined = beginnings.flatMap((text) => ends.map((end) => make.string(text + end)));
  return union(union(joined, containers), allStrings ? NOTHING : ANYTHING);
}
