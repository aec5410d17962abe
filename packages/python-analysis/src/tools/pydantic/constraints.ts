import { type Call, type Value, calleeId, isLibraryClass } from "../python/values.js";
import { type Core, SchemaError, mergeMetadata } from "./core.js";
import type { Encoder } from "./encode.js";
import { refuseConstraint } from "./validators.js";
import type { Json } from "./json.js";

const LENGTHS = ["min_length", "max_length"];
const INEQUALITIES = ["le", "ge", "lt", "gt"];
const NUMERIC = ["multiple_of", ...INEQUALITIES];

/** Which constraints a type's own validator takes; the others are checked after it. */
const TAKEN_BY: Readonly<Record<string, readonly string[]>> = {
  str: [
    ...LENGTHS,
    "strict",
    "strip_whitespace",
    "to_lower",
    "to_upper",
    "pattern",
    "coerce_numbers_to_str",
    "ascii_only",
  ],
  bytes: [...LENGTHS, "strict"],
  list: [...LENGTHS, "strict", "fail_fast"],
  deque: [...LENGTHS, "strict", "fail_fast"],
  tuple: [...LENGTHS, "strict", "fail_fast"],
  set: [...LENGTHS, "strict", "fail_fast"],
  frozenset: [...LENGTHS, "strict", "fail_fast"],
  dict: [...LENGTHS, "strict", "fail_fast"],
  generator: LENGTHS,
  float: [...NUMERIC, "allow_inf_nan", "strict"],
  int: [...NUMERIC, "strict"],
  decimal: ["max_digits", "decimal_places", ...NUMERIC, "allow_inf_nan", "strict"],
  fraction: [...NUMERIC, "strict"],
  date: [...INEQUALITIES, "strict"],
  time: [...INEQUALITIES, "strict"],
  datetime: [...INEQUALITIES, "strict"],
  timedelta: [...NUMERIC, "strict"],
  "typed-dict": ["strict"],
  model: ["strict"],
  union: ["union_mode"],
  url: ["max_length", "strict"],
  "multi-host-url": ["max_length", "strict"],
  bool: ["strict"],
  uuid: ["strict"],
  "lax-or-strict": ["strict"],
  enum: ["strict"],
  complex: ["strict"],
};

const KNOWN = new Set(Object.values(TAKEN_BY).flat());
const CHAINED = new Set([
  "pattern",
  "strip_whitespace",
  "to_lower",
  "to_upper",
  "coerce_numbers_to_str",
  "ascii_only",
]);
const CHECKED_AFTER = new Set([...LENGTHS, ...NUMERIC, "max_digits", "decimal_places"]);

const BY_CLASS: Readonly<Record<string, string>> = {
  "annotated_types.Gt": "gt",
  "annotated_types.Ge": "ge",
  "annotated_types.Lt": "lt",
  "annotated_types.Le": "le",
  "annotated_types.MultipleOf": "multiple_of",
  "annotated_types.MinLen": "min_length",
  "annotated_types.MaxLen": "max_length",
  "pydantic.Strict": "strict",
  "pydantic.FailFast": "fail_fast",
  "pydantic.AllowInfNan": "allow_inf_nan",
};

/** What says `True` without an argument. */
const SWITCHES = new Set(["pydantic.Strict", "pydantic.FailFast", "pydantic.AllowInfNan"]);
/** Checks that a function makes, so that constraints after them are checked apart. */
const CHECKS = new Set(["annotated_types.Predicate", "annotated_types.Not"]);

/** Metadata that stands for several: `Interval(ge=1, le=5)`, `Len(1, 3)`, `StringConstraints(…)`. */
export function expandGrouped(metadata: readonly Value[]): Value[] {
  return metadata.flatMap((item): readonly Value[] => {
    if (item.kind !== "call") return [item];
    switch (calleeId(item)) {
      case "annotated_types.Interval":
        return ["gt", "ge", "lt", "le"].flatMap((name) => single(name, item.kwargs.get(name)));
      case "annotated_types.Len": {
        const least = item.args[0] ?? item.kwargs.get("min_length");
        const most = item.args[1] ?? item.kwargs.get("max_length");
        const isZero = least?.kind === "int" && least.value <= 0n;
        return [...(isZero ? [] : single("min_length", least)), ...single("max_length", most)];
      }
      case "pydantic.StringConstraints":
        return [...item.kwargs].flatMap(([name, value]) => single(name, value));
      default:
        return [item];
    }
  });
}

