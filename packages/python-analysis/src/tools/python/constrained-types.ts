import { type Call, type Value, NONE, int, libraryClass } from "./values.js";

/** pydantic's `conint(…)` and the like: the type, and whether its first argument is the item type. */
const CONSTRAINED: ReadonlyMap<string, readonly [type: string, ofItems: boolean]> = new Map([
  ["pydantic.conint", ["builtins.int", false]],
  ["pydantic.confloat", ["builtins.float", false]],
  ["pydantic.constr", ["builtins.str", false]],
  ["pydantic.conbytes", ["builtins.bytes", false]],
  ["pydantic.condecimal", ["decimal.Decimal", false]],
  ["pydantic.condate", ["datetime.date", false]],
  ["pydantic.conlist", ["builtins.list", true]],
  ["pydantic.conset", ["builtins.set", true]],
  ["pydantic.confrozenset", ["builtins.frozenset", true]],
]);

/** What calling one of pydantic's constraining functions gives; `undefined` for any other function. */
export function constrainedTypeOf(
  id: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value | undefined {
  const constrained = CONSTRAINED.get(id);
  return constrained && constrainedType(constrained, args, kwargs);
}

/** What pydantic's own function puts beside the type, in its order: `None` for what is not asked for. */
function constrainedType(
  [id, ofItems]: readonly [string, boolean],
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value {
  const origin = libraryClass(id);
  const given = (name: string): Value | undefined => {
    const value = kwargs.get(name);
    return value?.kind === "none" ? undefined : value;
  };
  const only = (...names: string[]): Map<string, Value> =>
    new Map(names.flatMap((name) => (given(name) ? [[name, given(name)!]] : [])));
  const made = (callee: string, options: ReadonlyMap<string, Value>): Call => ({
    kind: "call",
    callee: libraryClass(callee),
    args: [],
    kwargs: options,
  });
  const perhaps = (callee: string, name: string): Value =>
    given(name) ? { ...made(callee, new Map()), args: [given(name)!] } : NONE;
  const length = made(
    "annotated_types.Len",
    new Map([["min_length", given("min_length") ?? int(0)], ...only("max_length")]),
  );
  if (ofItems) {
    const item = args[0] ?? kwargs.get("item_type");
    const type: Value = item
      ? { kind: "alias", origin, args: [item], spelling: "builtin" }
      : origin;
    return { kind: "annotated", type, metadata: [length] };
  }
  const interval = made("annotated_types.Interval", only("gt", "ge", "lt", "le"));
  const metadata: Value[] = [perhaps("pydantic.Strict", "strict")];
  switch (id) {
    case "builtins.str":
      metadata[0] = made("pydantic.StringConstraints", kwargs);
      break;
    case "builtins.bytes":
      metadata.push(length);
      break;
    case "datetime.date":
      metadata.push(interval);
      break;
    default:
      metadata.push(interval, perhaps("annotated_types.MultipleOf", "multiple_of"));
      if (id === "decimal.Decimal")
        metadata.push(made("pydantic.GeneralMetadata", only("max_digits", "decimal_places")));
      if (id !== "builtins.int") metadata.push(perhaps("pydantic.AllowInfNan", "allow_inf_nan"));
  }
  return { kind: "annotated", type: origin, metadata };
}
