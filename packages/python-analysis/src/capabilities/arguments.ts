import { identifier } from "../structure/statements.js";
import type { SyntaxNode } from "../structure/types.js";
import { firstOperand, isOperand } from "./names.js";

/** One argument of a call as written. */
export interface Argument {
  readonly keyword: string | null;
  readonly value: SyntaxNode;
  /** Whether it is `*value` or `**value`. */
  readonly spread: boolean;
}

/** The arguments of a `call` node, in order; a bare generator expression counts as one. */
export function argumentsOf(call: SyntaxNode): Argument[] {
  const list = call.childForFieldName("arguments");
  if (!list) return [];
  if (list.type !== "argument_list") return [{ keyword: null, value: list, spread: false }];
  const found: Argument[] = [];
  for (const node of list.children) {
    if (!isOperand(node)) continue;
    if (node.type === "keyword_argument") {
      const name = node.childForFieldName("name");
      const value = node.childForFieldName("value");
      if (name && value) found.push({ keyword: identifier(name), value, spread: false });
    } else if (node.type === "list_splat" || node.type === "dictionary_splat") {
      const value = firstOperand(node);
      if (value) found.push({ keyword: null, value, spread: true });
    } else {
      found.push({ keyword: null, value: node, spread: false });
    }
  }
  return found;
}

/** The argument at a position (`null`: it has none) or of a keyword; `undefined` when it is not written out. */
export function argumentOf(
  call: SyntaxNode,
  position: number | null,
  keyword: string | null,
): SyntaxNode | undefined {
  let index = 0;
  for (const argument of argumentsOf(call)) {
    if (
      argument.keyword !== null
        ? argument.keyword === keyword
        : !argument.spread && index === position
    )
      return argument.value;
    if (argument.keyword === null) index++;
  }
  return undefined;
}

/** Whether the call has a `*` or `**` argument, which may fill any parameter. */
export function hasSpread(call: SyntaxNode): boolean {
  return argumentsOf(call).some(({ spread }) => spread);
}
