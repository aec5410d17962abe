import { TOOL_PROFILES, type ToolDescription, type ToolProfile } from "@sluice/contracts";
import { describe, expect, test } from "vitest";
import { collectDefinitions, functionFactsOf } from "../src/structure/definitions.js";
import { parseModule } from "../src/structure/parse.js";
import { describeTools } from "../src/tools/index.js";

async function toolsOf(
  source: string,
  profile: ToolProfile = "fastmcp",
): Promise<ToolDescription[]> {
  const parsed = await parseModule(source);
  return describeTools(
    parsed,
    collectDefinitions(parsed).functions.map((definition) => functionFactsOf(parsed, definition)),
    profile,
  );
}

async function toolOf(source: string, profile: ToolProfile = "fastmcp"): Promise<ToolDescription> {
  const [tool, ...more] = await toolsOf(source, profile);
  expect(more).toEqual([]);
  return tool!;
}

const codes = ({ diagnostics }: ToolDescription): string[] => diagnostics.map(({ code }) => code);
const properties = ({ tool }: ToolDescription): unknown => tool?.inputSchema["properties"];

test("bytes end where their quotes are, whatever stands before these", async () => {
  const described = await toolOf("def f(a: bytes = b'x\\n' rb'\\n' b'\\101\\\n'):\n  'D.'\n");
  expect(properties(described)).toMatchObject({ a: { default: "x\n\\nA" } });
});

describe("which functions are tools", () => {
  const names = async (source: string): Promise<string[]> =>
    (await toolsOf(source)).map((tool) => tool.function);

  test("the public ones at the top level", async () => {
    expect(
      await names(
        "def a(): pass\ndef _b(): pass\nif x:\n  def c(): pass\nclass D:\n  def e(self): pass\ndef f():\n  def g(): pass\n",
      ),
    ).toEqual(["a", "f"]);
  });

  test("those that `__all__` names, wherever in the module they are defined", async () => {
    expect(
      await names(
        "__all__ = ['c', '_b']\n__all__ += ['missing']\ndef a(): pass\ndef _b(): pass\nif x:\n  def c(): pass\n",
      ),
    ).toEqual(["_b", "c"]);
  });

  test.each([
    ["a sum", "__all__ = ['a'] + ['c']"],
    ["methods", "__all__ = ['a', 'b']\n__all__.append('c')\n__all__.remove('b')"],
    ["the last assignment", "__all__ = ['b']\n__all__ = ['a', 'c']"],
    ["what is certain of it", "__all__ = ['a', 'c']\n__all__ += other.__all__"],
  ])("those that `__all__` names by %s", async (_, exports) => {
    const functions = "def a(): pass\ndef b(): pass\ndef c(): pass\n";
    expect(await names(`${exports}\n${functions}`)).toEqual(["a", "c"]);
  });

  test("an `__all__` that cannot be read says nothing", async () => {
    expect(await names("__all__ = make()\ndef a(): pass\n")).toEqual(["a"]);
  });

  test("decorated ones alone, inside functions too", async () => {
    const source =
      "def a(): pass\n@mcp.tool\ndef b(): pass\ndef build(server):\n  @server.tool()\n  def c(): pass\n@tool('x')\nasync def d(): pass\n";
    expect(await names(source)).toEqual(["b", "c", "d"]);
  });

  test("of several with one name the last, and no overloads", async () => {
    const tools = await toolsOf(
      "from typing import overload\n@overload\ndef a(x: int): ...\n@overload\ndef a(x: str): ...\ndef a(x): pass\ndef b(): pass\ndef b(y): pass\n",
    );
    expect(tools.map(({ function: name, line_number }) => [name, line_number])).toEqual([
      ["a", 6],
      ["b", 8],
    ]);
  });

  test("those that a call registers, with what it says of them", async () => {
    const source = [
      "from fastmcp import FastMCP",
      "from fastmcp.tools import Tool",
      ..."abcdefgh".split("").map((name) => `def ${name}(x: int): '${name}'`),
      "mcp = FastMCP('s', tools=[a])",
      "mcp.tool(b, name='two')",
      "mcp.tool(description='said')(c)",
      "t = mcp.add_tool(Tool.from_function(d, title='Four'))",
      "for each in (e, f): mcp.add_tool(each)",
      "other.add_tool(unknown)",
      "run(h)",
    ].join("\n");
    const tools = (await toolsOf(source)).map(({ function: name, tool }) => [
      name,
      tool?.name,
      tool?.title,
      tool?.description,
    ]);
    expect(tools).toEqual([
      ["a", "a", "A", "a"],
      ["b", "two", "Two", "b"],
      ["c", "c", "C", "said"],
      ["d", "d", "Four", "d"],
      ["e", "e", "E", "e"],
      ["f", "f", "F", "f"],
    ]);
  });

  test("the SDK's calls take what they say in order, too", async () => {
    const source =
      "import mcp\ndef a(x: int) -> int: 'a'\ndef b(x: int): 'b'\ns.add_tool(a, 'one', 'One', 'First.')\n@s.tool('two', 'Two')\ndef c(): 'c'\n";
    const tools = await toolsOf(source, "mcp");
    expect(tools.map(({ tool }) => [tool?.name, tool?.title, tool?.description])).toEqual([
      ["one", "One", "First."],
      ["two", "Two", "c"],
    ]);
  });

  test("calls of that name register nothing where no runtime is imported", async () => {
    expect(await names("def a(): pass\ndef b(): pass\nbox.add_tool(a)\n")).toEqual(["a", "b"]);
  });

  test("a module without functions has none", async () => {
    expect(await toolsOf("")).toEqual([]);
    expect(await toolsOf("x = 1\n")).toEqual([]);
  });
});

