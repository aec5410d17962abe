import { expect, test } from "vitest";
import { CaseTwins } from "../src/case-twins.js";

function groupsOf(...folders: readonly (readonly string[])[]): string[][] {
  const twins = new CaseTwins();
  for (const paths of folders) {
    twins.enterFolder();
    for (const path of paths) twins.note(path);
  }
  return twins.groups();
}

test("names of one folder that differ in case alone belong together, in whatever order they are found", () => {
  const expected = [
    ["FOO.py", "Foo.py", "foo.py"],
    ["\u00c9t\u00e9.py", "\u00e9t\u00e9.py"],
  ];
  const names = ["Foo.py", "bar.py", "foo.py", "\u00e9t\u00e9.py", "FOO.py", "\u00c9t\u00e9.py"];
  expect(groupsOf(names)).toEqual(expected);
  expect(groupsOf(names.toReversed())).toEqual(expected);
});

test("names of different folders do not, even where the folders differ in case alone", () => {
  expect(
    groupsOf(["Team", "team"], ["Team/a.py", "Team/A.py"], ["team/a.py", "team/A.py"]),
  ).toEqual([
    ["Team", "team"],
    ["Team/A.py", "Team/a.py"],
    ["team/A.py", "team/a.py"],
  ]);
  expect(groupsOf(["a/x.py"], ["b/X.py"])).toEqual([]);
});

test("names that are one in NFC are told otherwise, and still found beside one that differs in case", () => {
  expect(groupsOf(["caf\u00e9.py", "cafe\u0301.py"])).toEqual([]);
  expect(groupsOf(["caf\u00e9.py", "CAFE\u0301.py"])).toEqual([["CAFE\u0301.py", "caf\u00e9.py"]]);
});

test("names without end are not kept without end", () => {
  const many = Array.from({ length: 3_000 }, (_, at) => [`n${at}.py`, `N${at}.py`]).flat();
  expect(groupsOf(many)).toHaveLength(1_000);
  const spellings = Array.from({ length: 256 }, (_, bits) =>
    [..."abcdefgh"].map((c, at) => ((bits >> at) & 1 ? c.toUpperCase() : c)).join(""),
  );
  expect(groupsOf(spellings)[0]).toHaveLength(10);
});
