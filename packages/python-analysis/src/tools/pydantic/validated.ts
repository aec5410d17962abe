import type { ClassDefinition } from "../python/classes.js";
import { applyFunction, outcomeOf } from "../python/functions.js";
import { type Call, type Value, unknown } from "../python/values.js";
import { type Hook, hooksOf } from "./decorators.js";

const frameOf = (hook: Hook): { scope: ClassDefinition["scope"]; before: number } => ({
  scope: hook.owner.scope,
  before: Infinity,
});

const concerns = (hook: Hook, name: string): boolean =>
  hook.args.some((arg) => arg.kind === "str" && (arg.value === name || arg.value === "*"));

/**
 * A value given for a field, as the validators of its class leave it.
 *
 * @param coerce - what validation of the field's type makes of a value
 */
export function validatedValue(
  cls: ClassDefinition,
  name: string,
  given: Value,
  coerce: (value: Value) => Value,
): Value {
  const hooks = hooksOf(cls).filter(
    (hook) => hook.id === "pydantic.field_validator" && concerns(hook, name),
  );
  const modeOf = (hook: Hook): string => {
    const mode = hook.kwargs.get("mode");
    return mode?.kind === "str" ? mode.value : "after";
  };
  const early = hooks.filter((hook) => modeOf(hook) === "before");
  const late = hooks.filter((hook) => modeOf(hook) !== "before");
  const before = applied(cls, name, given, early);
  const isCoerced = !late.some((hook) => modeOf(hook) === "plain");
  return applied(cls, name, isCoerced ? coerce(before) : before, late);
}

function applied(cls: ClassDefinition, name: string, given: Value, hooks: readonly Hook[]): Value {
  let value = given;
  for (const hook of hooks) {
    const mode = hook.kwargs.get("mode");
    const isPlain = !mode || (mode.kind === "str" && mode.value !== "wrap");
    const callee = {
      kind: "function",
      name: "",
      node: hook.method,
      frame: frameOf(hook),
    } as const;
    value =
      (isPlain ? applyFunction(callee, [cls, value], new Map()) : undefined) ??
      unknown(`what a validator makes of \`${name}\` is known only at run time`);
  }
  return value;
}

/** Why what an instance is written as is known only at run time, if methods have a hand in it. */
export function unwritable(cls: ClassDefinition, instance: Call): string | null {
  for (const hook of hooksOf(cls)) {
    switch (hook.id) {
      case "pydantic.computed_field":
      case "pydantic.field_serializer":
      case "pydantic.model_serializer":
        return `methods of \`${cls.name}\` make some of what it is written as`;
      case "pydantic.model_validator": {
        const mode = hook.kwargs.get("mode");
        const frame = frameOf(hook);
        const outcome =
          mode?.kind === "str" && mode.value === "after"
            ? frame.scope.interpreter.follow(() =>
                outcomeOf(hook.method, frame, [instance], new Map()),
              )
            : undefined;
        if (outcome?.returned !== instance || outcome.attributes.size > 0)
          return `a validator of \`${cls.name}\` may change it`;
      }
    }
  }
  return null;
}
