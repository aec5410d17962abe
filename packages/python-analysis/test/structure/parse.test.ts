import { describe, expect, test, vi } from "vitest";
import { collectDefinitions } from "../../src/structure/definitions.js";
import { parseModule } from "../../src/structure/parse.js";

// Reading the table of character names takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const types = async (text: string) => [...(await parseModule(text)).nodes].map(({ type }) => type);

describe("the tree", () => {
  test("has every node in order of place, with its field, its parent and its text", async () => {
    const parsed = await parseModule("x = a not in b  # why\n");
    expect([...parsed.nodes].map((n) => [n.type, n.field, n.text, n.isNamed])).toEqual([
      ["module", null, "x = a not in b  # why\n", true],
      ["expression_statement", null, "x = a not in b", true],
      ["assignment", null, "x = a not in b", true],
      ["identifier", "left", "x", true],
      ["=", null, "=", false],
      ["comparison_operator", "right", "a not in b", true],
      ["identifier", null, "a", true],
      ["not in", "operators", "not in", false],
      ["not", null, "not", false],
      ["in", null, "in", false],
      ["identifier", null, "b", true],
      ["comment", null, "# why", true],
    ]);
    for (const node of parsed.nodes) {
      expect(node.children.every((child) => child.parent === node)).toBe(true);
    }
    const [assignment] = parsed.root.children[0]!.children;
    expect(assignment!.childForFieldName("left")!.text).toBe("x");
    expect(assignment!.childForFieldName("nothing")).toBeNull();
    expect(assignment!.childrenForFieldName("right")).toHaveLength(1);
    expect(assignment!.namedChildren.map((child) => child.text)).toEqual(["x", "a not in b"]);
  });

  test.each([
    ["nothing", ""],
    ["a line end", "\n"],
    ["a comment without a line end", "# c"],
    ["a form feed", "\f\n"],
  ])("of %s is a module without statements", async (_, text) => {
    const parsed = await parseModule(text);
    expect(parsed.hasError).toBe(false);
    expect(parsed.root.children.filter((child) => child.type !== "comment")).toEqual([]);
  });

  test("is there for what is no Python, too", async () => {
    for (const text of ["def", "\0", "€ = 2", ")", "'", "x = = 1\n", "\ud800", "if x:\n"]) {
      const parsed = await parseModule(text);
      expect([text, parsed.root.type, [...parsed.nodes].length > 0]).toEqual([
        text,
        expect.any(String),
        true,
      ]);
    }
    expect((await parseModule("def f(:\n")).hasError).toBe(true);
  });

  test("of ten thousand brackets inside each other is built without overflow", async () => {
    const parsed = await parseModule(`x = ${"[".repeat(10_000)}${"]".repeat(10_000)}\n`);
    expect([...parsed.nodes].filter(({ type }) => type === "list")).toHaveLength(10_000);
  });
});

describe("positions", () => {
  test("count lines and code points from 1", async () => {
    const text = "a = '😀é'; b\r\n\n  c";
    const { position } = await parseModule(text).then((parsed) => ({
      position: (of: string) => parsed.position(text.indexOf(of)),
    }));
    expect(position("a")).toEqual({ line: 1, column: 1 });
    expect(position("é")).toEqual({ line: 1, column: 7 });
    expect(position("b")).toEqual({ line: 1, column: 11 });
    expect(position("\n\n")).toEqual({ line: 1, column: 13 });
    expect(position("c")).toEqual({ line: 3, column: 3 });
  });

  test("are found in a long line of wide characters", async () => {
    const text = "f('😀');".repeat(20_000);
    const parsed = await parseModule(text);
    const calls = [...parsed.nodes].filter(({ type }) => type === "call");
    expect(calls.map(({ startIndex }) => parsed.position(startIndex).column).at(-1)).toBe(
      19_999 * 7 + 1,
    );
  });

  test("at the end of the text and in an empty text", async () => {
    expect((await parseModule("ab\n")).position(3)).toEqual({ line: 2, column: 1 });
    expect((await parseModule("ab")).position(2)).toEqual({ line: 1, column: 3 });
    expect((await parseModule("")).position(0)).toEqual({ line: 1, column: 1 });
  });
});

