import type { ClassDefinition } from "./classes.js";
import { type Value, int, unknown } from "./values.js";

/** The member of a `Flag` that several are together, or a member of its own. */
export function flagOf(cls: ClassDefinition, value: bigint): Value {
  const members = [...cls.members.values()];
  const found = members.find(
    (member) => member.value.kind === "int" && member.value.value === value,
  );
  if (found) return found;
  const all = members.reduce(
    (bits, { value: each }) => (each.kind === "int" ? bits | each.value : bits),
    0n,
  );
  if (value < 0n || (value & ~all) !== 0n) return unknown(`a combination of \`${cls.name}\``);
  return { kind: "member", class: cls, name: "", value: int(value) };
}
