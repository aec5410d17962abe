import { expect, test } from "vitest";
import { readStructure } from "../../src/structure/facts.js";
import { parseModule } from "../../src/structure/parse.js";

const read = async (text: string) => readStructure(await parseModule(text));

test("an empty script has nothing", async () => {
  expect(await read("")).toEqual({
    requires_python: null,
    docstring: null,
    exports: null,
    entry_point: null,
    functions: [],
    classes: [],
    imports: [],
    import_details: [],
    truncated: [],
    dependencies: [],
    dependencies_source: "inferred",
  });
});

test("a script says what it has", async () => {
  const script = `# /// script
# requires-python = ">=3.12"
# dependencies = ["Requests >= 2"]
# ///
import os, requests
from os.path import join as j

__all__ = ["Greeter"]


class Greeter(Base, metaclass=Meta):
    """Greets.

    Attributes:
        name: Whom.
    """

    @retry(times=3)
    async def greet(self, name: "str", /, *titles: str, loud=False, **rest) -> str:
        """Say hello.

        At length.

        Args:
            name: Who is greeted,
                and how.
            *titles: Before the name.
            loud:
            rest: Is ignored.
        """
        if loud:
            raise Loud("!")


if __name__ == "__main__":
    Greeter()
`;
  const detail = {
    level: 0,
    names: null,
    alias: null,
    scope: "module",
    is_conditional: false,
    is_type_checking: false,
    origin: "standard_library",
    distribution: null,
    requirement: null,
  };
  const parameter = { annotation: null, default: null, description: null, required: false };
  expect(await read(script)).toEqual({
    requires_python: ">=3.12",
    docstring: null,
    exports: ["Greeter"],
    entry_point: { line_number: 35, end_line_number: 36 },
    functions: [
      {
        name: "greet",
        qualified_name: "Greeter.greet",
        description: "Say hello.\n\nAt length.",
        docstring: expect.stringMatching(
          /^Say hello\.\n\nAt length\.\n\nArgs:\n {4}name: [^]*ignored\.$/,
        ),
        is_async: true,
        is_generator: false,
        is_method: true,
        is_conditional: false,
        decorators: ["retry(times=3)"],
        parameters: [
          { ...parameter, name: "self", kind: "positional_only", required: true },
          {
            ...parameter,
            name: "name",
            kind: "positional_only",
            annotation: '"str"',
            description: "Who is greeted,\nand how.",
            required: true,
          },
          {
            ...parameter,
            name: "titles",
            kind: "var_positional",
            annotation: "str",
            description: "Before the name.",
          },
          { ...parameter, name: "loud", kind: "keyword_only", default: "False" },
          { ...parameter, name: "rest", kind: "var_keyword", description: "Is ignored." },
        ],
        return_type: "str",
        type_parameters: [],
        raises: ['Loud("!")'],
        complexity: { lines: 14, max_nesting: 1, mccabe: 2, cognitive: 1 },
        line_number: 19,
        end_line_number: 32,
      },
    ],
    classes: [
      {
        name: "Greeter",
        qualified_name: "Greeter",
        bases: ["Base", "metaclass=Meta"],
        decorators: [],
        type_parameters: [],
        is_conditional: false,
        description: "Greets.",
        docstring: "Greets.\n\nAttributes:\n    name: Whom.",
        line_number: 11,
        end_line_number: 32,
      },
    ],
    imports: ["os", "requests", "os.path"],
    import_details: [
      { ...detail, module: "os", line_number: 5, column: 8 },
      {
        ...detail,
        module: "requests",
        line_number: 5,
        column: 12,
        origin: "declared",
        distribution: "requests",
        requirement: "requests>=2",
      },
      {
        ...detail,
        module: "os.path",
        names: [{ name: "join", alias: "j" }],
        line_number: 6,
        column: 6,
      },
    ],
    dependencies: ["requests>=2"],
    dependencies_source: "pep723",
    truncated: [],
  });
});

test("dependencies are inferred where none can be read", async () => {
  const text = "# /// script\n# dependencies = [\n# ///\nimport requests\n";
  expect(await read(text)).toMatchObject({
    dependencies: ["requests"],
    dependencies_source: "inferred",
  });
});

test("an import has as many entries as there are distributions behind it", async () => {
  const text = "from google.cloud import storage, bigquery, storage_v1\n";
  const { import_details } = await read(text);
  expect(import_details.map(({ names, distribution }) => [names?.length, distribution])).toEqual([
    [2, "google-cloud-storage"],
    [1, "google-cloud-bigquery"],
  ]);
});

test("a script of imports does not become a hundred times as long", async () => {
  const { import_details, imports, truncated } = await read(`import a${", b".repeat(20_000)}\n`);
  expect(import_details).toHaveLength(5_000);
  expect(truncated).toEqual(["import_details"]);
  expect(imports).toEqual(["a", "b"]);
});

test("what is no Python has structure as far as it goes", async () => {
  const text = "def f(a, b):\n    '''d'''\n\nclass A(:\n    def g(self\n\n)) import\n";
  const { functions } = await read(text);
  expect(functions.map(({ name }) => name)).toContain("f");
});
