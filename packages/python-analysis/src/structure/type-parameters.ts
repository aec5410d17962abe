import type { TypeParameter } from "@sluice/contracts";
import { identifier, isTrivia } from "./statements.js";
import type { ParsedModule, SyntaxNode } from "./types.js";

const STARS: Readonly<Record<string, TypeParameter["kind"]>> = {
  "*": "type_var_tuple",
  "**": "param_spec",
};

/** The type parameters of a `function_definition` or `class_definition` (PEP 695). */
export function typeParametersOf(parsed: ParsedModule, node: SyntaxNode): TypeParameter[] {
  const list = node.childForFieldName("type_parameters");
  if (!list) return [];
  return list.children.flatMap((child, i) => {
    const parameter = child.type === "type" ? readParameter(child) : undefined;
    if (!parameter) return [];
    const next = list.children.slice(i + 1).find(({ isNamed }) => !isNamed);
    const after = parsed.text.slice(child.endIndex, next?.startIndex ?? child.endIndex);
    return [{ ...parameter, default: defaultIn(after) }];
  });
}

function readParameter(type: SyntaxNode): Omit<TypeParameter, "default"> | undefined {
  const [inner] = type.namedChildren;
  if (inner?.type === "identifier")
    return { name: identifier(inner), kind: "type_var", bound: null };
  const [first, ...others] = inner?.namedChildren.filter((child) => !isTrivia(child)) ?? [];
  if (inner?.type === "splat_type" && first?.type === "identifier") {
    const kind = STARS[inner.children[0]!.type] ?? "type_var_tuple";
    return { name: identifier(first), kind, bound: null };
  }
  const name = first?.namedChildren[0];
  if (inner?.type !== "constrained_type" || name?.type !== "identifier") return undefined;
  return { name: identifier(name), kind: "type_var", bound: others[0]?.text ?? null };
}

/**
 * The default (PEP 696) in what is between a type parameter and the comma or bracket behind it. The grammar has no defaults, so that
 * the tree was made without them.
 */
function defaultIn(text: string): string | null {
  const start = /^(?:\s|\\\n|#.*)*=(?:\s|\\\n|#.*)*/.exec(text)?.[0].length;
  if (start === undefined) return null;
  return text.slice(start, endOfCode(text, start));
}

/** Where code ends before the blanks and comments that follow it. A `#` in a string is no comment. */
function endOfCode(text: string, from: number): number {
  const token =
    /"""[^]*?"""|'''[^]*?'''|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'|#.*|\\\n|\s+|[^\s"'#\\]+|[^]/g;
  token.lastIndex = from;
  let end = from;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    if (!/^(?:#|\\\n|\s)/.test(match[0])) end = token.lastIndex;
  }
  return end;
}
