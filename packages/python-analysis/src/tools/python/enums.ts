import type { ClassDefinition } from "./classes.js";
import {
  type EnumMember,
  type Value,
  PythonError,
  argument,
  equalityKey,
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
  const computed = cls.mro.some(
    (ancestor) =>
      ancestor.kind === "class" &&
      ["__new__", "_generate_next_value_", "_missing_value_"].some((name) =>
        ancestor.methods.has(name),
      ),
  );
  const ignored = new Set<string>();
  for (const [name, bindings] of cls.scope.block.bindings) {
    const binding = bindings.at(-1)!;
    if (name === "_ignore_")
      ignoredNames(cls.scope.valueOf(binding)).forEach((each) => ignored.add(each));
    if (name.startsWith("_") || ignored.has(name) || binding.source.kind !== "assignment") continue;
    const written = cls.scope.valueOf(binding);
    if (
      written.kind === "function" ||
      isCallOf(written, "enum.nonmember") ||
      isCallOf(written, "enum.property")
    )
      continue;
    const value = memberValue(
      cls,
      isCallOf(written, "enum.member") ? (written.args[0] ?? written) : written,
      name,
      members,
    );
    members.push({
      kind: "member",
      class: cls,
      name,
      value: computed ? unknown(`\`${cls.name}\` makes its values itself`) : value,
    });
  }
  return members;
}

function ignoredNames(value: Value): string[] {
  if (value.kind === "str") return value.value.replaceAll(",", " ").split(/\s+/);
  if (value.kind !== "list" && value.kind !== "tuple") return [];
  return value.items.flatMap((item) => (item.kind === "str" ? [item.value] : []));
}

function memberValue(
  cls: ClassDefinition,
  written: Value,
  name: string,
  before: readonly EnumMember[],
): Value {
  const isText = cls.isSubclassOf("builtins.str");
  if (!isCallOf(written, "enum.auto")) {
    if (isText && written.kind === "int") return str(String(written.value));
    return written;
  }
  if (argument(written, 0, "value")) return unknown("an automatic value");
  if (cls.isSubclassOf("enum.StrEnum")) return str(name.toLowerCase());
  const numbers = before.flatMap(({ value }) => (value.kind === "int" ? [value.value] : []));
  if (cls.isSubclassOf("enum.Flag")) {
    const highest = numbers.reduce((a, b) => (a > b ? a : b), 0n);
    return int(1n << BigInt(highest <= 0n ? 0 : highest.toString(2).length));
  }
  // Since 3.11 the next value is one more than the last that is a number; since 3.13 than the highest, which is mostly the same.
  const next = numbers.length > 0 ? numbers.at(-1)! + 1n : 1n;
  return isText ? str(String(next)) : int(next);
}

/** `Color(1)`: the member with that value. */
export function memberByValue(cls: ClassDefinition, value: Value | undefined): Value {
  if (!value || value.kind === "unknown") return value ?? unknown("an enum called without a value");
  const wanted = equalityKey(value);
  const found = cls.members.find((member) => equalityKey(member.value) === wanted);
  if (found) return found;
  throw new PythonError("ValueError", `not a valid ${cls.name}`);
}
