import { identifier } from "../structure/statements.js";
import type { SyntaxNode } from "../structure/types.js";
import type { Diagnostics } from "./diagnostics.js";
import type { Interpreter } from "./python/interpreter.js";
import type { Frame, Scope } from "./python/scope.js";
import { PythonError, type Value, libraryClass, unknown } from "./python/values.js";
import { type Encoder, NotKnown, NotSerializable, encodeValue } from "./pydantic/encode.js";
import type { Surroundings } from "./pydantic/generate.js";
import { instanceFields } from "./pydantic/instances.js";
import type { Json } from "./pydantic/json.js";
import type { SignatureParameter } from "./signature.js";

/** A function that is to be described, with everything a runtime would see of it. */
export interface ToolSource {
  readonly name: string;
  /** As `inspect.cleandoc` leaves it. */
  readonly docstring: string | null;
  readonly node: SyntaxNode;
  readonly parameters: readonly SignatureParameter[];
  readonly returns: SyntaxNode | null;
  readonly interpreter: Interpreter;
  readonly module: Scope;
  /** Where the statement stands. */
  readonly frame: Frame;
  /** Whether annotations are kept as strings, by `from __future__ import annotations`. */
  readonly deferred: boolean;
  readonly options: DecoratorOptions;
  readonly diagnostics: Diagnostics;
  readonly keptReferences: Surroundings["keptReferences"];
  readonly needsPython312: boolean;
}

/** Arguments of the decorator that makes the function a tool, where there is one. */
export type DecoratorOptions = ReadonlyMap<string, Value>;

/** What strings of the script's annotations see: everything the module defines. */
export const globalsOf = (source: ToolSource): Frame => ({
  scope: source.module,
  before: Infinity,
});

/** The value of an annotation as Python's `__annotations__` has it; a string for one that is deferred or quoted. */
function rawAnnotation(source: ToolSource, node: SyntaxNode): Value {
  if (source.deferred) return source.interpreter.evaluate(node, globalsOf(source));
  return source.interpreter.evaluate(node, source.frame);
}

/** Whether an annotation is a string when the function is defined. */
export const isStringAnnotation = (source: ToolSource, node: SyntaxNode): boolean =>
  source.deferred || rawAnnotation(source, node).kind === "str";

/** The value of a default; one that raises is unknown, since then the script cannot be imported at all. */
export function defaultValue(source: ToolSource, parameter: SignatureParameter): Value | undefined {
  if (!parameter.default) return undefined;
  try {
    const { result, unset } = source.interpreter.assumptions.during(() =>
      source.interpreter.evaluate(parameter.default!, source.frame),
    );
    for (const variable of unset)
      source.diagnostics.add(
        "environment",
        `the default is what it is without the environment variable \`${variable}\``,
        parameter.name,
      );
    return result;
  } catch (error) {
    if (error instanceof PythonError) return unknown(`evaluating it raises ${error.exception}`);
    throw error;
  }
}

/** Names beyond the builtins that strings see when the MCP SDK, not the script, evaluates them. */
const SDK_NAMES: ReadonlySet<string> = new Set([
  "Any",
  "Annotated",
  "Union",
  "Literal",
  "Sequence",
  "Callable",
  "Awaitable",
  "BaseModel",
]);

/** What generating schemas for one parameter (or what is returned) needs; what cannot be known is said of that parameter. */
export function surroundings(source: ToolSource, parameter: string | null): Surroundings {
  const { interpreter, diagnostics } = source;
  return {
    encode: encoder(source, parameter),
    keptReferences: source.keptReferences,
    needsPython312: source.needsPython312,
    step: () => interpreter.step(),
    note: (reason, effect = "the schema allows anything here") =>
      diagnostics.add("unknown_type", `${reason}, so ${effect}`, parameter),
    evaluateText(text, frame) {
      if (frame) return asType(interpreter.evaluateText(text, frame));
      if (SDK_NAMES.has(text)) return libraryClass("builtins.object");
      const builtin = interpreter.evaluateText(text, {
        scope: interpreter.builtins,
        before: Infinity,
      });
      return asType(builtin);
    },
  };
}

const asType = (value: Value): Value =>
  value.kind === "str" ? { kind: "forward", text: value.value } : value;

/** Encodes what is said of a parameter; what is not known, or cannot be written as JSON, is left out, and the former said. */
export function encoder(source: ToolSource, parameter: string | null): Encoder {
  const encode = valueEncoder(source);
  return (value, what) => {
    try {
      return encode(value, parameter, what);
    } catch (error) {
      if (error instanceof NotSerializable) return undefined;
      throw error;
    }
  };
}

/** Encodes values for JSON Schema; what is not known is left out, and said. @throws NotSerializable */
export function valueEncoder(
  source: ToolSource,
): (value: Value, parameter: string | null, what?: string) => Json | undefined {
  return (value, parameter, what = "default") => {
    try {
      return encodeValue(value, instanceFields);
    } catch (error) {
      if (!(error instanceof NotKnown)) throw error;
      source.diagnostics.add(
        "unknown_default",
        `the ${what} is left out of the schema: ${error.message}`,
        parameter,
      );
      return undefined;
    }
  };
}

/** Says it where a name in an annotation is one that only type checkers see. */
export function noteTypeCheckingNames(
  source: ToolSource,
  annotation: SyntaxNode,
  parameter: string | null,
): void {
  const pending = [annotation];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (node.type === "identifier" && source.module.isForTypeCheckers(identifier(node))) {
      source.diagnostics.add(
        "type_checking_import",
        `\`${node.text}\` is imported only under \`TYPE_CHECKING\`: import it at run time too, or the tool cannot be registered`,
        parameter,
      );
    }
    pending.push(...node.children);
  }
}
