import type { SyntaxNode } from "../structure/types.js";
import { argumentOf } from "./arguments.js";
import { excerpt } from "./chain.js";
import { codeArguments } from "./code.js";
import type { Evaluation } from "./evaluate.js";
import type { Folding } from "./folding/record.js";

/** A place where something takes effect that is written so that readers do not see what it is. */
export interface Hidden {
  readonly node: SyntaxNode;
  /** What happens with it, such as `exec of hidden code`. */
  readonly what: string;
}

const IMPORTERS = new Set([
  "builtins.__import__",
  "importlib.import_module",
  "importlib.__import__",
]);

/**
 * Finds code that is run, modules that are imported and members that are taken by text that is encoded, escaped, backwards or
 * counted out. Such text alone is not remarkable, and neither is running code.
 */
export function findHidden(
  nodes: readonly SyntaxNode[],
  evaluation: Evaluation,
  folding: Folding,
): Hidden[] {
  const found: Hidden[] = [];
  const isHidden = (node: SyntaxNode | undefined) =>
    node !== undefined && folding.of(node)?.isHidden === true;
  const reaches = (node: SyntaxNode | undefined) =>
    node !== undefined &&
    evaluation.values(node).some(({ kind }) => kind === "path" || kind === "namespace");
  for (const { call, argument } of codeArguments(nodes, evaluation)) {
    const callee = call.childForFieldName("function")!;
    if (isHidden(argument))
      found.push({ node: call, what: `${excerpt(callee, 40)} of hidden code` });
  }
  for (const node of nodes) {
    if (node.type === "subscript") {
      const keys = node.childrenForFieldName("subscript");
      if (keys.some(isHidden) && reaches(node.children[0]))
        found.push({ node, what: `${excerpt(node.children[0]!, 40)} by a hidden name` });
    }
    if (node.type !== "call") continue;
    const callee = node.childForFieldName("function");
    const mayBe = (isWanted: (path: string) => boolean) =>
      callee !== null &&
      evaluation.values(callee).some((value) => value.kind === "path" && isWanted(value.path));
    const takes =
      (mayBe((path) => path === "builtins.getattr") &&
        isHidden(argumentOf(node, 1, null)) &&
        reaches(argumentOf(node, 0, null))) ||
      (mayBe((path) => IMPORTERS.has(path)) && isHidden(argumentOf(node, 0, "name")));
    if (takes) found.push({ node, what: `${excerpt(callee!, 40)} by a hidden name` });
  }
  return found;
}
