import { type Json, type JsonObject, fromEntries, isObject } from "../pydantic/json.js";

const STRUCTURAL = ["type", "properties", "$ref", "items", "allOf", "oneOf", "anyOf", "required"];
const METADATA = new Set(["title", "description", "deprecated", "readOnly", "writeOnly"]);
const LITERAL = new Set(["default", "const", "examples", "example", "enum"]);
const MAPS = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
  "dependencies",
]);
const SCHEMAS = new Set(
  "items additionalItems additionalProperties contains contentSchema propertyNames unevaluatedItems unevaluatedProperties if then else not".split(
    " ",
  ),
);
const LISTS = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
/** As deep as FastMCP looks. */
const DEEPEST = 50;

/** FastMCP's `compress_schema`: a root that is only a reference is resolved, titles go, and so do unused definitions. */
export function compress(schema: JsonObject): JsonObject {
  const root = resolveRoot(schema);
  const { $defs, ...rest } = root;
  const cleaned = clean(rest, 0) as JsonObject;
  if (!isObject($defs)) return cleaned;
  const definitions = new Map(
    Object.entries($defs).map(([name, definition]): [string, Json] => [name, clean(definition, 0)]),
  );
  const used = new Set<string>();
  const pending = referencesIn(cleaned);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const definition = definitions.get(name);
    if (definition === undefined || used.has(name)) continue;
    used.add(name);
    pending.push(...referencesIn(definition));
  }
  const kept = [...definitions].filter(([name]) => used.has(name));
  return kept.length === 0 ? cleaned : { $defs: fromEntries(kept), ...cleaned };
}

function resolveRoot(schema: JsonObject): JsonObject {
  const { $ref, ...siblings } = schema;
  const definitions = schema["$defs"];
  if ("type" in schema || typeof $ref !== "string" || !isObject(definitions)) return schema;
  const target = definitions[$ref.slice("#/$defs/".length)];
  return isObject(target) ? { ...target, ...siblings } : schema;
}

/** A copy without titles that are the schema's own: not those that are data, nor in what this knows nothing of. */
function clean(value: Json, depth: number): Json {
  if (depth > DEEPEST) return value;
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
  if (!isObject(value)) return value;
  const isSchema =
    STRUCTURAL.some((key) => key in value) || Object.keys(value).every((key) => METADATA.has(key));
  const entries = Object.entries(value).filter(
    ([key, inner]) => !(isSchema && key === "title" && typeof inner === "string"),
  );
  return fromEntries(
    entries.map(([key, inner]): [string, Json] => {
      if (MAPS.has(key) && isObject(inner)) {
        return [
          key,
          fromEntries(
            Object.entries(inner).map(([name, schema]): [string, Json] => [
              name,
              clean(schema, depth + 1),
            ]),
          ),
        ];
      }
      if (LITERAL.has(key)) return [key, inner];
      return [
        key,
        SCHEMAS.has(key) || (LISTS.has(key) && Array.isArray(inner))
          ? clean(inner, depth + 1)
          : inner,
      ];
    }),
  );
}

function referencesIn(value: Json): string[] {
  const found: string[] = [];
  const pending: Json[] = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (Array.isArray(next)) pending.push(...next);
    else if (isObject(next)) {
      const { $ref } = next;
      if (typeof $ref === "string" && $ref.startsWith("#/$defs/"))
        found.push($ref.slice("#/$defs/".length));
      for (const [key, inner] of Object.entries(next)) if (!LITERAL.has(key)) pending.push(inner);
    }
  }
  return found;
}