// The expected schemas are those of the same references on CPython 3.12, which alone can read these scripts.
describe("type parameters", () => {
  const inputOf = async (source: string): Promise<unknown> =>
    (await toolOf(`from pydantic import BaseModel\n${source}`)).tool?.inputSchema;

  test("of classes", async () => {
    const source = "class Box[T: int](BaseModel):\n  item: T\ndef f(a: Box, b: Box[bool]): 'f'\n";
    expect(await inputOf(source)).toMatchObject({
      $defs: {
        Box: { properties: { item: { type: "integer" } } },
        Box_bool_: { properties: { item: { type: "boolean" } } },
      },
      properties: { a: { $ref: "#/$defs/Box" }, b: { $ref: "#/$defs/Box_bool_" } },
    });
  });

  test("of aliases, which may be in each other", async () => {
    const source =
      "type Kind = str\ntype Opt[T] = T | None\ntype Rec = int | list[Rec]\ndef f(a: Opt[Kind], b: Rec): 'f'\n";
    expect(await inputOf(source)).toMatchObject({
      $defs: {
        Kind: { type: "string" },
        Opt_Kind_: { anyOf: [{ $ref: "#/$defs/Kind" }, { type: "null" }] },
        Rec: {
          anyOf: [{ type: "integer" }, { items: { $ref: "#/$defs/Rec" }, type: "array" }],
        },
      },
    });
  });

  test("of functions, with constraints", async () => {
    const source = "def f[T: (int, str)](a: T, b: list[T]) -> T: 'f'\n";
    expect(await inputOf(source)).toMatchObject({
      properties: {
        a: { anyOf: [{ type: "integer" }, { type: "string" }] },
        b: { items: { anyOf: [{ type: "integer" }, { type: "string" }] } },
      },
    });
  });

  test("make `typing.TypedDict` readable, as it is from Python 3.12 on", async () => {
    const source = "from typing import TypedDict\nclass D(TypedDict):\n  a: int\n";
    expect(await inputOf(`${source}def f(a: D): 'f'\n`)).toBeUndefined();
    expect(await inputOf(`${source}type T = D\ndef f(a: T): 'f'\n`)).toMatchObject({
      $defs: { D: { properties: { a: { type: "integer" } } } },
    });
  });
});

