import { parseExpression } from "../../structure/parse.js";
import { withoutParentheses } from "../../structure/strings.js";
import type { SyntaxNode } from "../../structure/types.js";
import { type Binding, startOf } from "./bindings.js";
import { apply } from "./calls.js";
import { attributeOf, method } from "./methods.js";
import { ClassDefinition } from "./classes.js";
import { Assumptions, variableAskedFor } from "./environment.js";
import { isKnownModule, moduleMember } from "./library.js";
import { makeClass } from "./made-classes.js";
import { isFormatted, literalValue } from "./literals.js";
import { numberValue } from "./numbers.js";
import { operands, unionOperands } from "./operands.js";
import { comparison, comprehension, dictionary, display, formattedText } from "./expressions.js";
import { binary, unary } from "./operators.js";
import { truth } from "./truth.js";
import { type Frame, Scope } from "./scope.js";
import { followed, slice, subscript } from "./subscripts.js";
import { typeParametersOf, withTypeParameters } from "./type-parameters.js";
import { HEAVIEST, weightOf } from "./weight.js";
import {
  type Call,
  ELLIPSIS,
  NONE,
  PythonError,
  TooMuchWork,
  type Value,
  bool,
  str,
  unknown,
} from "./values.js";

/** Expressions and parts of schemas looked at for all of a module's tools, after which the rest are too much work. */
const MOST_STEPS = 500_000;
/** What looking through large values is counted as. */
const PARTS_A_STEP = 64;
/** Steps of one call of a function of the script's, with all that it calls. */
const MOST_FOLLOWED = 5_000;
/** Nesting of expressions and definitions that is followed. */
const DEEPEST = 300;

/** Evaluates expressions of one module as far as that can be done without running it. */
export class Interpreter {
  /** A module that defines nothing, so sees only the builtins. */
  readonly builtins = new Scope(this, "module", "", null, []);
  readonly assumptions = new Assumptions();
  readonly #forward = new Map<string, SyntaxNode | null>();
  readonly #again = (node: SyntaxNode, frame: Frame): Value => this.evaluate(node, frame);
  #steps = 0;
  #followedFrom: number | null = null;
  #depth = 0;

  /** @param instanceAttribute - what an attribute of an instance of a class of the script's is, where that can be told */
  constructor(
    private readonly instanceAttribute: (
      instance: Call,
      cls: ClassDefinition,
      name: string,
    ) => Value | undefined,
  ) {}

  /**
   * @throws PythonError where evaluating raises in Python
   * @throws TooMuchWork when the module's expressions are without end
   */
  evaluate(node: SyntaxNode, frame: Frame): Value {
    this.step();
    if (this.#depth >= DEEPEST) return unknown("an expression nested too deep");
    this.#depth++;
    try {
      const value = this.#evaluate(node, frame);
      const weight = weightOf(value);
      this.#steps += Math.floor(weight / PARTS_A_STEP);
      return weight > HEAVIEST
        ? unknown(`\`${shortened(node.text)}\` is too large to look through`)
        : value;
    } finally {
      this.#depth--;
    }
  }

  /** Counts work done. @throws TooMuchWork when it is more than a module's tools are worth */
  step(): void {
    if (++this.#steps > MOST_STEPS)
      throw new TooMuchWork("the tools of this module are too much work");
  }

  /** Follows a function of the script's, unless what it is part of has gone on for too long. */
  follow<T>(work: () => T | undefined): T | undefined {
    const outer = this.#followedFrom;
    if (this.isFollowedTooLong) return undefined;
    this.#followedFrom ??= this.#steps;
    try {
      return work();
    } finally {
      this.#followedFrom = outer;
    }
  }

  get isFollowedTooLong(): boolean {
    return this.#followedFrom !== null && this.#steps - this.#followedFrom > MOST_FOLLOWED;
  }

  /** Starts counting anew. */
  resetSteps(): void {
    this.#steps = 0;
  }

  /** Evaluates a string that stands for an expression. */
  evaluateText(text: string, frame: Frame): Value {
    let node = this.#forward.get(text);
    if (node === undefined) this.#forward.set(text, (node = parseExpression(text)));
    if (!node)
      throw new PythonError(
        "SyntaxError",
        `Forward reference must be an expression -- got ${JSON.stringify(text)}`,
      );
    return this.evaluate(node, frame);
  }

  /** The value a binding gives its name. Errors in it are not the reader's: they end as {@link unknown}. */
  bound(binding: Binding, scope: Scope): Value {
    const { source } = binding;
    const frame: Frame = { scope, before: startOf(binding) };
    switch (source.kind) {
      case "import":
        return this.#imported(source.module, source.attribute);
      case "class": {
        const parameters = source.node.childForFieldName("type_parameters");
        const outer = withTypeParameters(this, parameters, scope);
        const around = { ...frame, scope: outer };
        return new ClassDefinition(this, outer, source.node, source.decorators, around);
      }
      case "function": {
        const value: Value = {
          kind: "function",
          name: binding.name,
          node: source.node,
          frame: { scope, before: Infinity },
        };
        return source.decorators.length === 0
          ? value
          : unknown(`\`${binding.name}\` is what a decorator makes of it`);
      }
      case "opaque":
        return unknown(`\`${binding.name}\` is ${source.reason}`);
      case "type-alias":
        return this.#typeAlias(binding.name, source.node, scope);
      case "assignment":
      case "augmented":
        try {
          if (source.kind === "augmented") {
            const before =
              scope.lookup(binding.name, frame.before) ??
              unknown(`\`${binding.name}\` has no value yet`);
            return binary(source.operator, before, this.evaluate(source.value, frame));
          }
          return source.path.reduce(followed, this.evaluate(source.value, frame));
        } catch (error) {
          if (error instanceof PythonError)
            return unknown(`\`${binding.name}\` raises ${error.exception}`);
          throw error;
        }
    }
  }

  #imported(module: string, attribute: string | null): Value {
    if (module.startsWith(".")) return unknown(`\`${module}\` is another file`);
    if (attribute === null) return { kind: "module", name: module };
    return moduleMember(module, attribute) ?? unknown(`\`${module}\` has no \`${attribute}\``);
  }

  #typeAlias(name: string, node: SyntaxNode, scope: Scope): Value {
    const right = node.childForFieldName("right");
    const left = node.childForFieldName("left")?.namedChildren[0];
    if (!right) return unknown(`\`${name}\` is an incomplete alias`);
    const parameters = left?.type === "generic_type" ? operands(left)[1] : null;
    const inner = withTypeParameters(this, parameters, scope);
    return {
      kind: "type-alias",
      name,
      parameters: typeParametersOf(inner) ?? [],
      value: () => this.evaluate(right, { scope: inner, before: Infinity }),
    };
  }

