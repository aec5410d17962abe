import { construct } from "./calls.js";
import type { ClassDefinition } from "./classes.js";
import { applyFunction, outcomeOf } from "./functions.js";
import {
  type EnumMember,
  type FunctionValue,
  type Value,
  argument,
  equalityKey,
  float,
  int,
  isCallOf,
  str,
  unknown,
} from "./values.js";

/**
 * The members of an `Enum` by name, with their values as `enum` computes them; another name for one leads to the same member.
 *
 * @see https://docs.python.org/3/library/enum.html
 */
export function enumMembers(cls: ClassDefinition): ReadonlyMap<string, EnumMember> {
  const members = new Map<string, EnumMember>();
  const before: Value[] = [];
  const isData = cls.mro.some((each) => each.kind === "class" && each.isDataclassStatement);
  const ignored = new Set<string>();
  for (const [name, written, replace] of cls.assignments()) {
    if (name === "_ignore_") ignoredNames(written).forEach((each) => ignored.add(each));
    if (isNoMember(name) || ignored.has(name)) continue;
    if (
      written.kind === "function" ||
      isCallOf(written, "enum.nonmember") ||
      isCallOf(written, "enum.property")
    )
      continue;
    const value = isCallOf(written, "enum.member") ? (written.args[0] ?? written) : written;
    const given = givenValue(cls, value, name, before);
    // What comes after it in the class body sees the value.
    replace?.(given);
    before.push(given);
    const taken = isData
      ? unknown(`\`${cls.name}\` makes its values itself`)
      : constructedValue(cls, given);
    const same = [...members.values()].find((member) => isEqual(member.value, taken));
    members.set(name, same ?? { kind: "member", class: cls, name, value: taken });
  }
  return members;
}

/** Whether Python's `==` says so, by which `1`, `1.0` and `True` are one. */
function isEqual(a: Value, b: Value): boolean {
  if (a.kind === "unknown" || b.kind === "unknown") return false;
  const x = numberOf(a);
  const y = numberOf(b);
  return x !== null && y !== null ? Number(x) === Number(y) : equalityKey(a) === equalityKey(b);
}

/** `__private`, `__special__` and `_reserved_` names are attributes. */
const isNoMember = (name: string): boolean => name.startsWith("__") || /^_.*_$/.test(name);

function ignoredNames(value: Value): string[] {
  if (value.kind === "str") return value.value.replaceAll(",", " ").split(/\s+/);
  if (value.kind !== "list" && value.kind !== "tuple") return [];
  return value.items.flatMap((item) => (item.kind === "str" ? [item.value] : []));
}

/** The value that is written for a member, or that `auto()` stands for, before the data type of the enum takes it. */
function givenValue(
  cls: ClassDefinition,
  written: Value,
  name: string,
  before: readonly Value[],
): Value {
  if (written.kind === "tuple" && written.items.some((item) => isCallOf(item, "enum.auto"))) {
    const items = written.items.map((item) =>
      isCallOf(item, "enum.auto") ? givenValue(cls, item, name, before) : item,
    );
    return { kind: "tuple", items };
  }
  if (!isCallOf(written, "enum.auto")) return written;
  const generate = methodOf(cls, "_generate_next_value_");
  if (generate) {
    const last: Value = { kind: "list", items: before };
    return (
      applyFunction(generate, [str(name), int(1), int(before.length), last], new Map()) ??
      unknown(`the automatic values of \`${cls.name}\` are known only at run time`)
    );
  }
  if (argument(written, 0, "value")) return unknown("an automatic value");
  if (cls.isSubclassOf("enum.StrEnum")) return str(name.toLowerCase());
  if (cls.isSubclassOf("enum.Flag")) {
    const numbers = before.flatMap((value) => (value.kind === "int" ? [value.value] : []));
    const highest = numbers.reduce((a, b) => (a > b ? a : b), 0n);
    return int(1n << BigInt(highest <= 0n ? 0 : highest.toString(2).length));
  }
  // One more than the highest; where some are no numbers, than the last that is one.
  const numbers = before.flatMap((value) => numberOf(value) ?? []);
  const isSortable = numbers.length === before.length;
  const base = isSortable
    ? numbers.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)).at(-1)
    : numbers.at(-1);
  const strange = before.some(({ kind }) => !PLAIN_KINDS.has(kind));
  if (strange) return unknown("an automatic value after one that is known only at run time");
  if (base === undefined) return int(1n);
  return typeof base === "bigint" ? int(base + 1n) : float(base + 1);
}

const PLAIN_KINDS: ReadonlySet<string> = new Set(["int", "bool", "float", "str", "none", "tuple"]);

function numberOf(value: Value): bigint | number | null {
  if (value.kind === "int" || value.kind === "float") return value.value;
  return value.kind === "bool" ? BigInt(value.value) : null;
}

/** A method of the class or of an ancestor of the script's. */
function methodOf(cls: ClassDefinition, name: string): FunctionValue | undefined {
  for (const owner of cls.mro) {
    const method = owner.kind === "class" ? owner.methods.get(name) : undefined;
    if (owner.kind === "class" && method)
      return {
        kind: "function",
        name,
        node: method.node,
        frame: { scope: owner.scope, before: Infinity },
      };
  }
  return undefined;
}

/** The value of a member as `__new__` and `__init__` leave it, where they give it another. */
function constructedValue(cls: ClassDefinition, given: Value): Value {
  const args = given.kind === "tuple" ? given.items : [given];
  let value: Value | undefined;
  for (const name of ["__new__", "__init__"]) {
    const method = methodOf(cls, name);
    if (!method?.frame) continue;
    const { frame, node } = method;
    const outcome = cls.interpreter.follow(() => outcomeOf(node, frame, [cls, ...args], new Map()));
    const isSet = node.text.includes("_value_");
    if (isSet && !outcome) return unknown(`\`${cls.name}\` makes its values itself`);
    value = outcome?.attributes.get("_value_") ?? value;
  }
  return value ?? takenValue(cls, given);
}

/** What the class that an enum mixes in makes of the value given for a member. */
function takenValue(cls: ClassDefinition, given: Value): Value {
  const type = cls.mro.find(
    (ancestor) =>
      ancestor.kind === "library-class" && !/^(enum\.|builtins\.object$)/.test(ancestor.id),
  );
  if (!type || given.kind === "unknown") return given;
  const args = given.kind === "tuple" ? given.items : [given];
  if (type.kind === "library-class" && MIXED_IN.has(type.id))
    return construct(type.id, args, new Map()) ?? unknown("a value made by its class");
  return unknown(`\`${cls.name}\` makes its values with \`${type.name}\``);
}

const MIXED_IN = new Set(["builtins.int", "builtins.str", "builtins.float", "builtins.bytes"]);
