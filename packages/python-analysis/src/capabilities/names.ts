import { isTrivia } from "../structure/statements.js";
import type { SyntaxNode } from "../structure/types.js";

/** A name in one scope; or the names of all attributes that are called alike; or what a function returns. */
export interface Variable {
  readonly name: string;
  readonly bindings: Binding[];
  /** Offset from which the name is bound on every path; before it, an outer name of the same spelling may be meant. */
  boundFrom: number;
  /** Further parts of the text in which it is bound for certain, such as the body of the loop that binds it. */
  readonly boundIn: { readonly from: number; readonly to: number }[];
  /** Whether the name is deleted somewhere, so that an outer one shows again. */
  deleted: boolean;
}

/** How a value comes to a name. */
export type Origin =
  | { readonly kind: "import"; readonly module: string; readonly member: string | null }
  | { readonly kind: "definition"; readonly node: SyntaxNode }
  /** The value of `node`, or an element of it `depth` levels down, or an attribute of it. */
  | {
      readonly kind: "expression";
      readonly node: SyntaxNode;
      readonly depth: number;
      readonly attribute: string | null;
    }
  /** As of an expression, of what a variable holds. */
  | {
      readonly kind: "variable";
      readonly from: Variable;
      readonly depth: number;
      readonly attribute: string | null;
    }
  /** Something of the type that an annotation names. */
  | { readonly kind: "annotation"; readonly node: SyntaxNode }
  | { readonly kind: "unknown" };

export interface Binding {
  readonly variable: Variable;
  readonly origin: Origin;
  /** The statement or expression that binds. */
  readonly place: SyntaxNode;
}

/** The names by which a function takes its arguments. */
export interface Parameters {
  readonly positional: readonly Variable[];
  readonly named: ReadonlyMap<string, Variable>;
  readonly rest: Variable | null;
  readonly keywords: Variable | null;
  /** What is given by `*` and `**`, and so to any of them. */
  readonly spread: Variable;
  /** All of these. */
  readonly all: readonly Variable[];
  readonly isMethod: boolean;
}

/** What an identifier that is read may mean. */
export interface Reference {
  readonly name: string;
  readonly variables: readonly Variable[];
  /** Whether it may be one of Python's own names, as nothing in the script hides it for certain. */
  readonly maybeBuiltin: boolean;
}

export interface Names {
  readonly references: ReadonlyMap<SyntaxNode, Reference>;
  readonly bindings: readonly Binding[];
  readonly parameters: ReadonlyMap<SyntaxNode, Parameters>;
  readonly returns: ReadonlyMap<SyntaxNode, Variable>;
  /** Attributes that the script assigns, and names of its classes, by name. */
  readonly attributes: ReadonlyMap<string, Variable>;
  readonly functionsByName: ReadonlyMap<string, readonly SyntaxNode[]>;
  /** By class, its own methods that get the arguments of calling it or its instances. */
  readonly initialisers: ReadonlyMap<SyntaxNode, readonly SyntaxNode[]>;
  /** Attributes and subscripts that are assigned or deleted. */
  readonly stores: ReadonlySet<SyntaxNode>;
  /** Modules of `from … import *`. */
  readonly stars: ReadonlySet<string>;
  /** Every module named by an import statement, with its parents, but for those nested too deep to be followed. */
  readonly modules: ReadonlySet<string>;
  readonly moduleNames: ReadonlyMap<string, Variable>;
  /** Places that tree-sitter could not read. */
  readonly unread: readonly SyntaxNode[];
}

/** The children that mean something: no punctuation, no comments. */
export function operands(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (const child of node.children) if (isOperand(child)) found.push(child);
  return found;
}

export function isOperand(child: SyntaxNode): boolean {
  return child.isNamed && !isTrivia(child);
}

/** The first of a node's {@link operands}, without a list of those that may be very many. */
export function firstOperand(node: SyntaxNode): SyntaxNode | undefined {
  return node.children.find(isOperand);
}
