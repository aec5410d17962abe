import { deflateSync } from "node:zlib";
import { expect, test, vi } from "vitest";
import { resolveUses } from "../../../src/capabilities/uses.js";
import { parseModule } from "../../../src/structure/parse.js";

// Machines that run tests are busy.
vi.setConfig({ testTimeout: 60_000 });

const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => `${line(i)}\n`).join("");
const bomb = deflateSync(Buffer.alloc(50_000_000)).toString("base64");

// Each would take minutes, or more memory than there is, if the work was not limited.
test.each([
  ["texts that double", `x = 'a'\n${lines(5_000, () => "x = x + x")}`],
  ["lists that double", `x = [1]\n${lines(5_000, () => "x = x * 2")}`],
  ["repetitions", "x = 'a' * 10 ** 12\ny = [0] * 10 ** 12\nz = b'a' * 2 ** 64\n"],
  ["powers", lines(5_000, () => "x = 7 ** 99999 % 1000 ** 9999")],
  ["shifts", "x = 1 << 10 ** 9\ny = x * x\n"],
  ["formats", "x = '%999999999d' % 1\ny = f'{1:999999999}'\nz = '{:>99999999}'.format('a')\n"],
  ["fills", "x = 'a'.ljust(10 ** 9)\ny = 'a'.zfill(10 ** 9)\nz = bytes(10 ** 9)\n"],
  ["replacements", `x = 'a' * 60000\ny = x.replace('a', x)\nz = x.join(x)\n`],
  [
    "loops in loops",
    lines(500, () => "for i in range(9999):\n  for j in range(9999):\n    x = chr(i)"),
  ],
  [
    "comprehensions",
    lines(500, () => "x = [[[a for a in range(999)] for b in range(999)] for c in range(999)]"),
  ],
  [
    "calls in calls",
    lines(2_000, (i) => `def f${i}(a): return ${i ? `f${i - 1}(a) + f${i - 1}(a)` : "a"}`) +
      lines(2_000, (i) => `f${i}('a')`),
  ],
  ["recursion", "def f(a): return f(a + 'a') + f(a)\nf('a')\n"],
  ["ways through", lines(5_000, (i) => `if u: x${i % 50} = '${i}'`)],
  ["exits", `for i in 'abc':\n${lines(3_000, () => "  if u: continue")}`],
  [
    "alternatives",
    `${lines(40, (i) => `a${i} = 'a' if u else 'b'`)}x = ${Array.from({ length: 40 }, (_, i) => `a${i}`).join(" + ")}\n`,
  ],
  ["parentheses", `x = ${"(".repeat(190)}1${")".repeat(190)}\n`],
  ["operands", `x = ${"'a' + ".repeat(20_000)}'a'\n`],
  [
    "decompression",
    `import zlib, base64\n${lines(5, () => `x = zlib.decompress(base64.b64decode('${bomb}'))`)}`,
  ],
  ["code in code", lines(300, (i) => `exec('exec("x = ${i}")')`)],
  ["code that makes code", "c = 'exec(c + c)'\nexec(c)\n"],
  ["brackets in code", `exec('${"[".repeat(100_000)}')\n`],
])("%s are followed as far as there is time", async (_, source) => {
  expect(resolveUses(await parseModule(source)).names).toBeDefined();
});
