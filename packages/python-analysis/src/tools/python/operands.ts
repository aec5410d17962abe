import type { SyntaxNode } from "../../structure/types.js";

/** The children that carry meaning. */
export function operands(node: SyntaxNode): readonly SyntaxNode[] {
  return node.children.filter(
    (child) => child.isNamed && child.type !== "comment" && child.type !== "line_continuation",
  );
}

/**
 * The members of `X | Y | Z`, which Python joins from left to right. Below a `union_type` the grammar groups them to the right, as
 * types or as expressions.
 */
export function unionOperands(node: SyntaxNode): readonly SyntaxNode[] {
  const [inner, ...more] = operands(node);
  const isUnion =
    node.type === "union_type" ||
    (node.type === "binary_operator" && node.childForFieldName("operator")?.text === "|");
  if (isUnion) return operands(node).flatMap(unionOperands);
  return node.type === "type" && inner && more.length === 0 ? unionOperands(inner) : [node];
}
