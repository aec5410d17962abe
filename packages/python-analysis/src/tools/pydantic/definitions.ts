import {
  canonical,
  fromEntries,
  isObject,
  type Json,
  type JsonObject,
  withoutRepeats,
} from "./json.js";
import type { Mode } from "./json-schema.js";
import { definitionNames } from "./references.js";

const PREFIX = "#/$defs/";

/** The `$defs` of one schema while it is made, each under a name of its own until all are known. */
export class Definitions {
  readonly #made = new Map<string, JsonObject>();
  readonly #begun = new Set<string>();
  readonly #names = new Map<string, readonly string[]>();
  readonly #refs = new Map<string, string>();
  readonly #occurrences = new Map<string, number>();

  constructor(private readonly mode: Mode) {}

  /** Whether a definition is there to refer to. */
  isMade(ref: string): boolean {
    return this.#made.has(this.#key(ref));
  }

  /** Says that a definition is now being made; `false` if it is already, or is made. */
  begin(ref: string): boolean {
    const key = this.#key(ref);
    if (this.#begun.has(key)) return false;
    this.#begun.add(key);
    return true;
  }

  referTo(ref: string): JsonObject {
    return { $ref: PREFIX + this.#key(ref) };
  }

  /** Keeps a definition and refers to it; a definition that only refers to itself is not kept. */
  define(ref: string, json: JsonObject): JsonObject {
    const key = this.#key(ref);
    if (json["$ref"] !== PREFIX + key) {
      this.#made.set(key, json);
      this.#begun.add(key);
    }
    return this.referTo(ref);
  }

  /** What a reference refers to; any other schema itself. */
  resolve(json: JsonObject): JsonObject {
    let found = json;
    while (typeof found["$ref"] === "string") {
      const target = this.#made.get(found["$ref"].slice(PREFIX.length));
      if (!target) return found;
      found = target;
    }
    return found;
  }

  /** Without what stands beside a reference and says the same as what it refers to. */
  withoutRedundantSiblings(json: JsonObject): JsonObject {
    if (typeof json["$ref"] !== "string") return json;
    const target = this.#made.get(json["$ref"].slice(PREFIX.length));
    if (!target) return json;
    return fromEntries(
      Object.entries(json).filter(
        ([key, value]) =>
          key === "$ref" || !(key in target && canonical(target[key]!) === canonical(value)),
      ),
    );
  }

  #key(ref: string): string {
    const known = this.#refs.get(ref);
    if (known !== undefined) return known;
    const names = definitionNames(
      ref,
      this.mode === "validation" ? "Input" : "Output",
      (qualified) => {
        const count = (this.#occurrences.get(qualified) ?? 0) + 1;
        this.#occurrences.set(qualified, count);
        return count;
      },
    );
    const key = names.at(-1)!;
    this.#refs.set(ref, key);
    this.#names.set(key, names);
    return key;
  }

  /** The whole schema: a lone reference at its root unpacked, unused definitions dropped, the rest given their plainest names. */
  finish(root: JsonObject): JsonObject {
    let json = root;
    const alone = json["$ref"];
    if (
      typeof alone === "string" &&
      Object.keys(json).length === 1 &&
      this.#countReferences(json, alone) === 1
    ) {
      json = { ...this.#made.get(alone.slice(PREFIX.length)) };
    }
    const used = this.#reachable(json);
    const kept = [...this.#made].filter(([key]) => used.has(key));
    if (kept.length === 0) return json;
    const renamed = this.#plainestNames(new Map(kept));
    const rename = (value: Json): Json => renameReferences(value, renamed);
    const definitions = new Map(
      kept.map(([key, definition]) => [renamed.get(key)!, rename(definition)]),
    );
    return { ...(rename(json) as JsonObject), $defs: fromEntries(definitions) };
  }

  #countReferences(json: JsonObject, wanted: string): number {
    let count = 0;
    const visited = new Set<string>();
    const visit = (value: Json): void => {
      for (const ref of referencesIn(value)) {
        if (ref === wanted) count++;
        if (visited.has(ref)) continue;
        visited.add(ref);
        const target = this.#made.get(ref.slice(PREFIX.length));
        if (target) visit(target);
      }
    };
    visit(json);
    return count;
  }

  #reachable(json: JsonObject): ReadonlySet<string> {
    const found = new Set<string>();
    const pending: Json[] = [json];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const ref of referencesIn(next)) {
        const key = ref.slice(PREFIX.length);
        const target = this.#made.get(key);
        if (!target || found.has(key)) continue;
        found.add(key);
        pending.push(target);
      }
    }
    return found;
  }

  /** Every definition's first name that no different definition claims too, found again until nothing changes. */
  #plainestNames(definitions: ReadonlyMap<string, JsonObject>): ReadonlyMap<string, string> {
    let current = new Map(definitions);
    let names = new Map<string, string>();
    for (let round = 0; round < 100; round++) {
      const claims = new Map<string, JsonObject[]>();
      for (const [key, definition] of current) {
        for (const name of this.#names.get(key)!) {
          const claimants = claims.get(name);
          if (claimants) claimants.push(definition);
          else claims.set(name, [definition]);
        }
      }
      const isContested = (claimants: readonly JsonObject[]): boolean =>
        claimants.length > 1 && withoutRepeats(claimants).length > 1;
      const contested = new Set(
        [...claims].filter(([, claimants]) => isContested(claimants)).map(([name]) => name),
      );
      names = new Map(
        [...definitions.keys()].map((key) => [
          key,
          this.#names.get(key)!.find((name) => !contested.has(name))!,
        ]),
      );
      if (contested.size === 0) break;
      const next = new Map(
        [...current].map(([key, definition]) => [
          key,
          renameReferences(definition, names) as JsonObject,
        ]),
      );
      if (
        [...next].every(
          ([key, definition]) => canonical(definition) === canonical(current.get(key)!),
        )
      )
        break;
      current = next;
    }
    return names;
  }
}

function* referencesIn(value: Json): Generator<string> {
  const pending: Json[] = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (Array.isArray(next)) pending.push(...next);
    else if (isObject(next)) {
      for (const [key, inner] of Object.entries(next)) {
        if (key === "$ref" && typeof inner === "string") yield inner;
        else if (key !== "examples") pending.push(inner);
      }
    }
  }
}

/** With references to definitions renamed, wherever they stand: also as values of a discriminator's mapping. */
function renameReferences(value: Json, names: ReadonlyMap<string, string>): Json {
  if (typeof value === "string" && value.startsWith(PREFIX)) {
    const name = names.get(value.slice(PREFIX.length));
    return name === undefined ? value : PREFIX + name;
  }
  if (Array.isArray(value)) return value.map((item) => renameReferences(item, names));
  if (!isObject(value)) return value;
  return fromEntries(
    Object.entries(value).map(([key, inner]) => [key, renameReferences(inner, names)]),
  );
}
