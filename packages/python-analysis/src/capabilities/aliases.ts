import type { SyntaxNode } from "../structure/types.js";
import type { Evaluation } from "./evaluate.js";
import type { Names, Variable } from "./names.js";

/** The call that a node is the callee of, perhaps in parentheses. */
export function callOf(node: SyntaxNode): SyntaxNode | null {
  let callee = node;
  while (callee.parent?.type === "parenthesized_expression") callee = callee.parent;
  return callee.field === "function" && callee.parent?.type === "call" ? callee.parent : null;
}

export function isCallee(node: SyntaxNode): boolean {
  return callOf(node) !== null;
}

/** The calls of one name are not all looked at where there are more. */
const MOST_CALLS = 100;

/** Tells which expressions are only bound to names that are only called: `read` in `read = open`, `read(path)`. */
export class Aliases {
  /** Expression → the names that it is bound to. */
  readonly #bound = new Map<SyntaxNode, Variable[]>();
  /** Names → where they are called. */
  readonly #called = new Map<Variable, SyntaxNode[]>();
  /** Names that are read otherwise than to be called. */
  readonly #handedOn = new Set<Variable>();

  readonly #names: Names;
  readonly #evaluation: Evaluation;
  #isRead = false;

  constructor(names: Names, evaluation: Evaluation) {
    this.#names = names;
    this.#evaluation = evaluation;
  }

  /** Most scripts have nothing that is asked about. */
  #read(): void {
    if (this.#isRead) return;
    this.#isRead = true;
    const { bindings, references } = this.#names;
    for (const { variable, origin } of bindings) {
      if (origin.kind !== "expression" || origin.depth > 0 || origin.attribute !== null) continue;
      const variables = this.#bound.get(origin.node);
      if (variables) variables.push(variable);
      else this.#bound.set(origin.node, [variable]);
    }
    for (const [node, { variables }] of references) {
      for (const variable of variables) {
        const calls = this.#called.get(variable);
        if (!isCallee(node)) this.#handedOn.add(variable);
        else if (calls) calls.push(node);
        else this.#called.set(variable, [node]);
      }
    }
  }

  /** Whether the arguments of calls in the script tell all that is done with `path`, which `node` stands for. */
  isOnlyCalled(node: SyntaxNode, path: string): boolean {
    this.#read();
    const variables = this.#bound.get(node);
    return (
      variables !== undefined &&
      isPlainlyBound(node) &&
      variables.every((variable) => {
        const calls = this.#called.get(variable) ?? [];
        return (
          calls.length > 0 &&
          calls.length <= MOST_CALLS &&
          !this.#handedOn.has(variable) &&
          calls.every((callee) => this.#mayBe(callee, path))
        );
      })
    );
  }

  #mayBe(node: SyntaxNode, path: string): boolean {
    return this.#evaluation
      .values(node)
      .some((value) => value.kind === "path" && value.path === path);
  }
}

/** Whether what binds a value does nothing else with it, as a list or a conditional expression would. */
function isPlainlyBound(node: SyntaxNode): boolean {
  const { parent } = node;
  switch (parent?.type) {
    case "assignment": {
      const left = parent.childForFieldName("left");
      return node.field === "right" && left?.type === "identifier";
    }
    case "default_parameter":
    case "typed_default_parameter":
      return node.field === "value";
    default:
      return false;
  }
}
