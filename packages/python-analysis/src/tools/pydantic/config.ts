import type { ClassDefinition } from "../python/classes.js";
import { truth } from "../python/truth.js";
import { type Value, str } from "../python/values.js";

/** A model's configuration, each setting under pydantic's name for it. */
export type ModelConfig = ReadonlyMap<string, Value>;

const CLASS_KEYWORDS_ARE_CONFIG = new Set(["metaclass"]);

/**
 * What `model_config`, the class statement's keywords and the parents' configuration come to.
 * Dataclasses and typed dictionaries are configured by `__pydantic_config__` or a decorator's `config` instead.
 */
export function modelConfig(cls: ClassDefinition): ModelConfig {
  const config = new Map<string, Value>();
  for (const ancestor of [...cls.mro].reverse()) {
    if (ancestor.kind !== "class") continue;
    const own = ancestor.ownAttribute("model_config") ?? ancestor.ownAttribute("Config");
    for (const [key, value] of settings(own)) config.set(key, value);
    for (const [key, value] of ancestor.keywords)
      if (!CLASS_KEYWORDS_ARE_CONFIG.has(key)) config.set(key, value);
  }
  return config;
}

/** The configuration of a dataclass or typed dictionary of its own, or `null` to use that of the model around it. */
export function attachedConfig(cls: ClassDefinition): ModelConfig | null {
  let config: Value | undefined;
  for (const ancestor of cls.mro) {
    if (ancestor.kind !== "class") continue;
    config ??= decoratedConfig(ancestor) ?? ancestor.ownAttribute("__pydantic_config__");
  }
  if (!config) return cls.family === "pydantic-dataclass" ? new Map() : null;
  return new Map(settings(config));
}

/** What `@dataclass(config=…)` or `@with_config(…)` gives. */
function decoratedConfig(cls: ClassDefinition): Value | undefined {
  const given = cls.dataclassOptions.get("config");
  if (given) return given;
  const { args, kwargs } = cls.decoratorArguments("pydantic.with_config");
  const entries = [...kwargs].map(([name, value]): [Value, Value] => [str(name), value]);
  return (
    args[0] ?? kwargs.get("config") ?? (entries.length > 0 ? { kind: "dict", entries } : undefined)
  );
}

function* settings(value: Value | undefined): Generator<readonly [string, Value]> {
  // The class `Config` of pydantic 1, which its successor still reads.
  if (value?.kind === "class") {
    for (const each of [...value.mro].reverse())
      if (each.kind === "class")
        for (const [name, setting] of each.assignments()) yield [name, setting];
  }
  if (value?.kind === "call") yield* value.kwargs;
  if (value?.kind !== "dict") return;
  for (const [key, setting] of value.entries) if (key.kind === "str") yield [key.value, setting];
}

export const isOn = (config: ModelConfig, name: string): boolean => {
  const value = config.get(name);
  return value !== undefined && truth(value) === true;
};

export const isOff = (config: ModelConfig, name: string): boolean => {
  const value = config.get(name);
  return value?.kind === "bool" && !value.value;
};

export function textSetting(config: ModelConfig, name: string): string | undefined {
  const value = config.get(name);
  return value?.kind === "str" ? value.value : undefined;
}
