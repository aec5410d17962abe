import { identifier } from "../../structure/statements.js";
import type { SyntaxNode } from "../../structure/types.js";
import { argumentsOf } from "../arguments.js";
import { firstOperand, operands } from "../names.js";
import { callObjectMethod } from "./collections.js";
import { attributeOf } from "./attributes.js";
import { Frame } from "./frame.js";
import { callFunction } from "./functions.js";
import type { Interpreter } from "./interpreter.js";
import { lift } from "./lift.js";
import { DEEPEST_CALL } from "./limits.js";
import { callTextMethod } from "./methods.js";
import { binary, subscript } from "./operators.js";
import {
  type Arguments,
  type Constant,
  either,
  isHidden,
  iterate,
  path,
  text,
  tuple,
  UNKNOWN,
  UNKNOWN_HIDDEN,
  type Unknown,
  type Value,
} from "./value.js";

const IMPORTERS = new Set([
  "builtins.__import__",
  "importlib.import_module",
  "importlib.__import__",
]);
/** Methods by which operators are called under their other names. */
const OPERATORS: Readonly<Record<string, string>> = {
  __add__: "+",
  __mul__: "*",
  __rmul__: "*",
  __mod__: "%",
  __xor__: "^",
  __sub__: "-",
  __or__: "|",
  __and__: "&",
};
/** Types whose methods may be called through the type. */
const METHOD = /^builtins\.(?:str|bytes|bytearray|list|tuple|dict|set|int)\.(\w+)$/;

export function evaluateCall(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const callee = run.evaluate(node.childForFieldName("function"), frame);
  const positional: Value[] = [];
  const named = new Map<string, Value>();
  let isKnown = true;
  for (const { keyword, value: argument, spread } of argumentsOf(node)) {
    const value = run.evaluate(argument, frame);
    if (!spread) {
      if (keyword === null) positional.push(value);
      else named.set(keyword, value);
    } else if (argument.parent?.type === "dictionary_splat") {
      if (value.type !== "dict" || value.spoiled) isKnown = false;
      else
        for (const [key, item] of value.entries.values())
          if (key.type === "str") named.set(key.text, item);
    } else {
      const items = iterate(value);
      if (items && run.budget.step(items.length)) for (const item of items) positional.push(item);
      else {
        run.escape({ positional: [value], named: new Map() });
        isKnown = false;
      }
    }
  }
  const given = { positional, named };
  if (isKnown) return applyTo(run, callee, given, node, frame);
  run.escape(given);
  return UNKNOWN;
}

/** What calling something gives. `node` and `frame` are those of the call, where it is written as one. */
export function applyTo(
  run: Interpreter,
  callee: Value,
  given: Arguments,
  node: SyntaxNode | null,
  frame: Frame | null,
): Value {
  if (!hasChoice(callee, given))
    return applyOne(run, callee as Constant | Unknown, given, node, frame);
  const names = [...given.named.keys()];
  return lift([callee, ...given.positional, ...given.named.values()], ([one, ...rest]) => {
    const positional = rest.slice(0, given.positional.length);
    const named = new Map(names.map((name, i) => [name, rest[given.positional.length + i]!]));
    return applyOne(run, one!, { positional, named }, node, frame);
  });
}

function hasChoice(callee: Value, { positional, named }: Arguments): boolean {
  if (callee.type === "choice") return true;
  for (const value of positional) if (value.type === "choice") return true;
  for (const value of named.values()) if (value.type === "choice") return true;
  return false;
}

function applyOne(
  run: Interpreter,
  callee: Constant | Unknown,
  given: Arguments,
  node: SyntaxNode | null,
  frame: Frame | null,
): Value {
  switch (callee.type) {
    case "path":
      return applyPath(run, callee.path, given, node, frame);
    case "method":
      return applyMethod(run, callee.self, callee.name, given);
    case "function":
      return applyFunction(run, callee.node, callee.frame, given);
    case "partial":
      return applyPartial(run, callee.callee, callee.given, given);
    default:
      run.escape(given);
      return UNKNOWN;
  }
}

function applyPartial(run: Interpreter, callee: Value, before: Arguments, given: Arguments): Value {
  const [object] = given.positional;
  if (callee.type === "path" && object) {
    const [first, ...rest] = before.positional;
    if (callee.path === "operator.itemgetter" && first && rest.length === 0)
      return subscript(object, first, run.budget);
    if (callee.path === "operator.methodcaller" && first?.type === "str")
      return applyTo(
        run,
        attributeOf(run, object, first.text),
        { positional: rest, named: before.named },
        null,
        null,
      );
  }
  return applyTo(
    run,
    callee,
    {
      positional: [...before.positional, ...given.positional],
      named: new Map([...before.named, ...given.named]),
    },
    null,
    null,
  );
}

