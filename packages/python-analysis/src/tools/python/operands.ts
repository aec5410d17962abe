import type { SyntaxNode } from "../../structure/types.js";

/** The children that carry meaning. */
export function operands(node: SyntaxNode): readonly SyntaxNode[] {
  return node.children.filter(
    (child) => child.isNamed && child.type !== "comment" && child.type !== "line_continuation",
  );
}