describe("functions of the script that are followed", () => {
  test("are not when they go on for too long, without a way out for the rest", async () => {
    const source = [
      "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)",
      "def loop(n):",
      "  x = 0",
      "  for i in range(n):",
      "    x += i",
      "  return x",
      "def f(a: int = fib(40), b: int = loop(10**9), c: int = fib(9), d: int = loop(4)): 'f'",
    ].join("\n");
    const tool = (await toolsOf(source)).find((each) => each.function === "f")!;
    expect(properties(tool)).toEqual({
      a: { type: "integer" },
      b: { type: "integer" },
      c: { default: 34, type: "integer" },
      d: { default: 6, type: "integer" },
    });
    expect(tool.diagnostics.map(({ code, parameter }) => [code, parameter])).toEqual([
      ["unknown_default", "a"],
      ["unknown_default", "b"],
    ]);
  });

  test("are not where they change what others see, or wait", async () => {
    const source = [
      "def grow(x=[]):",
      "  x += [1]",
      "  return x",
      "def out():",
      "  print('x')",
      "  return 1",
      "async def later(): return 1",
      "def many(): yield 1",
      "def f(a: list = grow([2]), b: int = out(), c: int = later(), d: list = many()): 'f'",
    ].join("\n");
    const tool = (await toolsOf(source)).find((each) => each.function === "f")!;
    expect(codes(tool)).toEqual(Array(4).fill("unknown_default"));
  });
});

