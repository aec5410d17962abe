import type { ClassFacts, FunctionFacts, Parameter } from "@sluice/contracts";
import { cleanDocstring } from "../docstring/clean.js";
import {
  CONDITIONAL,
  enclosingDefinition,
  identifier,
  isTrivia,
  statements,
} from "./statements.js";
import { stringValue } from "./strings.js";
import { typeParametersOf } from "./type-parameters.js";
import type { ParsedModule, SyntaxNode } from "./types.js";

/** Where a name is bound: the module, or the body of a function or of a class. */
export interface Scope {
  readonly kind: "module" | "function" | "class";
  /** `__qualname__` of the function or class; empty for the module. */
  readonly qualifiedName: string;
  readonly parent: Scope | null;
}

/** A `def` or `class` statement. */
export interface Definition {
  /** A `function_definition` or `class_definition`. */
  readonly node: SyntaxNode;
  readonly name: string;
  /** As `__qualname__`: `Greeter.greet`, or `f.<locals>.g`; a name declared `global` stands alone. */
  readonly qualifiedName: string;
  /** The scope in which it stands. */
  readonly scope: Scope;
  /** Expressions, in order, without their `@`. */
  readonly decorators: readonly SyntaxNode[];
}

export interface Definitions {
  /** In order of place, so a function before those inside it. */
  readonly functions: readonly Definition[];
  readonly classes: readonly Definition[];
}

/** UTF-16 units that the qualified names of a module may come to together: each method has all of its class's name in its own. */
const MOST_NAMED = 10_485_760;

/**
 * Every function and class of a module, wherever it is defined; the first of them only where a long name has so many things in it
 * that the qualified names would take more than the longest script.
 */
export function collectDefinitions(parsed: ParsedModule): Definitions {
  const functions: Definition[] = [];
  const classes: Definition[] = [];
  const module: Scope = { kind: "module", qualifiedName: "", parent: null };
  const scopes = new Map<SyntaxNode, Scope>();
  const scopeOf = (node: SyntaxNode): Scope => {
    const outer = enclosingDefinition(node);
    return (outer && scopes.get(outer)) ?? module;
  };
  const globals = new Map<Scope, Set<string>>();
  let named = 0;
  for (const node of statements(parsed)) {
    if (node.type === "global_statement") {
      const scope = scopeOf(node);
      const declared = globals.get(scope) ?? new Set();
      for (const name of node.namedChildren) declared.add(identifier(name));
      globals.set(scope, declared);
    } else if (node.type === "function_definition" || node.type === "class_definition") {
      const scope = scopeOf(node);
      const definition = define(node, scope, globals.get(scope));
      if (!definition) continue;
      named += definition.qualifiedName.length;
      if (named > MOST_NAMED) break;
      const kind = node.type === "function_definition" ? "function" : "class";
      (kind === "function" ? functions : classes).push(definition);
      scopes.set(node, { kind, qualifiedName: definition.qualifiedName, parent: scope });
    }
  }
  return { functions, classes };
}

function define(
  node: SyntaxNode,
  scope: Scope,
  globals: ReadonlySet<string> | undefined,
): Definition | undefined {
  const nameNode = node.childForFieldName("name");
  if (!nameNode) return undefined;
  const name = identifier(nameNode);
  const prefix =
    scope.kind === "function" ? `${scope.qualifiedName}.<locals>.` : `${scope.qualifiedName}.`;
  const isGlobal = scope.kind === "module" || globals?.has(name) === true;
  const outer = node.parent;
  const decorators =
    outer?.type === "decorated_definition"
      ? outer.children
          .filter((child) => child.type === "decorator")
          .flatMap((child) => expressionOf(child) ?? [])
      : [];
  return { node, name, qualifiedName: isGlobal ? name : prefix + name, scope, decorators };
}

/** The first part of a node that is neither punctuation nor a comment. */
function expressionOf(node: SyntaxNode): SyntaxNode | undefined {
  return node.children.find((child) => child.isNamed && !isTrivia(child));
}

/**
 * The docstring of a module (its root), a function or a class, exactly as `inspect.cleandoc(ast.get_docstring(node))` gives it,
 * or `null` without one. An f-string, bytes, or a string that is part of a larger expression is no docstring.
 */
export function docstringOf(node: SyntaxNode): string | null {
  const body = node.type === "module" ? node : node.childForFieldName("body");
  const first = body && expressionOf(body);
  if (first?.type !== "expression_statement") return null;
  const parts = first.children.filter((child) => !isTrivia(child));
  const value = parts.length === 1 ? stringValue(parts[0]!) : null;
  return value === null ? null : cleanDocstring(value);
}

