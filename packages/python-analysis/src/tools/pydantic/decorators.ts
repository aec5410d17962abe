import { docstringOf } from "../../structure/definitions.js";
import type { SyntaxNode } from "../../structure/types.js";
import type { ClassDefinition } from "../python/classes.js";
import { replaceTypes } from "../python/subscripts.js";
import { type Call, type Value, PythonError, form, libraryClass } from "../python/values.js";
import type { FieldSchema } from "./core.js";
import { fieldMetadata } from "./fields.js";
import type { CoreGenerator } from "./generate.js";
import { mergeMetadata } from "./core.js";

/** A method that one of pydantic's decorators marks. */
export interface Hook {
  readonly method: SyntaxNode;
  readonly owner: ClassDefinition;
  readonly id: string;
  readonly args: readonly Value[];
  readonly kwargs: ReadonlyMap<string, Value>;
}

const hooksOfClasses = new WeakMap<ClassDefinition, readonly Hook[]>();

/** The methods of a class that pydantic's decorators mark, its ancestors' first. */
export function hooksOf(cls: ClassDefinition): readonly Hook[] {
  const known = hooksOfClasses.get(cls);
  if (known) return known;
  const found: Hook[] = [];
  for (const ancestor of [...cls.mro].reverse()) {
    if (ancestor.kind !== "class") continue;
    for (const { node, decorators } of ancestor.methods.values()) {
      for (const decorator of decorators) {
        const hook = readDecorator(ancestor, decorator);
        if (hook) found.push({ method: node, owner: ancestor, ...hook });
      }
    }
  }
  hooksOfClasses.set(cls, found);
  return found;
}

function readDecorator(
  cls: ClassDefinition,
  decorator: SyntaxNode,
): { id: string; args: readonly Value[]; kwargs: ReadonlyMap<string, Value> } | null {
  const expression = decorator.namedChildren.find((child) => child.type !== "comment");
  if (!expression) return null;
  const called = expression.type === "call" ? expression.childForFieldName("function") : null;
  try {
    const frame = { scope: cls.scope, before: decorator.startIndex };
    const callee = cls.interpreter.evaluate(called ?? expression, frame);
    if (callee.kind !== "library-function" || !callee.id.startsWith("pydantic.")) return null;
    const args: Value[] = [];
    const kwargs = new Map<string, Value>();
    for (const item of expression.childForFieldName("arguments")?.namedChildren ?? []) {
      const value = item.type === "keyword_argument" ? item.childForFieldName("value") : item;
      if (!value || item.type === "comment") continue;
      const evaluated = cls.interpreter.evaluate(value, frame);
      if (item.type === "keyword_argument")
        kwargs.set(item.childForFieldName("name")?.text ?? "", evaluated);
      else args.push(evaluated);
    }
    return { id: callee.id, args, kwargs };
  } catch (error) {
    if (error instanceof PythonError) return null;
    throw error;
  }
}

export interface Serializer {
  /** The type it says it returns, if it does. */
  readonly returns: Value | null;
  /** Whether it leaves `None` as it is. */
  readonly skipsNone: boolean;
}

function returnType(hook: Hook): Value | null {
  const given = hook.kwargs.get("return_type");
  if (given) return given;
  const annotation = hook.method.childForFieldName("return_type");
  if (!annotation) return null;
  const value = hook.owner.interpreter.evaluate(annotation, {
    scope: hook.owner.scope.module,
    before: Infinity,
  });
  return value.kind === "str" ? { kind: "forward", text: value.value } : value;
}

/** What the methods of a class do to one of its fields. */
export function fieldHooks(
  cls: ClassDefinition,
  name: string,
): { validators: readonly Value[]; serializer: Serializer | null } {
  const validators: Call[] = [];
  let serializer: Serializer | null = null;
  for (const hook of hooksOf(cls)) {
    const isValidator = hook.id === "pydantic.field_validator";
    if (!isValidator && hook.id !== "pydantic.field_serializer") continue;
    if (!hook.args.some((arg) => arg.kind === "str" && (arg.value === name || arg.value === "*")))
      continue;
    if (!isValidator) {
      const used = hook.kwargs.get("when_used");
      const skipsNone = used?.kind === "str" && used.value.endsWith("unless-none");
      serializer = { returns: returnType(hook), skipsNone };
      continue;
    }
    const mode = hook.kwargs.get("mode");
    const kind = mode?.kind === "str" ? mode.value : "after";
    const callee = libraryClass(`pydantic.${kind[0]!.toUpperCase()}${kind.slice(1)}Validator`);
    validators.push({ kind: "call", callee, args: [], kwargs: hook.kwargs });
  }
  return { validators, serializer };
}

/** What the methods of a class do to its schema as a whole. */
export function modelHooks(cls: ClassDefinition): {
  serializer: Serializer | null;
  changesJsonSchema: boolean;
} {
  const hook = hooksOf(cls).findLast(({ id }) => id === "pydantic.model_serializer");
  const changesJsonSchema = cls.mro.some(
    (ancestor) => ancestor.kind === "class" && ancestor.methods.has("__get_pydantic_json_schema__"),
  );
  return {
    serializer: hook ? { returns: returnType(hook), skipsNone: false } : null,
    changesJsonSchema,
  };
}

function describedBy(method: SyntaxNode): { description?: string } {
  const docstring = docstringOf(method);
  return docstring ? { description: docstring } : {};
}

/** Properties marked with `@computed_field`, which only what is returned has. */
export function computedFields(
  generator: CoreGenerator,
  cls: ClassDefinition,
  types: ReadonlyMap<Value, Value>,
): FieldSchema[] {
  const fields = new Map<string, FieldSchema>();
  for (const hook of hooksOf(cls)) {
    if (hook.id !== "pydantic.computed_field") continue;
    const name = hook.method.childForFieldName("name")?.text ?? "";
    const returned = replaceTypes(returnType(hook) ?? form("typing.Any"), types);
    const alias = hook.kwargs.get("alias");
    fields.set(name, {
      name,
      schema: generator.generate(returned),
      metadata: mergeMetadata(
        { updates: { readOnly: true, ...describedBy(hook.method) } },
        fieldMetadata(hook.kwargs, generator.encode),
      ),
      required: true,
      validationAlias: null,
      serializationAlias: alias?.kind === "str" ? alias.value : null,
      excluded: false,
      computed: true,
    });
  }
  return [...fields.values()];
}