describe("what is said of a tool", () => {
  test("without a docstring it cannot be found", async () => {
    const tool = await toolOf("def f(a: int): pass\n");
    expect(tool).toMatchObject({ discoverable: false, tool: { name: "f" } });
    expect(codes(tool)).toEqual(["no_docstring"]);
  });

  test("a description in the decorator will do", async () => {
    expect(await toolOf("@mcp.tool(description='Does it.')\ndef f(): pass\n")).toMatchObject({
      discoverable: true,
      diagnostics: [],
    });
  });

  test.each([
    ["def f(a, /):\n  'D.'\n", "fastmcp", "positional_only_parameter", "a"],
    ["def f(*items):\n  'D.'\n", "fastmcp", "variadic_parameter", "items"],
    ["def f(**options):\n  'D.'\n", "fastmcp", "variadic_parameter", "options"],
    ["def f(_a):\n  'D.'\n", "mcp", "underscore_parameter", "_a"],
    ["def f(model_config):\n  'D.'\n", "mcp", "reserved_parameter", "model_config"],
    ["def f(a: 'Nowhere'):\n  'D.'\n", "fastmcp", "undefined_name", "a"],
    ["def f(a: int, b: bytearray):\n  'D.'\n", "fastmcp", "unsupported_type", "b"],
    ["def f(a: int, b: bytearray):\n  'D.'\n", "mcp", "unsupported_type", "b"],
    ["class C: pass\ndef f(a: list[dict[str, C]]):\n  'D.'\n", "mcp", "unsupported_type", "a"],
    [
      "from typing import Callable\ndef f(a: Callable):\n  'D.'\n",
      "fastmcp",
      "unsupported_type",
      "a",
    ],
    [
      "from typing import TypedDict\nclass T(TypedDict):\n  x: int\ndef f(a: T):\n  'D.'\n",
      "fastmcp",
      "unsupported_type",
      "a",
    ],
    [
      "from typing import List\ndef f(a: 'List[1, 2'):\n  'D.'\n",
      "fastmcp",
      "invalid_annotation",
      "a",
    ],
    [
      "from typing import Iterator\ndef f() -> Iterator[int]:\n  'D.'\n",
      "mcp",
      "unsupported_type",
      null,
    ],
  ] as const)("%j is refused by %s: %s", async (source, profile, code, parameter) => {
    const tool = await toolOf(source, profile);
    expect(tool.tool).toBeNull();
    expect(tool.diagnostics).toEqual([
      { code, message: expect.stringMatching(parameter ?? "return"), parameter },
    ]);
  });

  test("what only running tells is left open, and said", async () => {
    const source =
      "import numpy as np\nfrom here import Thing\ndef f(a: np.ndarray, b: list[Thing], c: int = compute()) -> Thing:\n  'D.'\n";
    for (const profile of TOOL_PROFILES) {
      const tool = await toolOf(source, profile);
      expect(properties(tool)).toMatchObject({
        a: expect.not.objectContaining({ type: expect.anything() }),
        b: { items: {}, type: "array" },
      });
      expect(JSON.stringify(properties(tool))).not.toContain("default");
      expect(tool.tool).not.toHaveProperty("outputSchema");
      expect(tool.tool!.inputSchema["required"]).toEqual(["a", "b"]);
      expect(tool.diagnostics.map(({ code, parameter }) => [code, parameter])).toEqual(
        expect.arrayContaining([
          ["unknown_type", "a"],
          ["unknown_type", "b"],
          ["unknown_default", "c"],
          ["unknown_type", null],
        ]),
      );
    }
  });

  test("names that only type checkers see are said", async () => {
    const source =
      "from __future__ import annotations\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  from collections.abc import Sequence\ndef f(a: Sequence[int]):\n  'D.'\n";
    const tool = await toolOf(source);
    expect(properties(tool)).toEqual({ a: { items: { type: "integer" }, type: "array" } });
    expect(tool.diagnostics).toEqual([
      {
        code: "type_checking_import",
        message: expect.stringContaining("Sequence"),
        parameter: "a",
      },
    ]);
  });

  test("a value that depends on the branch taken is not guessed", async () => {
    const tool = await toolOf("if here():\n  X = 1\nelse:\n  X = 2\ndef f(a=X):\n  'D.'\n");
    expect(properties(tool)).toEqual({ a: {} });
    expect(codes(tool)).toEqual(["unknown_default"]);
  });

  test("branches on the version are decided", async () => {
    const source =
      "import sys\nif sys.version_info >= (3, 9):\n  from typing import List as L\nelse:\n  from mine import L\nif sys.version_info[0] == 2:\n  X = 1\nelse:\n  X = 2\ndef f(a: L[int], b=X):\n  'D.'\n";
    expect(properties(await toolOf(source))).toEqual({
      a: { items: { type: "integer" }, type: "array" },
      b: { default: 2, title: "B" },
    });
  });

  test("a fallback import stands in for nothing but a failure", async () => {
    const source =
      "try:\n  from typing import Annotated\nexcept ImportError:\n  from elsewhere import Annotated\ndef f(a: Annotated[int, 'One.']):\n  'D.'\n";
    expect(properties(await toolOf(source))).toEqual({
      a: { description: "One.", type: "integer" },
    });
  });

  test("what is changed after it was made is not a default", async () => {
    expect(codes(await toolOf("X = []\nX.append(1)\ndef f(a=X):\n  'D.'\n"))).toEqual([
      "unknown_default",
    ]);
    expect(codes(await toolOf("X = {}\nX['a'] = 1\ndef f(a=X):\n  'D.'\n"))).toEqual([
      "unknown_default",
    ]);
    expect(properties(await toolOf("X = 1\nX += 2\ndef f(a=X):\n  'D.'\nX = 9\n"))).toEqual({
      a: { default: 3, title: "A" },
    });
  });

  test("other decorators are mentioned", async () => {
    expect(codes(await toolOf("@cache\ndef f(a: int):\n  'D.'\n"))).toEqual(["decorated"]);
  });

  test("a name that MCP does not ask for is mentioned", async () => {
    expect(codes(await toolOf("@mcp.tool(name='a b')\ndef f():\n  'D.'\n"))).toEqual(["tool_name"]);
    expect(codes(await toolOf("@mcp.tool(name=make())\ndef f():\n  'D.'\n"))).toEqual([
      "unknown_option",
    ]);
  });

  test("an integer that JSON readers would round is left out", async () => {
    const tool = await toolOf("def f(a=2**64, b=2**53 - 1):\n  'D.'\n");
    expect(properties(tool)).toEqual({ a: {}, b: { default: 9007199254740991, title: "B" } });
    expect(codes(tool)).toEqual(["unknown_default"]);
  });

  test("a tool inside a function sees the names there", async () => {
    const source =
      "def build(server, extra):\n  LIMIT = 3\n  @server.tool\n  def f(a: int = LIMIT, b=extra):\n    'D.'\n";
    const tool = await toolOf(source);
    expect(properties(tool)).toEqual({ a: { default: 3, type: "integer" }, b: {} });
    expect(codes(tool)).toEqual(["unknown_default"]);
  });
});

