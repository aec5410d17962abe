import { type Value, str } from "../python/values.js";
import type { ModelConfig } from "./config.js";

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
  const make =
    generator.kind === "library-function"
      ? GENERATORS[generator.id.slice(generator.id.lastIndexOf(".") + 1)]
      : undefined;
  if (!make) {
    note("the aliases that an `alias_generator` makes are known only at run time");
    return;
  }
  for (const alias of ["validation_alias", "serialization_alias"]) {
    const given = attributes.get(alias);
    if (!given || given.kind === "none") attributes.set(alias, str(make(name)));
  }
}
