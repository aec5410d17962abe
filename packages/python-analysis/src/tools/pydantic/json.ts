/** What JSON can hold. Objects made here have no key that the prototype of objects could hide. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** An object of keys that a script chose, `__proto__` among them. */
export const fromEntries = (entries: Iterable<readonly [string, Json]>): JsonObject =>
  Object.fromEntries(entries);

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A copy with the keys of every object sorted, except those below `properties` and `default`, whose order is the author's. */
export function sortKeys(value: Json, parent: string | null = null): Json {
  if (Array.isArray(value)) return value.map((item) => sortKeys(item, parent));
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  if (parent !== "properties" && parent !== "default") keys.sort();
  return fromEntries(keys.map((key) => [key, sortKeys(value[key]!, key)]));
}

/** A text that two values share just when they are equal as JSON, whatever the order of keys. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key]!)}`)
    .join()}}`;
}

/** Without repeats, the first of each kept in its place. */
export function withoutRepeats(schemas: Iterable<JsonObject>): JsonObject[] {
  const found = new Map<string, JsonObject>();
  for (const schema of schemas) {
    const key = canonical(schema);
    if (!found.has(key)) found.set(key, schema);
  }
  return [...found.values()];
}

/** Python's `str.title()`: upper case after what has no case, lower case after what has one. */
export function pythonTitle(text: string): string {
  if (/^[\0-\x7f]*$/.test(text))
    return text.replace(
      /[A-Za-z]+/g,
      (word) => word[0]!.toUpperCase() + word.slice(1).toLowerCase(),
    );
  let titled = "";
  let afterCased = false;
  for (const character of text) {
    if (afterCased) titled += character.toLowerCase();
    else {
      const [first = "", ...rest] = character.toUpperCase();
      titled += first + rest.join("").toLowerCase();
    }
    afterCased = /\p{Cased}/u.test(character);
  }
  return titled;
}

/** The title pydantic gives what is called `name`. */
export const titleFromName = (name: string): string =>
  pythonTitle(name).replaceAll("_", " ").trim();
