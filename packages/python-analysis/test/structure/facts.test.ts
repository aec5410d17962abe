import { expect, test } from "vitest";
import { readStructure } from "../../src/structure/facts.js";
import { parseModule } from "../../src/structure/parse.js";

const read = async (text: string) => readStructure(await parseModule(text));

test("an empty script has nothing", async () => {
  expect(await read("")).toEqual({
    requires_python: null,
    functions: [],
    classes: [],
    imports: [],
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
import os.path


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
`;
  const parameter = { annotation: null, default: null, description: null, required: false };
  expect(await read(script)).toEqual({
    requires_python: ">=3.12",
    functions: [
      {
        name: "greet",
        qualified_name: "Greeter.greet",
        description: "Say hello.\n\nAt length.",
        docstring: expect.stringMatching(
          /^Say hello\.\n\nAt length\.\n\nArgs:\n {4}name: [^]*ignored\.$/,
        ),
        is_async: true,
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
        line_number: 17,
        end_line_number: 28,
      },
    ],
    classes: [
      {
        name: "Greeter",
        qualified_name: "Greeter",
        bases: ["Base", "metaclass=Meta"],
        description: "Greets.",
        docstring: "Greets.\n\nAttributes:\n    name: Whom.",
        line_number: 9,
        end_line_number: 28,
      },
    ],
    imports: ["os", "requests", "os.path"],
    dependencies: ["requests>=2"],
    dependencies_source: "pep723",
  });
});

test("dependencies are inferred where none can be read", async () => {
  const text = "# /// script\n# dependencies = [\n# ///\nimport requests\n";
  expect(await read(text)).toMatchObject({
    dependencies: ["requests"],
    dependencies_source: "inferred",
  });
});

test("what is no Python has structure as far as it goes", async () => {
  const text = "def f(a, b):\n    '''d'''\n\nclass A(:\n    def g(self\n\n)) import\n";
  const { functions } = await read(text);
  expect(functions.map(({ name }) => name)).toContain("f");
});
