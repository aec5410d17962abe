import { identifier } from "../structure/statements.js";
import type { SyntaxNode } from "../structure/types.js";
import { operands, type Parameters, type Reference, type Variable } from "./names.js";

export type ScopeKind = "module" | "class" | "function" | "comprehension";

/** A block of Python with names of its own. */
export interface Scope {
  readonly kind: ScopeKind;
  readonly node: SyntaxNode;
  readonly parent: Scope | null;
  readonly variables: Map<string, Variable>;
  readonly globals: Set<string>;
  readonly nonlocals: Set<string>;
}

export function newScope(kind: ScopeKind, node: SyntaxNode, parent: Scope | null): Scope {
  return { kind, node, parent, variables: new Map(), globals: new Set(), nonlocals: new Set() };
}

export function newVariable(name: string): Variable {
  return { name, bindings: [], boundFrom: Number.POSITIVE_INFINITY, boundIn: [], deleted: false };
}

export function variableIn(variables: Map<string, Variable>, name: string): Variable {
  let variable = variables.get(name);
  if (!variable) variables.set(name, (variable = newVariable(name)));
  return variable;
}

/** More parts of a text in which one name is bound are not told. */
const MOST_PARTS = 20;
const THROUGH = new Set([
  "expression_statement",
  "decorated_definition",
  "with_item",
  "with_clause",
  "with_statement",
]);

/** Notes from where on, or where else, a name in a module or class body is bound for certain. Functions decide by other rules. */
export function noteBound(variable: Variable, place: SyntaxNode, owner: Scope): void {
  const part = boundPart(place, owner);
  if (part === null) return;
  if (part.to === Number.POSITIVE_INFINITY)
    variable.boundFrom = Math.min(variable.boundFrom, part.from);
  else if (variable.boundIn.length < MOST_PARTS) variable.boundIn.push(part);
}

function boundPart(place: SyntaxNode, owner: Scope): { from: number; to: number } | null {
  if (place.type === "for_statement") {
    const body = place.childForFieldName("body");
    return body && { from: body.startIndex, to: body.endIndex };
  }
  let block = place.parent;
  while (block && THROUGH.has(block.type)) block = block.parent;
  const from = place.endIndex;
  if (block === owner.node || (block?.type === "block" && block.parent === owner.node))
    return { from, to: Number.POSITIVE_INFINITY };
  return block?.type === "block" || block?.type === "except_clause"
    ? { from, to: block.endIndex }
    : null;
}

function isBound({ boundFrom, boundIn }: Variable, at: number): boolean {
  return at >= boundFrom || boundIn.some(({ from, to }) => from <= at && at < to);
}

export function lookUp(name: string, at: number, from: Scope): Reference {
  const variables: Variable[] = [];
  for (let scope: Scope | null = from; scope; scope = scope.parent) {
    if (scope.kind === "class" && scope !== from) continue;
    const global = scope.globals.has(name);
    const variable = global || scope.nonlocals.has(name) ? undefined : scope.variables.get(name);
    if (global) while (scope.parent) scope = scope.parent;
    const found: Variable | undefined = global ? scope.variables.get(name) : variable;
    if (!found) continue;
    variables.push(found);
    const dynamic = scope.kind === "module" || scope.kind === "class";
    if (!dynamic || (!found.deleted && isBound(found, at)))
      return { name, variables, maybeBuiltin: false };
  }
  return { name, variables, maybeBuiltin: true };
}

export function parametersOf(node: SyntaxNode, scope: Scope): Parameters {
  const positional: Variable[] = [];
  const named = new Map<string, Variable>();
  let rest: Variable | null = null;
  let keywords: Variable | null = null;
  let keywordOnly = false;
  for (const parameter of operands(node.childForFieldName("parameters") ?? node)) {
    if (parameter.field === "body") break;
    if (parameter.type === "keyword_separator") keywordOnly = true;
    const name =
      parameter.childForFieldName("name") ??
      (parameter.type === "typed_parameter" ? operands(parameter)[0]! : parameter);
    const plain = name.type.endsWith("splat_pattern") ? operands(name)[0] : name;
    const variable =
      plain?.type === "identifier" ? scope.variables.get(identifier(plain)) : undefined;
    if (!variable) continue;
    if (name.type === "list_splat_pattern") {
      rest = variable;
      keywordOnly = true;
    } else if (name.type === "dictionary_splat_pattern") {
      keywords = variable;
    } else {
      if (!keywordOnly) positional.push(variable);
      named.set(variable.name, variable);
    }
  }
  const all = [...named.values(), rest, keywords].filter((variable) => variable !== null);
  const spread = newVariable("spread");
  const isMethod = scope.parent?.kind === "class";
  return { positional, named, rest, keywords, spread, all, isMethod };
}
