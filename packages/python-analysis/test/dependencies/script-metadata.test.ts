import { describe, expect, test } from "vitest";
import { readDeclaration } from "../../src/dependencies/script-metadata.js";

const BLOCK = `# /// script
# requires-python = ">= 3.11"
# dependencies = [
#   "Requests<3",  # a comment
#   "rich ; os_name == 'nt'",
# ]
#
# [tool.other]
# x = 1
# ///`;

test("a block declares what the script needs", () => {
  const { metadata, problems } = readDeclaration(`#!/usr/bin/env python\n\n${BLOCK}\nimport a\n`);
  expect(problems).toEqual([]);
  expect(metadata?.requiresPython).toBe(">=3.11");
  expect(metadata?.dependencies.map(({ normalised }) => normalised)).toEqual([
    "requests<3",
    'rich; os_name == "nt"',
  ]);
  expect([metadata?.line, metadata?.requiresPythonLine]).toEqual([3, 4]);
});

describe("counts", () => {
  test.each([
    ["at the end, without a line end", `import a\n${BLOCK}`],
    ["in a string", `"""\n${BLOCK}\n"""\n`],
    ["after a block of another type", `# /// other\n# x\n# ///\n\n${BLOCK}`],
    ["beside an unclosed block", `# /// other\n\n${BLOCK}`],
  ])("%s", (_, text) => {
    expect(readDeclaration(text).metadata).not.toBeNull();
  });

  test("up to the last closing line", () => {
    const text = '# /// script\n# dependencies = ["""\n# ///\n# """]\n# ///\n';
    const { metadata, problems } = readDeclaration(text);
    expect(metadata?.dependencies).toEqual([]);
    expect(problems).toMatchObject([{ message: expect.stringContaining("cannot be understood") }]);
  });

  test("without dependencies, too", () => {
    expect(readDeclaration("# /// script\n#\n# ///").metadata).toEqual({
      requiresPython: null,
      dependencies: [],
      line: 1,
      requiresPythonLine: null,
    });
  });
});

describe("does not count", () => {
  test.each([
    ["nothing", ""],
    ["of another type", BLOCK.replace("script", "scripts")],
    ["indented", BLOCK.replaceAll(/^/gm, " ")],
    ["with a blank after its first line", BLOCK.replace("script", "script ")],
  ])("%s", (_, text) => {
    expect(readDeclaration(text)).toEqual({ metadata: null, problems: [] });
  });

  test.each([
    ["unclosed", "# /// script\n# x = 1\n", "is not closed", 1],
    ["interrupted by a blank line", BLOCK.replace("#\n", "\n"), "is not closed", 1],
    ["interrupted by a comment without a blank", BLOCK.replace("#\n", "#x\n"), "is not closed", 1],
    ["closed with a blank", `${BLOCK} `, "is not closed", 1],
    ["empty", "x = 1\n# /// script\n# ///\n", "is empty", 2],
    ["twice", `${BLOCK}\n\n${BLOCK}`, "a second `script` block", 12],
    ["no TOML", "\n# /// script\n# x = 1\n# x =\n# ///", "no TOML", 4],
  ])("%s, and says so", (_, text, message, line) => {
    expect(readDeclaration(text)).toEqual({
      metadata: null,
      problems: [{ message: expect.stringContaining(message), line }],
    });
  });
});

test.each([
  ['dependencies = "a"', "not a list", 1],
  ["dependencies = [1]", "something else than text", 1],
  ["x = 1\n# dependencies = ['a b']", "cannot be understood", 3],
  ["requires-python = 3.11", "not text", 1],
  ["requires-python = 'new'", "cannot be understood", 2],
])("what is wrong in it is named: %s", (content, message, line) => {
  const { metadata, problems } = readDeclaration(`# /// script\n# ${content}\n# ///`);
  expect(metadata).toMatchObject({ requiresPython: null, dependencies: [] });
  expect(problems).toEqual([{ message: expect.stringContaining(message), line }]);
});

test("of many unclosed blocks among the same lines the first is named", () => {
  expect(readDeclaration("# /// script\n".repeat(200_000)).problems).toHaveLength(1);
});

test("hostile blocks end in a problem", () => {
  for (const content of ["[".repeat(100_000), "x = ".repeat(1000), "a.".repeat(10_000), "\u2028"]) {
    const { metadata, problems } = readDeclaration(`# /// script\n# ${content}\n# ///`);
    expect([metadata, problems.length]).toEqual([null, 1]);
  }
});
