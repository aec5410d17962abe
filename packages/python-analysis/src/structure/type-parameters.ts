import type { TypeParameter } from "@sluice/contracts";
import { identifier, isTrivia } from "./statements.js";
import type { ParsedModule, SyntaxNode } from "./types.js";

const STARS: Readonly<Record<string, TypeParameter["kind"]>> = {
  "*": "type_var_tuple",
  "**": "param_spec",
};

/** The type parameters of a `function_definition` or `class_definition` (PEP 695). */
export function typeParametersOf(parsed: ParsedModule, node: SyntaxNode): TypeParameter[] {
  const parameters: TypeParameter[] = [];
  let separator: SyntaxNode | undefined;
  for (const child of node.childForFieldName("type_parameters")?.children ?? []) {
    if (!child.isNamed) separator = child;
    if (child.type !== "type") continue;
    const before = parameters.at(-1);
    if (before && separator?.text === "=") {
      before.default = defaultBehind(parsed, separator, child);
      continue;
    }
    const parameter = readParameter(child);
    if (parameter) parameters.push({ ...parameter, default: null });
  }
  return parameters;
}

/** The default (PEP 696) that is read as if it were the next type parameter, without its star. */
function defaultBehind(parsed: ParsedModule, equals: SyntaxNode, value: SyntaxNode): string {
  const between = parsed.text.slice(equals.endIndex, value.startIndex);
  const star = /^(?:\s|\\\n|#.*)*\*/.exec(between);
  const start = star ? equals.endIndex + star[0].length - 1 : value.startIndex;
  return parsed.text.slice(start, value.endIndex);
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