function applyPath(
  run: Interpreter,
  callee: string,
  given: Arguments,
  node: SyntaxNode | null,
  frame: Frame | null,
): Value {
  if (run.replaced.size > 0 && run.replaced.has(callee)) return UNKNOWN;
  const [first, second, third] = given.positional;
  if (IMPORTERS.has(callee)) {
    const name = first ?? given.named.get("name");
    if (name?.type !== "str" || /[^\w.]/.test(name.text)) return UNKNOWN;
    return path(callee.endsWith("__import__") ? name.text.split(".", 1)[0]! : name.text);
  }
  switch (callee) {
    case "builtins.getattr":
      if (!first || second?.type !== "str") break;
      return third
        ? either(attributeOf(run, first, second.text), third)
        : attributeOf(run, first, second.text);
    case "builtins.type":
      return first && given.positional.length === 1
        ? attributeOf(run, first, "__class__")
        : UNKNOWN;
    case "operator.itemgetter":
    case "operator.methodcaller":
      return { type: "partial", callee: path(callee), given };
    case "builtins.eval":
    case "builtins.exec":
    case "ast.literal_eval":
      return runCode(run, callee, first, node, frame);
    case "textwrap.dedent":
    case "inspect.cleandoc":
      return first?.type === "str"
        ? dedented(first.text, callee === "inspect.cleandoc", isHidden(first))
        : UNKNOWN;
  }
  const method = callee.startsWith("builtins.") ? METHOD.exec(callee)?.[1] : undefined;
  if (
    method &&
    first &&
    first.type !== "unknown" &&
    first.type !== "choice" &&
    first.type !== "path" &&
    !/^(?:from|maketrans)/.test(method)
  ) {
    return applyMethod(run, first, method, {
      positional: given.positional.slice(1),
      named: given.named,
    });
  }
  const result = callFunction(callee, given, run);
  if (result === undefined) {
    // Python's own functions do not change what they are given.
    if (!callee.startsWith("builtins.")) run.escape(given);
    return UNKNOWN;
  }
  const isUnknown = result.type === "unknown" && given.positional.some(isHidden);
  return isUnknown ? UNKNOWN_HIDDEN : result;
}

/** Runs the code in a constant text where it stands. */
function runCode(
  run: Interpreter,
  callee: string,
  code: Value | undefined,
  node: SyntaxNode | null,
  frame: Frame | null,
): Value {
  const nested = node && frame ? run.surroundings.codeRunBy(node) : [];
  let result: Value | undefined;
  for (const { root } of nested) {
    const statements = operands(root);
    if (callee === "builtins.exec") {
      run.perhaps([() => void run.run(statements, frame!)], nested.length > 1);
      continue;
    }
    const expression = statements.length === 1 ? firstOperand(statements[0]!) : undefined;
    const value = expression ? run.evaluate(expression, frame!) : UNKNOWN;
    result = result ? either(result, value) : value;
  }
  if (nested.length === 0 && callee !== "ast.literal_eval") run.ranUnknownCode = true;
  return result ?? (code && isHidden(code) ? UNKNOWN_HIDDEN : UNKNOWN);
}

function applyMethod(run: Interpreter, self: Constant, name: string, given: Arguments): Value {
  const [first] = given.positional;
  if (Object.hasOwn(OPERATORS, name) && first) {
    return lift([self, first], ([a, b]) => binary(OPERATORS[name]!, a!, b!, run.budget));
  }
  if (name === "__getitem__" && first) return subscript(self, first, run.budget);
  if (
    (self.type === "str" || self.type === "bytes") &&
    !(self.type === "bytes" && self.isArray && CHANGES_BYTES.has(name))
  ) {
    return callTextMethod(self, name, given, run.budget);
  }
  return callObjectMethod(run, self, name, given);
}

const CHANGES_BYTES = new Set([
  "append",
  "extend",
  "reverse",
  "insert",
  "pop",
  "remove",
  "clear",
  "__setitem__",
]);

