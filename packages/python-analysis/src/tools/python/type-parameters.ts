import type { SyntaxNode } from "../../structure/types.js";
import type { Interpreter } from "./interpreter.js";
import { operands } from "./operands.js";
import { Scope } from "./scope.js";
import { type Call, type Value, PythonError, str } from "./values.js";

/** Where the type parameters of a class, a function or an alias are seen (PEP 695): around its body. */
class ParameterScope extends Scope {
  readonly variables = new Map<string, Call>();

  override own(name: string): Value | undefined {
    return this.variables.get(name);
  }
}

/**
 * The scope around what has type parameters; the scope that it stands in where there are none.
 *
 * @param list - a `type_parameter`
 */
export function withTypeParameters(
  interpreter: Interpreter,
  list: SyntaxNode | null | undefined,
  outer: Scope,
): Scope {
  if (!list) return outer;
  const scope = new ParameterScope(interpreter, "function", outer.path, outer, []);
  for (const parameter of operands(list)) {
    const inner = operands(parameter)[0];
    const [named, bound] = inner?.type === "constrained_type" ? operands(inner) : [inner];
    const name = named && (named.type === "type" ? operands(named)[0] : named);
    if (name?.type !== "identifier") continue;
    const limit = bound && evaluated(interpreter, bound, scope);
    scope.variables.set(name.text, {
      kind: "call",
      callee: { kind: "library-function", id: "typing.TypeVar" },
      args: [str(name.text), ...(limit?.kind === "tuple" ? limit.items : [])],
      kwargs: new Map(limit && limit.kind !== "tuple" ? [["bound", limit]] : []),
    });
  }
  return scope;
}

/** The type parameters that a scope is there for, in order; `null` for any other scope. */
export const typeParametersOf = (scope: Scope): readonly Call[] | null =>
  scope instanceof ParameterScope ? [...scope.variables.values()] : null;

function evaluated(interpreter: Interpreter, bound: SyntaxNode, scope: Scope): Value | undefined {
  try {
    return interpreter.evaluate(bound, { scope, before: Infinity });
  } catch (error) {
    if (error instanceof PythonError) return undefined;
    throw error;
  }
}
