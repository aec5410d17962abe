import { construct } from "./calls.js";
import type { ClassDefinition } from "./classes.js";
import {
  type EnumMember,
  type Value,
  argument,
  float,
  int,
  isCallOf,
  str,
  unknown,
} from "./values.js";

/**
 * The members of an `Enum`, aliases among them, with their values as `enum` computes them.
 *
 * @see https://docs.python.org/3/library/enum.html
 */
export function enumMembers(cls: ClassDefinition): readonly EnumMember[] {
  const members: EnumMember[] = [];
  const before: Value[] = [];
  const computed = cls.mro.some(
    (ancestor) =>
      ancestor.kind === "class" &&
      (ancestor.isDataclassStatement ||
        ["__new__", "_generate_next_value_"].some((name) => ancestor.methods.has(name))),
  );
  const ignored = new Set<string>();
  for (const [name, bindings] of cls.scope.block.bindings) {
    const binding = bindings.at(-1)!;
    if (name === "_ignore_")
      ignoredNames(cls.scope.valueOf(binding)).forEach((each) => ignored.add(each));
    if (isNoMember(name) || ignored.has(name) || binding.source.kind !== "assignment") continue;
    const written = cls.scope.valueOf(binding);
    if (
      written.kind === "function" ||
      isCallOf(written, "enum.nonmember") ||
      isCallOf(written, "enum.property")
    )
      continue;
    const value = isCallOf(written, "enum.member") ? (written.args[0] ?? written) : written;
    const given = givenValue(cls, value, name, before);
    before.push(given);
    members.push({
      kind: "member",
      class: cls,
      name,
      value: computed ? unknown(`\`${cls.name}\` makes its values itself`) : takenValue(cls, given),
    });
  }
  return members;
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
  if (written.kind === "tuple" && written.items.some((item) => isCallOf(item, "enum.auto")))
    return unknown("an automatic value in a tuple");
  if (!isCallOf(written, "enum.auto")) return written;
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