/** Calls a function of the script itself, where something of its arguments is known, or it has none. */
function applyFunction(run: Interpreter, node: SyntaxNode, outer: Frame, given: Arguments): Value {
  const values = [...given.positional, ...given.named.values()];
  const isWorthIt = values.length === 0 || values.some(({ type }) => type !== "unknown");
  const isGenerator = node.type !== "lambda" && hasYield(node);
  const length = values.reduce(
    (sum, value) =>
      sum + ("text" in value ? value.text.length : "items" in value ? value.items.length : 0),
    0,
  );
  if (
    !isWorthIt ||
    isGenerator ||
    isAsync(node) ||
    isDecorated(node) ||
    run.activations.length >= DEEPEST_CALL ||
    !run.mayCall(length)
  ) {
    run.escape(given);
    return values.some(isHidden) ? UNKNOWN_HIDDEN : UNKNOWN;
  }
  const frame = new Frame("function", outer, node);
  if (!bindParameters(run, node, frame, given)) return UNKNOWN;
  const body = node.childForFieldName("body")!;
  if (node.type === "lambda") return run.within(() => run.evaluate(body, frame));
  const returned: Value[] = [];
  run.within(() => {
    run.activations.push({ returned });
    const before = run.maybe;
    try {
      if (run.run(operands(body), frame) === "normal") returned.push({ type: "none" });
    } finally {
      run.activations.pop();
      run.maybe = before;
    }
  });
  return returned.length === 0 ? UNKNOWN : returned.reduce(either);
}

function isAsync(node: SyntaxNode): boolean {
  return node.children[0]?.type === "async";
}

function isDecorated(node: SyntaxNode): boolean {
  return node.parent?.type === "decorated_definition";
}

const yields = new WeakMap<SyntaxNode, boolean>();

function hasYield(node: SyntaxNode): boolean {
  const known = yields.get(node);
  if (known !== undefined) return known;
  const pending = [node];
  let found = false;
  for (let next = pending.pop(); next && !found; next = pending.pop()) {
    found = next.type === "yield";
    for (const child of next.children)
      if (child.isNamed && child.type !== "function_definition" && child.type !== "lambda")
        pending.push(child);
  }
  yields.set(node, found);
  return found;
}

/** Binds arguments to parameters; `false` where they do not fit. */
function bindParameters(
  run: Interpreter,
  node: SyntaxNode,
  frame: Frame,
  { positional, named }: Arguments,
): boolean {
  const left = new Map(named);
  let at = 0;
  let keywordOnly = false;
  for (const parameter of operands(
    node.childForFieldName("parameters") ?? (NO_PARAMETERS as SyntaxNode),
  )) {
    if (parameter.type === "keyword_separator") keywordOnly = true;
    const target =
      parameter.childForFieldName("name") ??
      (parameter.type === "identifier" ? parameter : firstOperand(parameter));
    const plain = target?.type.endsWith("splat_pattern") ? firstOperand(target) : target;
    const splat = (parameter.type.endsWith("splat_pattern") ? parameter : target)?.type;
    if (plain?.type !== "identifier") continue;
    const name = identifier(plain);
    if (splat === "list_splat_pattern") {
      run.bind(frame, name, tuple(positional.slice(at)));
      at = positional.length;
      keywordOnly = true;
    } else if (splat === "dictionary_splat_pattern") {
      const entries = new Map(
        Array.from(left, ([key, value]) => [`s${key}`, [text(key), value] as const]),
      );
      run.bind(frame, name, { type: "dict", entries, spoiled: false });
      left.clear();
    } else {
      const fallback = parameter.childForFieldName("value");
      let value = keywordOnly ? undefined : positional[at];
      if (value) at++;
      else {
        value = left.get(name);
        left.delete(name);
      }
      // Defaults are those of the definition; what can change among them may have been changed.
      if (!value && !fallback) return false;
      run.bind(frame, name, value ?? defaultOf(run, fallback!, frame));
    }
  }
  return at >= positional.length && left.size === 0;
}

const NO_PARAMETERS = { children: [] as readonly SyntaxNode[] };

function defaultOf(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const isLiteral = /^(?:string|integer|true|false|none|unary_operator|concatenated_string)$/.test(
    node.type,
  );
  return isLiteral ? run.evaluate(node, frame.parent!) : UNKNOWN;
}

/** `textwrap.dedent` and `inspect.cleandoc`, of text that is indented by blanks only. */
function dedented(source: string, cleans: boolean, hidden: boolean): Value {
  if (source.includes("\t")) return UNKNOWN;
  const lines = source.split("\n").map((line) => (/^ *$/.test(line) ? "" : line));
  const counted = cleans ? lines.slice(1) : lines;
  const indents = counted.filter((line) => line !== "").map((line) => line.search(/[^ ]/));
  const indent = indents.length > 0 ? Math.min(...indents) : 0;
  const result = lines.map((line, i) =>
    cleans && i === 0 ? line.trimStart() : line.slice(indent),
  );
  if (!cleans) return text(result.join("\n"), hidden);
  return text(result.join("\n").replace(/^\n+|\n+$/g, ""), hidden);
}
