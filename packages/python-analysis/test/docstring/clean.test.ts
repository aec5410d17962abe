import { expect, test } from "vitest";
import { cleanDocstring } from "../../src/docstring/clean.js";
import { parseDocstring } from "../../src/docstring/parse.js";

test.each([
  ["", ""],
  ["  \n \n", " "],
  ["  a  ", "a  "],
  ["a\n    b\n      c\n", "a\nb\n  c"],
  ["a\n  b\n    c\n d", "a\n b\n   c\nd"],
  ["\n\n    a\n\n    b\n    ", "a\n\nb"],
  ["a\n\tb\n    \tc", "a\nb\nc"],
  ["1\t2\n123456789\t0", "1       2\n123456789       0"],
  ["😀\tb\r\tc", "😀       b\r        c"],
  ["\fa\n  b\n  \f", "\fa\nb\n\f"],
])("inspect.cleandoc(%j)", (docstring, cleaned) => {
  expect(cleanDocstring(docstring)).toBe(cleaned);
});

test.each([
  [`Text.\n\nArgs:${"\n  a: b".repeat(20_000)}`, 1],
  [`Parameters\n---\n${"a, ".repeat(20_000)}a`, 1],
  [":param a: b\n".repeat(5_000), 1],
  [`${"a ".repeat(50_000)}:`, 0],
  [`x:${" ".repeat(100_000)}\n  y`, 0],
  [" \n".repeat(20_000), 0],
])("a long docstring is read in linear time", (docstring, parameters) => {
  expect(parseDocstring(docstring).parameters.size).toBe(parameters);
});
