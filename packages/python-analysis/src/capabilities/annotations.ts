import type { SyntaxNode } from "../structure/types.js";
import { operands } from "./names.js";

/** Of more is no function and no class that is written by hand. */
const MOST_ANNOTATIONS = 50;

/** The expressions of the annotations of a function or class. */
export function annotationsOf(definition: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (const child of operands(definition)) {
    if (child.type === "type") found.push(...operands(child));
    else if (child.type === "parameters") found.push(...typesOf(operands(child)));
    else if (child.type === "block" && definition.type === "class_definition")
      found.push(...typesOf(operands(child).map(assignmentIn)));
  }
  return found.slice(0, MOST_ANNOTATIONS);
}

function assignmentIn(statement: SyntaxNode): SyntaxNode | undefined {
  return statement.type === "expression_statement" ? operands(statement)[0] : undefined;
}

function typesOf(annotated: readonly (SyntaxNode | undefined)[]): SyntaxNode[] {
  return annotated.flatMap((node) => {
    const type = node?.childForFieldName("type");
    return type ? operands(type) : [];
  });
}
