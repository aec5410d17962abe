import { apply } from "../python/calls.js";
import { type Value, argument, isCallOf, str } from "../python/values.js";
import type { ModelConfig } from "./config.js";
import { aliasName } from "./fields.js";

/** pydantic's own alias generators; any other function is not run. */
const GENERATORS: Readonly<Record<string, (name: string) => string>> = {
  to_camel: camel,
  to_pascal: pascal,
  to_snake: snake,
};

function pascal(name: string): string {
  return titled(name).replace(/([0-9A-Za-z])_(?=[0-9A-Z])/g, "$1");
}

function camel(name: string): string {
  if (/^[a-z]+[A-Za-z0-9]*$/.test(name) && !/\d+[a-z]/.test(name)) return name;
  return pascal(name).replace(/^_*[A-Z]/, (start) => start.toLowerCase());
}

function snake(name: string): string {
  return name
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replace(/([0-9])([A-Z])/g, "$1_$2")
    .replace(/([a-z])([0-9])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
}

const titled = (name: string): string =>
  name.replace(/[A-Za-z]+/g, (word) => word[0]!.toUpperCase() + word.slice(1).toLowerCase());

/** Fills in the aliases that a model's `alias_generator` gives fields that have none of their own. */
export function applyAliasGenerator(
  name: string,
  attributes: Map<string, Value>,
  config: ModelConfig,
  note: (reason: string) => void,
): void {
  const generator = config.get("alias_generator");
  if (!generator || generator.kind === "none") return;
  const isOverruled = attributes.get("alias_priority");
  const isFree = (value: Value | undefined): boolean =>
    !value || value.kind === "none" || (isOverruled?.kind === "int" && isOverruled.value <= 1n);
  for (const alias of ["validation_alias", "serialization_alias"]) {
    if (!isFree(attributes.get(alias))) continue;
    const maker = generatorOf(generator, alias);
    if (maker === null) continue;
    const made = generated(maker, name);
    if (made) attributes.set(alias, made);
    else note("the aliases that an `alias_generator` makes are known only at run time");
  }
}

/** What makes an alias of one kind: the generator itself, or one of those in an `AliasGenerator`. */
function generatorOf(generator: Value, alias: string): Value | null {
  if (!isCallOf(generator, "pydantic.AliasGenerator")) return generator;
  const order = ["alias", "validation_alias", "serialization_alias"];
  const given = (name: string): Value | undefined => {
    const value = argument(generator, order.indexOf(name), name);
    return value?.kind === "none" ? undefined : value;
  };
  return given(alias) ?? given("alias") ?? null;
}

function generated(maker: Value, name: string): Value | undefined {
  const known =
    maker.kind === "library-function" && maker.id.startsWith("pydantic.")
      ? GENERATORS[maker.id.slice(maker.id.lastIndexOf(".") + 1)]
      : undefined;
  if (known) return str(known(name));
  const made = apply(maker, [str(name)], new Map());
  return made && aliasName(made) !== null ? made : undefined;
}