/** The line on which a definition ends, as `ast` has it: that of its last statement, whatever comments follow. */
export function endLine(parsed: ParsedModule, node: SyntaxNode): number {
  let last = node;
  for (;;) {
    let child: SyntaxNode | undefined;
    for (let i = last.children.length - 1; i >= 0 && !child; i--) {
      const candidate = last.children[i]!;
      if (!isTrivia(candidate) && candidate.endIndex > candidate.startIndex) child = candidate;
    }
    if (!child) return parsed.position(last.endIndex).line;
    last = child;
  }
}

/** The parameters of a `function_definition` or a `lambda`, without descriptions. */
export function parametersOf(parsed: ParsedModule, node: SyntaxNode): Parameter[] {
  const list = node.childForFieldName("parameters");
  if (!list) return [];
  const parameters: Parameter[] = [];
  let kind: Parameter["kind"] = "positional_or_keyword";
  for (const child of list.children) {
    if (child.type === "positional_separator") {
      for (const parameter of parameters) parameter.kind = "positional_only";
    } else if (child.type === "keyword_separator") {
      kind = "keyword_only";
    } else if (child.isNamed && !isTrivia(child)) {
      const parameter = parameterOf(parsed, child, kind);
      if (!parameter) continue;
      parameters.push(parameter);
      if (parameter.kind === "var_positional") kind = "keyword_only";
    }
  }
  return parameters;
}

const STARRED: Readonly<Record<string, Parameter["kind"]>> = {
  list_splat_pattern: "var_positional",
  dictionary_splat_pattern: "var_keyword",
};

/**
 * The source text between two tokens of a node. An annotation such as `a[b][c]` is more to the grammar than the type that it sees in it.
 */
function sourceBetween(
  { text }: ParsedModule,
  { children }: SyntaxNode,
  from: string,
  to: string,
): string | null {
  const start = children.findIndex(({ type }) => type === from);
  if (start < 0) return null;
  const end = children.findIndex(({ type }, i) => i > start && type === to);
  const parts = children
    .slice(start + 1, end < 0 ? undefined : end)
    .filter((child) => !isTrivia(child));
  return parts.length === 0 ? null : text.slice(parts[0]!.startIndex, parts.at(-1)!.endIndex);
}

function parameterOf(
  parsed: ParsedModule,
  node: SyntaxNode,
  plainKind: Parameter["kind"],
): Parameter | undefined {
  const target =
    node.childForFieldName("name") ?? (node.type === "typed_parameter" ? expressionOf(node) : node);
  const kind = target && STARRED[target.type];
  const name = kind ? expressionOf(target) : target;
  if (name?.type !== "identifier") return undefined;
  const value = node.childForFieldName("value")?.text ?? null;
  return {
    name: identifier(name),
    kind: kind ?? plainKind,
    annotation: sourceBetween(parsed, node, ":", "="),
    default: value,
    description: null,
    required: kind === undefined && value === null,
  };
}

/** Whether a definition stands in a statement that may not run it, in the scope that defines it. */
function isConditional(node: SyntaxNode): boolean {
  const scope = enclosingDefinition(node);
  for (let outer = node.parent; outer && outer !== scope; outer = outer.parent) {
    if (CONDITIONAL.has(outer.type)) return true;
  }
  return false;
}

/** What is known of a function without a look into its body. */
export type FunctionDeclaration = Omit<FunctionFacts, "is_generator" | "raises" | "complexity">;

/** What a `def` statement says, its docstring not yet taken apart. */
export function functionFactsOf(parsed: ParsedModule, definition: Definition): FunctionDeclaration {
  const { node } = definition;
  return {
    name: definition.name,
    qualified_name: definition.qualifiedName,
    description: null,
    docstring: docstringOf(node),
    is_async: node.children[0]?.type === "async",
    is_method: definition.scope.kind === "class",
    is_conditional: isConditional(node),
    decorators: definition.decorators.map((decorator) => decorator.text),
    parameters: parametersOf(parsed, node),
    return_type: sourceBetween(parsed, node, "->", ":"),
    type_parameters: typeParametersOf(parsed, node),
    line_number: parsed.position(node.startIndex).line,
    end_line_number: endLine(parsed, node),
  };
}

/** What a `class` statement says, its docstring not yet taken apart. */
export function classFactsOf(parsed: ParsedModule, definition: Definition): ClassFacts {
  const { node } = definition;
  const bases =
    node.childForFieldName("superclasses")?.namedChildren.filter((child) => !isTrivia(child)) ?? [];
  return {
    name: definition.name,
    qualified_name: definition.qualifiedName,
    bases: bases.map((base) => base.text),
    decorators: definition.decorators.map((decorator) => decorator.text),
    type_parameters: typeParametersOf(parsed, node),
    is_conditional: isConditional(node),
    description: null,
    docstring: docstringOf(node),
    line_number: parsed.position(node.startIndex).line,
    end_line_number: endLine(parsed, node),
  };
}
