import type { SyntaxNode } from "../structure/types.js";
import { identifier } from "../structure/statements.js";

export type ParameterKind =
  | "positional_only"
  | "positional_or_keyword"
  | "var_positional"
  | "keyword_only"
  | "var_keyword";

export interface SignatureParameter {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly annotation: SyntaxNode | null;
  readonly default: SyntaxNode | null;
}

const STARRED: Readonly<Record<string, ParameterKind>> = {
  list_splat_pattern: "var_positional",
  dictionary_splat_pattern: "var_keyword",
};

/** The parameters of a `function_definition`, in order. */
export function signatureOf(definition: SyntaxNode): SignatureParameter[] {
  const parameters: { -readonly [K in keyof SignatureParameter]: SignatureParameter[K] }[] = [];
  let plain: ParameterKind = "positional_or_keyword";
  for (const node of definition.childForFieldName("parameters")?.children ?? []) {
    if (node.type === "positional_separator")
      for (const each of parameters) each.kind = "positional_only";
    else if (node.type === "keyword_separator") plain = "keyword_only";
    if (
      !/^(identifier|typed_parameter|default_parameter|typed_default_parameter|list_splat_pattern|dictionary_splat_pattern)$/.test(
        node.type,
      )
    )
      continue;
    const target =
      node.childForFieldName("name") ??
      (node.type === "typed_parameter" ? node.namedChildren[0]! : node);
    const starred = STARRED[target.type];
    const name = starred
      ? target.namedChildren.find((child) => child.type === "identifier")
      : target;
    if (!name) continue;
    parameters.push({
      name: identifier(name),
      kind: starred ?? plain,
      annotation: node.childForFieldName("type"),
      default: node.childForFieldName("value"),
    });
    if (starred === "var_positional") plain = "keyword_only";
  }
  return parameters;
}
