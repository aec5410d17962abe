import type { Core } from "./core.js";

const ENUM = `Create a collection of name/value pairs.

Example enumeration:

>>> class Color(Enum):
...     RED = 1
...     BLUE = 2
...     GREEN = 3

Access them by:

- attribute access::

>>> Color.RED
<Color.RED: 1>

- value lookup:

>>> Color(1)
<Color.RED: 1>

- name lookup:

>>> Color['RED']
<Color.RED: 1>

Enumerations can be iterated over, and know how many members they have:

>>> len(Color)
3

>>> list(Color)
[<Color.RED: 1>, <Color.BLUE: 2>, <Color.GREEN: 3>]

Methods can be added to enumerations, and members can have their own
attributes -- see the documentation for details.`;

/** The docstrings of `enum`'s own classes, as CPython 3.11 has them. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  Enum: ENUM,
  IntEnum: "Enum where members are also (and must be) ints",
  StrEnum: "Enum where members are also (and must be) strings",
  Flag: "Support for flags",
  IntFlag: "Support for integer-based Flags",
  ReprEnum: "Only changes the repr(), leaving str() and format() to the mixed-in type.",
};

/** The schema of one of `enum`'s own classes, of which there are no members; `null` for any other class. */
export function bareEnum(id: string): Core | null {
  const title = id.startsWith("enum.") ? id.slice("enum.".length) : "";
  const description = Object.hasOwn(DESCRIPTIONS, title) ? DESCRIPTIONS[title]! : null;
  if (description === null) return null;
  const json = { title, enum: [], description };
  return { type: "is-instance", of: title, metadata: { functions: [() => json] } };
}
