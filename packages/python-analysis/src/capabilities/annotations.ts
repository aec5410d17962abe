import type { SyntaxNode } from "../structure/types.js";
import type { FlowGraph } from "./flow.js";
import type { CapabilityMap } from "./map.js";
import { operands } from "./names.js";
import { ANYTHING, NOTHING, union, type Value, type Values } from "./values.js";

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

interface TypeContext {
  readonly graph: FlowGraph;
  readonly map: CapabilityMap;
  /** What calling a class gives. */
  instance(path: string): Value;
}

/** Something of the class that an annotation names, where its methods are known. */
export function typeValues(node: SyntaxNode, context: TypeContext): Values {
  const { graph, map } = context;
  let result = NOTHING;
  const pending = [node];
  for (let part = pending.pop(), left = 20; part && left > 0; part = pending.pop(), left--) {
    if (part.type === "identifier" || part.type === "attribute") {
      for (const value of graph.values(part)) {
        if (value.kind === "path" && map.hasMembers(value.path) && !map.isModule(value.path)) {
          result = union(result, [context.instance(value.path)]);
        }
      }
    } else {
      pending.push(...operands(part).slice(0, 20));
    }
  }
  return result.length > 0 ? result : ANYTHING;
}