  #evaluate(outer: SyntaxNode, frame: Frame): Value {
    const node = withoutParentheses(outer);
    const again = (child: SyntaxNode | null | undefined): Value =>
      child ? this.evaluate(child, frame) : unknown("an incomplete expression");
    const field = (name: string): Value => again(node.childForFieldName(name));
    switch (node.type) {
      case "type":
      case "expression_statement":
        return again(operands(node)[0]);
      case "identifier":
        return this.name(node.text, frame);
      case "none":
        return NONE;
      case "true":
      case "false":
        return bool(node.type === "true");
      case "ellipsis":
        return ELLIPSIS;
      case "integer":
      case "float":
        return numberValue(node.text);
      case "string":
      case "concatenated_string":
        return isFormatted(node) ? formattedText(node, frame, this.#again) : literalValue(node);
      case "attribute":
        return this.attribute(field("object"), node.childForFieldName("attribute")?.text ?? "");
      case "member_type": {
        const [object, name] = operands(node);
        return this.attribute(again(object), name?.text ?? "");
      }
      case "subscript":
        return this.#subscript(field("value"), node, node.childrenForFieldName("subscript"), frame);
      case "generic_type": {
        const [origin, parameters] = operands(node);
        return this.#subscript(again(origin), parameters!, operands(parameters!), frame);
      }
      case "union_type":
        return unionOperands(node)
          .map(again)
          .reduce((left, right) => binary("|", left, right));
      case "binary_operator":
        return this.#binary(node, frame);
      case "unary_operator":
        return unary(node.childForFieldName("operator")?.text ?? "", field("argument"));
      case "not_operator": {
        const known = truth(field("argument"));
        return known === undefined ? unknown("a condition") : bool(!known);
      }
      case "boolean_operator": {
        const left = field("left");
        const known = truth(left);
        if (known === undefined) return unknown("a condition");
        return known === (node.childForFieldName("operator")?.text === "or")
          ? left
          : field("right");
      }
      case "comparison_operator":
        return comparison(node, frame, this.#again);
      case "conditional_expression": {
        const [yes, condition, no] = operands(node);
        const known = truth(again(condition));
        return known === undefined ? unknown("a condition") : again(known ? yes : no);
      }
      case "tuple":
      case "expression_list":
      case "list":
      case "set":
        return display(node, frame, this.#again);
      case "dictionary":
        return dictionary(node, frame, this.#again);
      case "lambda":
        return { kind: "function", name: "<lambda>", node, frame };
      case "list_comprehension":
      case "set_comprehension":
      case "dictionary_comprehension":
      case "generator_expression":
        return comprehension(node, frame, this.#again);
      case "named_expression":
        return field("value");
      case "call":
        return this.#call(node, frame);
      default:
        return unknown(`\`${shortened(node.text)}\` is known only at run time`);
    }
  }

  /** @throws PythonError when the name is bound nowhere */
  name(name: string, frame: Frame): Value {
    const value = frame.locals?.get(name) ?? frame.scope.lookup(name, frame.before);
    if (value) return value;
    if (frame.scope.module.block.stars.some((module) => !isKnownModule(module))) {
      return unknown(`\`${name}\` may come from a star import`);
    }
    if (/^__\w+__$/.test(name)) return unknown(`\`${name}\` is known only at run time`);
    throw new PythonError("NameError", `name '${name}' is not defined`);
  }

  attribute(object: Value, name: string): Value {
    switch (object.kind) {
      case "module": {
        const member = moduleMember(object.name, name);
        if (member) return member;
        throw new PythonError(
          "AttributeError",
          `module '${object.name}' has no attribute '${name}'`,
        );
      }
      case "member":
        if (name === "value") return object.value;
        if (name === "name") return str(object.name);
        return unknown(`an attribute of \`${object.class.name}.${object.name}\``);
      case "class":
        if (name === "__name__") return str(object.name);
        return (
          object.attribute(name) ?? unknown(`\`${object.name}.${name}\` is known only at run time`)
        );
      case "call":
        return (
          (object.callee.kind === "class"
            ? this.instanceAttribute(object, object.callee, name)
            : undefined) ?? attributeOf(object, name)
        );
      default:
        return attributeOf(object, name);
    }
  }

  /** A chain of operators is a tree as deep as it is long, so its left spine is walked without recursion. */
  #binary(node: SyntaxNode, frame: Frame): Value {
    const spine: SyntaxNode[] = [];
    let inner: SyntaxNode | null = node;
    while (inner?.type === "binary_operator") {
      spine.push(inner);
      inner = inner.childForFieldName("left");
    }
    let value = inner ? this.evaluate(inner, frame) : unknown("an incomplete expression");
    for (const operation of spine.reverse()) {
      const right = operation.childForFieldName("right");
      const operator = operation.childForFieldName("operator")?.text ?? "";
      value = binary(
        operator,
        value,
        right ? this.evaluate(right, frame) : unknown("an incomplete expression"),
      );
    }
    return value;
  }

  #subscript(origin: Value, node: SyntaxNode, parts: readonly SyntaxNode[], frame: Frame): Value {
    const items: Value[] = [];
    if (parts.length === 1 && parts[0]!.type === "slice")
      return this.#slice(origin, parts[0]!, frame);
    for (const part of parts) {
      if (part.type === "list_splat" || part.type === "splat_type")
        return unknown("an unpacked type argument");
      const value = this.evaluate(part, frame);
      if (
        parts.length === 1 &&
        value.kind === "tuple" &&
        !node.children.some((child) => child.type === ",")
      )
        items.push(...value.items);
      else items.push(value);
    }
    const single =
      parts.length === 1 &&
      !node.children.some((child) => child.type === ",") &&
      items.length === 1;
    return subscript(origin, items, single);
  }

  #slice(value: Value, node: SyntaxNode, frame: Frame): Value {
    const bounds: (Value | null)[] = [null];
    for (const child of node.children) {
      if (child.type === ":") bounds.push(null);
      else if (child.isNamed && child.type !== "comment")
        bounds[bounds.length - 1] = this.evaluate(child, frame);
    }
    return slice(value, bounds);
  }

  #call(node: SyntaxNode, frame: Frame): Value {
    const callee = node.childForFieldName("function");
    const given = node.childForFieldName("arguments");
    if (!callee || !given) return unknown("an incomplete expression");
    const args: Value[] = [];
    const kwargs = new Map<string, Value>();
    if (given.type === "generator_expression") args.push(this.evaluate(given, frame));
    else
      for (const item of operands(given)) {
        if (item.type === "keyword_argument") {
          const value = item.childForFieldName("value");
          if (value)
            kwargs.set(item.childForFieldName("name")?.text ?? "", this.evaluate(value, frame));
        } else if (item.type === "list_splat" || item.type === "dictionary_splat") {
          const inner = this.evaluate(operands(item)[0]!, frame);
          if (inner.kind === "tuple" || inner.kind === "list") args.push(...inner.items);
          else if (inner.kind === "dict" && inner.entries.every(([key]) => key.kind === "str")) {
            for (const [key, value] of inner.entries)
              if (key.kind === "str") kwargs.set(key.value, value);
          } else return unknown("unpacked arguments");
        } else args.push(this.evaluate(item, frame));
      }
    if (callee.type === "attribute") {
      const object = this.evaluate(callee.childForFieldName("object")!, frame);
      const name = callee.childForFieldName("attribute")?.text ?? "";
      if (object.kind === "module" || object.kind === "class")
        return this.#apply(this.attribute(object, name), args, kwargs, callee, frame);
      const variable = variableAskedFor(object, name, args[0]);
      if (variable !== null) return this.#unset(variable, args[1] ?? kwargs.get("default"));
      return method(object, name, args, kwargs);
    }
    return this.#apply(this.evaluate(callee, frame), args, kwargs, callee, frame);
  }

  #unset(variable: string, fallback: Value | undefined): Value {
    this.assumptions.addUnset([variable]);
    return fallback ?? NONE;
  }

  #apply(
    callee: Value,
    args: readonly Value[],
    kwargs: ReadonlyMap<string, Value>,
    node: SyntaxNode,
    frame: Frame,
  ): Value {
    const variable = variableAskedFor(callee, "", args[0] ?? kwargs.get("key"));
    if (variable !== null) return this.#unset(variable, args[1] ?? kwargs.get("default"));
    return (
      makeClass(this, frame, callee, args, kwargs) ??
      apply(callee, args, kwargs) ??
      unknown(`what \`${shortened(node.text)}(…)\` gives is known only at run time`)
    );
  }
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
