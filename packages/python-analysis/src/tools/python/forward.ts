import { unionOf } from "./subscripts.js";
import type { Value } from "./values.js";

/**
 * A type with the strings in it evaluated, as `typing.get_type_hints` gives it: below subscripts of all kinds but `Literal`, and
 * below strings themselves. A string within what it stands for stays one.
 *
 * @throws PythonError where a string does not evaluate
 */
export function withoutStrings(
  type: Value,
  evaluate: (text: string) => Value,
  within: readonly string[] = [],
): Value {
  const inner = (part: Value): Value => withoutStrings(part, evaluate, within);
  switch (type.kind) {
    case "str":
    case "forward": {
      const text = type.kind === "str" ? type.value : type.text;
      if (within.includes(text)) return { kind: "forward", text };
      return withoutStrings(evaluate(text), evaluate, [...within, text]);
    }
    case "alias": {
      const args = type.args.map(inner);
      return args.every((arg, i) => arg === type.args[i]) ? type : { ...type, args };
    }
    case "union": {
      const members = type.members.map(inner);
      return members.every((member, i) => member === type.members[i])
        ? type
        : unionOf(members, type.spelling);
    }
    case "annotated": {
      const plain = inner(type.type);
      return plain === type.type ? type : { ...type, type: plain };
    }
    default:
      return type;
  }
}
