import type { SyntaxNode } from "../../structure/types.js";
import { signatureOf } from "../signature.js";
import { applyLambda } from "./expressions.js";
import { orderedItems } from "./iteration.js";
import { operands } from "./operands.js";
import { binary } from "./operators.js";
import type { Frame } from "./scope.js";
import { truth } from "./truth.js";
import { type FunctionValue, type Value, NONE } from "./values.js";

type Arguments = ReadonlyMap<string, Value>;

/** What running the statements of a function came to. */
export interface Outcome {
  readonly returned: Value;
  /** The attributes that it gave its names: `self._value_ = …`. */
  readonly attributes: ReadonlyMap<string, Value>;
}

/** What calling a function of the script's gives; `undefined` for one of other than a few plain statements. */
export function applyFunction(
  callee: FunctionValue,
  args: readonly Value[],
  kwargs: Arguments,
): Value | undefined {
  const { node, frame } = callee;
  if (!frame) return undefined;
  const { interpreter } = frame.scope;
  return interpreter.follow(() =>
    node.type === "lambda"
      ? applyLambda(node, frame, args, kwargs, (each, where) => interpreter.evaluate(each, where))
      : outcomeOf(node, frame, args, kwargs)?.returned,
  );
}

/** Follows a function from its first statement to what it returns; `undefined` where only running it tells. */
export function outcomeOf(
  node: SyntaxNode,
  frame: Frame,
  args: readonly Value[],
  kwargs: Arguments,
): Outcome | undefined {
  const locals = argumentsOf(node, frame, args, kwargs);
  const body = node.childForFieldName("body");
  if (!locals || !body || node.children[0]?.type === "async") return undefined;
  const attributes = new Map<string, Value>();
  const run = new Run(frame, locals, attributes);
  const end = run.block(body);
  return end === undefined ? undefined : { returned: end ?? NONE, attributes };
}

function argumentsOf(
  node: SyntaxNode,
  frame: Frame,
  args: readonly Value[],
  kwargs: Arguments,
): Map<string, Value> | undefined {
  const locals = new Map(frame.locals);
  const positional = [...args];
  const named = new Map(kwargs);
  for (const parameter of signatureOf(node)) {
    const { name } = parameter;
    if (parameter.kind === "var_positional") {
      locals.set(name, { kind: "tuple", items: positional.splice(0) });
      continue;
    }
    if (parameter.kind === "var_keyword") return undefined;
    const given =
      (parameter.kind === "keyword_only" ? undefined : positional.shift()) ?? named.get(name);
    named.delete(name);
    const value =
      given ??
      (parameter.default ? frame.scope.interpreter.evaluate(parameter.default, frame) : undefined);
    if (!value) return undefined;
    locals.set(name, value);
  }
  return positional.length === 0 && named.size === 0 ? locals : undefined;
}

/** The statements of one call of a function. A block ends with a value, with `null` where it goes on, or is not to be followed. */
class Run {
  constructor(
    private readonly frame: Frame,
    private readonly locals: Map<string, Value>,
    private readonly attributes: Map<string, Value>,
  ) {}

  block(node: SyntaxNode): Value | null | undefined {
    for (const statement of operands(node)) {
      if (this.frame.scope.interpreter.isFollowedTooLong) return undefined;
      const end = this.#statement(statement);
      if (end !== null) return end;
    }
    return null;
  }

  #statement(node: SyntaxNode): Value | null | undefined {
    switch (node.type) {
      case "pass_statement":
        return null;
      case "return_statement": {
        const [value] = operands(node);
        return value ? this.#evaluate(value) : NONE;
      }
      case "expression_statement": {
        const [expression] = operands(node);
        if (expression?.type === "string" || expression?.type === "concatenated_string")
          return null;
        if (expression?.type === "assignment") return this.#assign(expression);
        return expression?.type === "augmented_assignment" ? this.#augment(expression) : undefined;
      }
      case "if_statement":
        return this.#if(node);
      case "for_statement":
        return this.#for(node);
      default:
        return undefined;
    }
  }

  #assign(node: SyntaxNode): null | undefined {
    const target = node.childForFieldName("left");
    const value = node.childForFieldName("right");
    if (!target || !value || value.type === "assignment") return undefined;
    return this.#bind(target, this.#evaluate(value));
  }

  #bind(target: SyntaxNode, value: Value): null | undefined {
    if (target.type === "identifier") {
      this.locals.set(target.text, value);
      return null;
    }
    if (target.type === "attribute") {
      this.attributes.set(target.childForFieldName("attribute")?.text ?? "", value);
      return null;
    }
    if (!/^(pattern_list|tuple_pattern)$/.test(target.type)) return undefined;
    const names = operands(target);
    const items = orderedItems(value);
    if (items?.length !== names.length) return undefined;
    for (const [i, name] of names.entries())
      if (this.#bind(name, items[i]!) === undefined) return undefined;
    return null;
  }

  #augment(node: SyntaxNode): null | undefined {
    const target = node.childForFieldName("left");
    const value = node.childForFieldName("right");
    const before = target?.type === "identifier" ? this.locals.get(target.text) : undefined;
    // A list that is added to changes for all who have it.
    if (!target || !value || !before || before.kind === "list") return undefined;
    const operator = node.childForFieldName("operator")?.text.slice(0, -1) ?? "";
    this.locals.set(target.text, binary(operator, before, this.#evaluate(value)));
    return null;
  }

  #if(node: SyntaxNode): Value | null | undefined {
    const arms = [node, ...node.childrenForFieldName("alternative")];
    for (const arm of arms) {
      const condition = arm.childForFieldName("condition");
      const known = condition ? truth(this.#evaluate(condition)) : true;
      if (known === undefined) return undefined;
      const body = arm.childForFieldName("consequence") ?? arm.childForFieldName("body");
      if (known) return body ? this.block(body) : undefined;
    }
    return null;
  }

  #for(node: SyntaxNode): Value | null | undefined {
    const target = node.childForFieldName("left");
    const over = node.childForFieldName("right");
    const body = node.childForFieldName("body");
    const items = over && orderedItems(this.#evaluate(over));
    if (!target || !body || !items || node.childForFieldName("alternative")) return undefined;
    for (const item of items) {
      if (this.#bind(target, item) === undefined) return undefined;
      const end = this.block(body);
      if (end !== null) return end;
    }
    return null;
  }

  #evaluate(node: SyntaxNode): Value {
    return this.frame.scope.interpreter.evaluate(node, { ...this.frame, locals: this.locals });
  }
}