describe("valid Python that the grammar cannot read is read all the same", () => {
  test.each([
    ["an operand", "def f():\n    x = (a +\nb)\n    def g(): pass\n"],
    ["an attribute", "def f():\n    (a.\n  b)\n    def g(): pass\n"],
    ["a condition", "def f():\n    x = (1 if y else  # '\n\\\n2)\n    def g(): pass\n"],
    ["a parameter", "class f:\n    def g(a:\nint = \\\n1): pass\n"],
    ["a field", "def f():\n    x = (f'{a +\nb}' +\nc)\n    def g(): pass\n"],
    [
      "a long field",
      "def f():\n    x = (f'''{a:>{b}}{{)\n{'''(''' + c}''' +\nc)\n    def g(): pass\n",
    ],
    ["a raw field", "def f():\n    x = (rf'\\N{a}\\'{b}' if'#'else\nc)\n    def g(): pass\n"],
    ["a named character", "def f():\n    x = (f'\\N{DASH}{b}\\'' +\nc)\n    def g(): pass\n"],
    ["defaults of types", "class f[T = int, *U = *tuple[int], **V = [str]]:\n    def g(): pass\n"],
    [
      "comparisons",
      "class f[T: a == b, *U = # c\n * # d\n (c != d), V = e <= f]:\n    def g(): pass\n",
    ],
    ["a long default", "class f[T = dict[\nint, '],'], S: (int) = str]:\n    def g(): pass\n"],
  ])("%s left of its block", async (_, text) => {
    const parsed = await parseModule(text);
    expect(parsed.hasError).toBe(false);
    const { functions, classes } = collectDefinitions(parsed);
    const names = [...functions, ...classes].map(({ qualifiedName }) => qualifiedName);
    expect(names.filter((name) => /^f\.(<locals>\.)?g$/.test(name))).toHaveLength(1);
  });

  test("and keeps the text as written", async () => {
    const text = "def f():\n    x = (a +  # comment\nb)\n";
    const parsed = await parseModule(text);
    const operator = [...parsed.nodes].find(({ type }) => type === "binary_operator");
    expect(operator?.text).toBe("a +  # comment\nb");
    expect(parsed.text).toBe(text);
  });

  test("and is not changed where that does not help", async () => {
    expect(await types("x = (a +\n# only a comment\n")).toContain("comment");
  });
});

describe("what the grammar reads otherwise than Python is mended", () => {
  const calls = async (text: string) => {
    const parsed = await parseModule(text);
    expect(parsed.hasError).toBe(false);
    for (const [i, node] of parsed.nodes.entries()) {
      expect(node.index).toBe(i);
      expect(node.children.every((child) => child.parent === node && child.index > i)).toBe(true);
      expect(node.startIndex).toBeGreaterThanOrEqual(parsed.nodes[i - 1]?.startIndex ?? 0);
    }
    return parsed.nodes
      .filter(({ type, isNamed }) => isNamed && (type === "call" || type === "list_splat"))
      .map(({ type, text: source }) => [type, source]);
  };

  test.each([
    [
      "[*a.b(c)]",
      [
        ["list_splat", "*a.b(c)"],
        ["call", "a.b(c)"],
      ],
    ],
    [
      "{1, *a(b)(c).d, 2}",
      [
        ["list_splat", "*a(b)(c).d"],
        ["call", "a(b)(c)"],
        ["call", "a(b)"],
      ],
    ],
    [
      "x = *a[b](c), d",
      [
        ["list_splat", "*a[b](c)"],
        ["call", "a[b](c)"],
      ],
    ],
    [
      "[*[*a(b)](c)]",
      [
        ["list_splat", "*[*a(b)](c)"],
        ["call", "[*a(b)](c)"],
        ["list_splat", "*a(b)"],
        ["call", "a(b)"],
      ],
    ],
  ])("a star in %s binds after what follows its operand", async (text, expected) => {
    expect(await calls(text)).toEqual(expected);
  });

  test.each([
    ["type(a).b = c(d)", ["type(a)", "c(d)"]],
    ["if x: type (a).b = 1", ["type (a)"]],
    ["type(a)[b] = c", ["type(a)"]],
    ["print >> a(b), c", ["a(b)"]],
    ["def f[T = a(b)](): pass", ["a(b)"]],
  ])("%s is an expression", async (text, expected) => {
    expect((await calls(text)).map(([, source]) => source)).toEqual(expected);
    expect(await types(text)).not.toContain("type_alias_statement");
    expect(await types(text)).not.toContain("print_statement");
  });

  test("an alias is one all the same", async () => {
    expect(await types("type A = int\ntype B[T] = T")).toContain("type_alias_statement");
  });

  test("many stars are mended without slowness that grows", async () => {
    const parsed = await parseModule(`x = [${"*a.b(c), ".repeat(20_000)}]\n`);
    const stars = parsed.nodes.filter(({ type }) => type === "list_splat");
    expect(stars).toHaveLength(20_000);
    expect(stars.every(({ text }) => text === "*a.b(c)")).toBe(true);
  });
});