function single(name: string, value: Value | undefined): Call[] {
  if (!value || value.kind === "none") return [];
  const callee = {
    kind: "library-class",
    id: "pydantic.GeneralMetadata",
    name: "GeneralMetadata",
  } as const;
  return [{ kind: "call", callee, args: [], kwargs: new Map([[name, value]]) }];
}

/** The constraints a piece of metadata states, or `null` if it states none. */
function constraintsOf(metadata: Value): ReadonlyMap<string, Value> | null {
  if (isLibraryClass(metadata, "pydantic.Strict"))
    return new Map([["strict", { kind: "bool", value: true }]]);
  if (metadata.kind !== "call") return null;
  const id = calleeId(metadata);
  if (id === "pydantic.GeneralMetadata") return metadata.kwargs;
  const name = BY_CLASS[id];
  const value = metadata.args[0] ?? [...metadata.kwargs.values()][0];
  if (name === undefined) return null;
  if (!value && SWITCHES.has(id)) return new Map([[name, { kind: "bool", value: true }]]);
  return value && value.kind !== "none" ? new Map([[name, value]]) : new Map();
}

/**
 * pydantic's `apply_known_metadata`: the schema with the constraint in it or around it.
 *
 * @returns `null` for metadata that says nothing to pydantic
 */
export function applyConstraint(schema: Core, metadata: Value, encode: Encoder): Core | null {
  if (metadata.kind === "call" && CHECKS.has(calleeId(metadata)))
    return { type: "function", schema };
  const stated = constraintsOf(metadata);
  if (!stated) return null;
  let result: Core = { ...schema };
  const chained: Core[] = [];
  for (const [name, value] of stated) {
    if (!KNOWN.has(name)) throw new SchemaError("PydanticUserError", `unknown constraint ${name}`);
    const encoded = encodeConstraint(name, value, encode);
    if (schema.type === "function" && name === "strict")
      return {
        ...schema,
        schema: applyConstraint(schema.schema, metadata, encode) ?? schema.schema,
      };
    if (TAKEN_BY[schema.type]?.includes(name) || name === "pattern")
      refuseConstraint(schema.type, name, value);
    if (TAKEN_BY[schema.type]?.includes(name)) {
      const target = result as { constraints?: Record<string, Json> };
      if (encoded !== undefined) target.constraints = { ...target.constraints, [name]: encoded };
    } else if (CHAINED.has(name)) {
      chained.push({
        type: "function",
        schema: { type: "str", ...(encoded !== undefined && { constraints: { [name]: encoded } }) },
      });
    } else if (CHECKED_AFTER.has(name)) {
      const key = LENGTHS.includes(name) ? lengthKey(result, name) : name;
      result = { type: "function", schema: result };
      if (encoded !== undefined)
        result.metadata = mergeMetadata({}, { updates: { [key]: encoded } });
    } else if (name === "allow_inf_nan" && encoded === false)
      result = { type: "function", schema: result };
    else
      throw new SchemaError(
        "PydanticUserError",
        `unable to apply constraint '${name}' to schema of type '${schema.type}'`,
      );
  }
  return chained.length > 0 ? { type: "chain", steps: [result, ...chained] } : result;
}

function lengthKey(schema: Core, name: string): string {
  let inner = schema;
  while (inner.type === "function") inner = inner.schema;
  const isList =
    inner.type === "list" || (inner.type === "json-or-python" && inner.schema.type === "list");
  return (name === "min_length" ? "min" : "max") + (isList ? "Items" : "Length");
}

function encodeConstraint(name: string, value: Value, encode: Encoder): Json | undefined {
  if (name === "pattern" && value.kind === "call") return encode(value.args[0] ?? value, name);
  return encode(value, name);
}
