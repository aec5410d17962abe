import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { resolveUses } from "../../src/capabilities/uses.js";
import { parseModule } from "../../src/structure/parse.js";

/** `line capability reference` of what a script can do, each once, but for running code itself. */
async function usesOf(source: string): Promise<string[]> {
  const parsed = await parseModule(source);
  const found = resolveUses(parsed).uses.map(({ capability, reference, node }) => {
    return `${parsed.position(node.startIndex).line} ${capability} ${reference}`;
  });
  return [...new Set(found)].filter((use) => !/ (?:code|data\.codec|concurrency)\b/.test(use));
}

const CODE = "import os\nos.system('x')";
const literal = JSON.stringify(CODE);
const base64 = Buffer.from(CODE).toString("base64");
const zipped = deflateSync(CODE).toString("base64");
const numbers = Array.from(CODE, (c) => c.charCodeAt(0)).join(", ");
const backwards = JSON.stringify(Array.from(CODE).toReversed().join(""));

describe("code in constant strings is read", () => {
  test.each([
    ["by exec", `exec(${literal})`, 1],
    ["by eval", `eval("__import__('os').system('x')")`, 1],
    ["by exec under another name", `e = exec\ne(${literal})`, 2],
    ["by exec out of builtins", `import builtins\ngetattr(builtins, 'ex' + 'ec')(${literal})`, 2],
    ["by compile", `exec(compile(${literal}, 'a', 'exec'))`, 1],
    ["by timeit", `import timeit\ntimeit.timeit("os.system('x')", setup='import os')`, 2],
    ["by an interpreter", `import code\ncode.InteractiveInterpreter().runsource(${literal})`, 2],
    [
      "by a thread",
      `import threading\nthreading.Thread(target=exec, args=(${literal},)).start()`,
      2,
    ],
    ["by map", `list(map(exec, [${literal}]))`, 1],
    ["with names of the script", "import os\nexec(\"os.system('x')\")", 2],
    ["with names of the function", "def f():\n  import os\n  exec(\"os.system('x')\")", 3],
    ["in a function it is given to", `def f(c):\n  exec(c)\nf(${literal})`, 2],
    ["in code in a string", `exec(${JSON.stringify(`exec(${literal})`)})`, 1],
    ["as bytes", `exec(b${literal})`, 1],
    ["out of base64", `import base64\nexec(base64.b64decode('${base64}'))`, 2],
    ["out of zlib", `import zlib, base64\nexec(zlib.decompress(base64.b64decode('${zipped}')))`, 2],
    ["out of numbers", `exec(''.join(map(chr, [${numbers}])))`, 1],
    ["out of numbers, one by one", `s = ''\nfor n in [${numbers}]:\n  s += chr(n)\nexec(s)`, 4],
    ["backwards", `exec(${backwards}[::-1])`, 1],
    ["with other line ends", `exec("import os\\r\\nos.system('x')\\r")`, 1],
  ])("%s", async (_, source, line) => {
    expect(await usesOf(source)).toEqual([`${line} process.spawn os.system`]);
  });

  test("and what it binds is known outside", async () => {
    expect(await usesOf("exec('import os as o')\no.system('x')")).toEqual([
      "2 process.spawn os.system",
    ]);
    expect(await usesOf("import os\nexec(\"n = 'system'\")\ngetattr(os, n)('x')")).toEqual([
      "3 process.spawn os.system",
    ]);
    expect(await usesOf("m = eval(\"__import__('os')\")\nm.system('x')")).toEqual([
      "2 process.spawn os.system",
    ]);
  });

  test("and the chain says where", async () => {
    const { uses, chain } = resolveUses(await parseModule(`x = 1\nexec(${literal})`));
    const use = uses.find(({ capability }) => capability === "process.spawn")!;
    expect(chain(use.origin)).toEqual(["os.system", "import os", "line 2 of code run by exec"]);
  });
});

test.each([
  ["harmless code", "exec('x = 1')\neval('1 + 1')"],
  ["code that is not run", `x = ${literal}\nprint(x)`],
  ["code for something else of the same name", `def exec(c): pass\nexec(${literal})`],
  ["a method of the same name", `cursor.execute(${literal})\nmodel.eval(${literal})`],
])("nothing is found in %s", async (_, source) => {
  expect(await usesOf(source)).toEqual([]);
});

test("code that is too deep or too long to be read is unresolved", async () => {
  let code = CODE;
  for (let i = 0; i < 8; i++) code = `exec(${JSON.stringify(code)})`;
  expect(await usesOf(code)).toEqual([expect.stringMatching(/^1 unresolved exec\(/)]);
  const long = `exec(${JSON.stringify(`#${"a".repeat(200_000)}`)})`;
  expect(await usesOf(long)).toEqual([expect.stringMatching(/^1 unresolved exec\(/)]);
});

describe("what takes effect without being seen", () => {
  /** `line reference` of what is hidden. */
  async function hiddenIn(source: string): Promise<string[]> {
    const parsed = await parseModule(source);
    return resolveUses(parsed)
      .uses.filter(({ capability }) => capability === "obfuscation")
      .map(({ reference, node }) => `${parsed.position(node.startIndex).line} ${reference}`);
  }

  const escaped = Array.from(
    CODE,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  ).join("");

  test.each([
    ["base64", `import base64\nexec(base64.b64decode('${base64}'))`, "2 exec of hidden code"],
    ["base64 of something", "import base64\nexec(base64.b64decode(f()))", "2 exec of hidden code"],
    ["bytes by marshal", "import marshal\nexec(marshal.loads(x))", "2 exec of hidden code"],
    [
      "in a name",
      `import base64\nx = base64.b64decode('${base64}')\neval(x)`,
      "3 eval of hidden code",
    ],
    [
      "compiled",
      `import zlib\nexec(compile(zlib.decompress(x), '', 'exec'))`,
      "2 compile of hidden code",
    ],
    ["escapes", `exec('${escaped}')`, "1 exec of hidden code"],
    ["numbers", `exec(''.join(map(chr, [${numbers}])))`, "1 exec of hidden code"],
    ["backwards", `exec(${backwards}[::-1])`, "1 exec of hidden code"],
    ["rot13", "import codecs\nexec(codecs.decode('vzcbeg bf', 'rot13'))", "2 exec of hidden code"],
    ["a name backwards", "import os\ngetattr(os, 'metsys'[::-1])", "2 getattr by a hidden name"],
    [
      "a module in base64",
      "import base64\n__import__(base64.b64decode('b3M=').decode())",
      "2 __import__ by a hidden name",
    ],
  ])("%s", async (_, source, expected) => {
    expect(await hiddenIn(source)).toEqual([expected]);
  });

  test.each([
    ["text that is only decoded", `import base64\nx = base64.b64decode('${base64}')\nprint(x)`],
    ["code that is written out", `exec(${literal})\neval('1 + 1')\neval(x)`],
    ["joined text", "import os\ngetattr(os, ''.join(['get', 'cwd']))()"],
    ["names of objects", "getattr(x, 'tixe'[::-1])()"],
    ["a few escapes", "exec('print(\"a\\\\x41\\\\x42\")')"],
  ])("not %s", async (_, source) => {
    expect(await hiddenIn(source)).toEqual([]);
  });
});