describe("hostile scripts", () => {
  test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "a parameter may be called %s",
    async (name) => {
      for (const profile of TOOL_PROFILES) {
        const tool = await toolOf(
          `def f(a: int, ${name === "__proto__" && profile === "mcp" ? "b" : name}: str = "x"):\n  'D.'\n`,
          profile,
        );
        expect(Object.keys(properties(tool) as object)).toHaveLength(2);
      }
    },
  );

  test.each([
    [
      "an annotation nested 20,000 deep",
      `def f(a: ${"list[".repeat(20_000)}int${"]".repeat(20_000)}):\n  'D.'\n`,
    ],
    [
      "a union of 5,000",
      `from typing import Literal\ndef f(a: ${Array.from({ length: 5000 }, (_, i) => `Literal[${i}]`).join(" | ")}):\n  'D.'\n`,
    ],
    ["a sum of 50,000", `def f(a=${"1+".repeat(50_000)}1):\n  'D.'\n`],
    [
      "a power without end",
      "def f(a=9**9**9**9, b='x'*10**12, c=1<<10**12, d=[0]*10**9, e=-9**9**9):\n  'D.'\n",
    ],
    [
      "types that double",
      `T0 = tuple[int, int]\n${Array.from({ length: 60 }, (_, i) => `T${i + 1} = tuple[T${i}, T${i}]`).join("\n")}\ndef f(a: T60) -> T60:\n  'D.'\n`,
    ],
    [
      "typing's types that double",
      `from typing import *\nT0 = Tuple[int, str]\n${Array.from({ length: 60 }, (_, i) => `T${i + 1} = Union[List[T${i}], Dict[str, T${i}]]`).join("\n")}\ndef f(a: T60) -> T60:\n  'D.'\n`,
    ],
    [
      "values that double",
      `V0 = [1, 2]\n${Array.from({ length: 60 }, (_, i) => `V${i + 1} = [V${i}, V${i}]`).join("\n")}\ndef f(a=V60):\n  'D.'\n`,
    ],
    [
      "texts that double",
      `V0 = "ab"\n${Array.from({ length: 60 }, (_, i) => `V${i + 1} = V${i} + V${i}`).join("\n")}\ndef f(a=V60):\n  'D.'\n`,
    ],
    [
      "methods and formats that grow",
      `A = "a" * 100_000\nB = A.replace("a", A)\nC = A.join(A)\nD = ("{0}" * 30_000).format(A)\nE = ("%(a)s" * 20_000) % {"a": A}\nF = f"${"{A}".repeat(5000)}"\nG = A.center(10**12)\nH = f"{1:{10**9}}"\nI = round(1.5, 10**9)\ndef f(a=B, b=C, c=D, d=E, e=F, g=G, h=H, i=I, j=bytes(10**12), k=10**10**9 % 7):\n  'D.'\n`,
    ],
    [
      "comprehensions without end",
      "A = [x for x in range(10**9)]\nB = [(x, y, z) for x in range(9999) for y in range(9999) for z in range(9999)]\nC = [[[w for w in range(99)] for x in range(99)] for y in range(99)]\nD = sum(x for x in range(10**6))\nE = list(map(lambda x: (lambda y: y)(x), range(9999)))\ndef f(a=A, b=B, c=C, d=D, e=E, g=sorted(E, key=lambda x: -x), h=(lambda f: f(f))(lambda f: f(f))):\n  'D.'\n",
    ],
    [
      "a path of 20,000 names",
      `from pathlib import Path\ndef f(a=Path("a")${' / "b"'.repeat(20_000)}, b=str(Path(*["a"] * 50_000))):\n  'D.'\n`,
    ],
    [
      "patterns and addresses that are none",
      `from typing import Annotated\nfrom pydantic import Field\nimport ipaddress\nfrom datetime import *\nfrom decimal import Decimal\ndef f(a: Annotated[str, Field(pattern="${"(".repeat(50_000)}")], b: Annotated[str, Field(pattern="${"[".repeat(50_000)}")] = "", c=ipaddress.ip_address("::" * 9999), d=date(10**30, 1, 1) + timedelta(10**30), e=Decimal("1e999999") + 1, g=Decimal(1e300) * Decimal(5e-324)):\n  'D.'\n`,
    ],
    [
      "a type that is itself",
      "X = X\nclass A(A): pass\nJ = list['J']\ndef f(a: X, b: 'J', c: A = A()) -> 'J':\n  'D.'\n",
    ],
    [
      "classes that are each other",
      "from pydantic import BaseModel\nclass A(B): pass\nclass B(A): pass\nclass C(BaseModel):\n  c: 'C'\n  d: 'D'\nclass D(C):\n  pass\ndef f(a: A, c: C, d: D) -> D:\n  'D.'\n",
    ],
    [
      "strings in strings",
      `def f(a: ${"'".repeat(1)}"'int'"${"'".repeat(1)}, b: '${"(".repeat(5000)}int${")".repeat(5000)}'):\n  'D.'\n`,
    ],
    [
      "generic classes that grow",
      "from typing import *\nfrom pydantic import BaseModel\nT = TypeVar('T')\nclass B(BaseModel, Generic[T]):\n  x: Optional['B[list[T]]'] = None\ndef f(a: B[int]):\n  'D.'\n",
    ],
    [
      "syntax that Python has no words for",
      "def f(a: , b: int] = {, *, **):\n  'D.'\nclass (:\n  x: [\n",
    ],
    [
      "10,000 parameters",
      `def f(${Array.from({ length: 10_000 }, (_, i) => `p${i}: int = ${i}`).join(", ")}):\n  'D.'\n`,
    ],
  ])(
    "%s ends",
    async (_, source) => {
      for (const profile of TOOL_PROFILES) {
        for (const tool of await toolsOf(source, profile))
          expect(() => JSON.stringify(tool)).not.toThrow();
      }
    },
    60_000,
  );

  test("many tools over a large model come to a bounded output, and the rest are said not to be described", async () => {
    const fields = Array.from({ length: 1000 }, (_, i) => `  field_${i}: int = ${i}`).join("\n");
    const functions = Array.from({ length: 1000 }, (_, i) => `def f${i}(a: M):\n  'D.'`).join("\n");
    const tools = await toolsOf(
      `from pydantic import BaseModel\nclass M(BaseModel):\n${fields}\n${functions}\n`,
    );
    expect(tools).toHaveLength(1000);
    expect(tools[0]!.tool).not.toBeNull();
    expect(tools.at(-1)).toMatchObject({ tool: null, diagnostics: [{ code: "too_large" }] });
  }, 60_000);
});
