import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  ANALYSER_VERSION,
  type Analysers,
  createAnalysers,
  decodeSource,
  DEFAULT_POLICY,
  extractMetadata,
  ParserKilled,
  parseModule,
  PYTHON_VERSION,
} from "@sluice/python-analysis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const GOOD = Buffer.from(
  'def add(a: int, b: int = 1) -> int:\n    """Add two numbers."""\n    return a + b\n',
);
const SIZE = 10_000_000;
const fill = (piece: string): string => piece.repeat(SIZE / piece.length);

describe("reports", () => {
  let analysers: Analysers;
  const warnings: object[] = [];

  beforeAll(async () => {
    analysers = await createAnalysers({
      threads: 2,
      timeoutMs: 4_000,
      maxMemoryMb: 192,
      verdict: true,
      log: { warn: (details) => warnings.push(details) },
    });
  }, 120_000);
  afterAll(() => analysers.close());

  const report = (source: string | Uint8Array) =>
    analysers.report(typeof source === "string" ? Buffer.from(source) : source, DEFAULT_POLICY);

  test("say which analyser and which Python judged", async () => {
    expect(await report(GOOD)).toMatchObject({
      analyser_version: ANALYSER_VERSION,
      python_version: PYTHON_VERSION,
      verdict: "allowed",
      syntax: { valid: true, error: null },
    });
  });

  test("carry CPython's own words", async () => {
    const { verdict, syntax } = await report("x = 1\nif x\n");
    expect(verdict).toBe("invalid");
    expect(syntax).toEqual({
      valid: false,
      error: { type: "SyntaxError", message: "expected ':'", line: 2, column: 5 },
    });
  });

  test("take a script out of the middle of a larger buffer", async () => {
    const whole = Buffer.concat([Buffer.from("\0\0("), GOOD, Buffer.from(")")]);
    expect((await report(whole.subarray(3, -1))).verdict).toBe("allowed");
  });

  test("follow the policy that is given with each", async () => {
    const strict = {
      ...DEFAULT_POLICY,
      name: "strict",
      limits: { ...DEFAULT_POLICY.limits, max_bytes: { limit: 1, severity: "error" as const } },
    };
    const [usual, refused] = await Promise.all([report(GOOD), analysers.report(GOOD, strict)]);
    expect(usual).toMatchObject({ verdict: "allowed", policy: { name: DEFAULT_POLICY.name } });
    expect(refused).toMatchObject({ verdict: "invalid", policy: { name: "strict" } });
  });

  test("are the same for bytes in every encoding that is accepted", async () => {
    for (const source of [
      "# coding: latin-1\nx = '\xe9'\n",
      "# coding: ascii\r\nx = 1\r\n",
      "\xef\xbb\xbfx = 1\r",
    ]) {
      expect((await report(Buffer.from(source, "latin1"))).syntax).toEqual({
        valid: true,
        error: null,
      });
    }
    const { verdict, findings } = await report("# coding: utf-7\nx = 1\n+AAo-import os\n");
    expect(verdict).toBe("invalid");
    expect(findings[0]?.message).toContain("utf-7");
    const unknown = await report("# coding: nonsense\n");
    expect(unknown.syntax.error?.message).toBe("unknown encoding: nonsense");
  });

  test("come with metadata where both are asked for at once", async () => {
    const sources = ["# coding: latin-1\r\ndef f(x: int = '\xe9'): ...\r\n", "import os", ""];
    for (const source of [GOOD, ...sources.map((text) => Buffer.from(text, "latin1"))]) {
      const decoded = decodeSource(source);
      if (!decoded.ok) expect.fail("not decoded");
      expect(await analysers.analyse(source, DEFAULT_POLICY)).toEqual({
        report: await analysers.report(source, DEFAULT_POLICY),
        metadata: extractMetadata(await parseModule(decoded.text)),
      });
    }
  });

  test("come without metadata where they find the script invalid", async () => {
    const limits = { max_bytes: { limit: 1, severity: "error" as const } };
    const tiny = { ...DEFAULT_POLICY, limits: { ...DEFAULT_POLICY.limits, ...limits } };
    for (const [source, policy] of [
      ["if x\n", DEFAULT_POLICY],
      ["x = 1\0", DEFAULT_POLICY],
      ["# coding: utf-7\n", DEFAULT_POLICY],
      ["[".repeat(200_000), DEFAULT_POLICY],
      ["x = 1\n", tiny],
    ] as const) {
      const { report, metadata } = await analysers.analyse(Buffer.from(source), policy);
      expect(report.verdict).toBe("invalid");
      expect(metadata).toBeNull();
    }
  });

  const nest = (open: string, close: string, depth: number): string =>
    open.repeat(depth) + close.repeat(depth);
  // Each with what must be said of it, where there is only one right answer.
  const BOMBS: [
    name: string,
    source: string | Uint8Array,
    valid: boolean | undefined,
    message: RegExp | undefined,
  ][] = [
    ["brackets, 200,000 deep", "[".repeat(200_000), false, /too many nested parentheses/],
    ["brackets, 10 MB deep", fill("("), false, /too many nested parentheses/],
    ["lists, 20,000 deep", nest("[", "]", 20_000), false, /too many nested parentheses/],
    ["lists, 199 deep", nest("[", "]", 199), true, undefined],
    ["attributes, 40 KB", `a${".b".repeat(20_000)}`, true, undefined],
    ["calls", `a${"()".repeat(20_000)}`, undefined, undefined],
    ["conditional expressions, 60 KB", `${"1 if 1 else ".repeat(5_000)}1`, true, undefined],
    ["elif, 20,000", `if 1: pass\n${"elif 1: pass\n".repeat(20_000)}`, undefined, undefined],
    ["a sum of 200,000 terms", `x = 1${"+1".repeat(200_000)}`, undefined, undefined],
    ["a sum of 5,000,000 terms", fill("1+"), false, /tokens/],
    ["not, 20,000", `${"not ".repeat(20_000)}1`, undefined, undefined],
    [
      "indentation, 150 deep",
      Array.from({ length: 150 }, (_, i) => `${" ".repeat(i)}if 1:\n`).join(""),
      false,
      /too many levels of indentation/,
    ],
    [
      "f-strings, 140 deep",
      Array.from({ length: 140 }).reduce<string>((inner) => `f"{${inner}}"`, "1"),
      true,
      undefined,
    ],
    ["10 MB of statements", fill("x = 1\n"), false, /tokens/],
    ["a million ifs", "if 1: x\n".repeat(1_000_000), false, /tokens/],
    ["10 MB of f-strings", fill('f"{a}"\n'), false, /f-string replacement fields|tokens/],
    ["10 MB of one name", fill("a"), true, undefined],
    ["10 MB of one string", `x = "${fill("a")}"\n`, true, undefined],
    ["10 MB of one number", `x = ${fill("9")}\n`, false, /Exceeds the limit/],
    ["10 MB of backslashes", fill("\\"), false, /unexpected character after line continuation/],
    ["10 MB of random bytes", randomBytes(SIZE), false, undefined],
    ["10 MB of NUL", new Uint8Array(SIZE), false, /null bytes/],
    [
      "more memory than there is",
      `import a${".a".repeat(40_000)}\n`,
      undefined,
      /took more memory/,
    ],
    [
      "more time than there is",
      `f(${Array.from({ length: 60_000 }, (_, i) => `a${i}=1`).join()})\n`,
      undefined,
      /took longer/,
    ],
  ];

  test("end for every bomb, and the scripts among them are unharmed", async () => {
    const asked = BOMBS.flatMap(([, source]) => [report(source), report(GOOD)]);
    const reports = await Promise.all(asked);
    for (const [i, [name, , valid, message]] of BOMBS.entries()) {
      const bomb = reports[i * 2]!;
      if (valid !== undefined) expect(bomb.syntax.valid, name).toBe(valid);
      expect(bomb.verdict === "invalid", name).toBe(
        !bomb.syntax.valid || bomb.findings[0]?.rule === "syntax.parser-killed",
      );
      if (message)
        expect(bomb.findings.map((finding) => finding.message).join("\n"), name).toMatch(message);
      expect(reports[i * 2 + 1], `after ${name}`).toMatchObject({
        verdict: "allowed",
        syntax: { valid: true },
      });
    }
    expect(warnings).toContainEqual({ reason: "memory" });
    expect(warnings).toContainEqual({ reason: "timeout" });
  }, 120_000);
});

describe("metadata", () => {
  let analysers: Analysers;

  beforeAll(async () => {
    analysers = await createAnalysers({
      threads: 1,
      timeoutMs: 30_000,
      maxMemoryMb: 64,
      verdict: false,
    });
  }, 60_000);
  afterAll(() => analysers.close());

  test("is what extractMetadata says, without CPython", async () => {
    const decoded = decodeSource(GOOD);
    if (!decoded.ok) expect.fail("not decoded");
    expect(await analysers.metadata(GOOD)).toEqual(
      extractMetadata(await parseModule(decoded.text)),
    );
    await expect(analysers.report(GOOD, DEFAULT_POLICY)).rejects.toThrow("without CPython");
  });

  test("of bytes that are no text is refused", async () => {
    await expect(analysers.metadata(Uint8Array.of(0xff))).rejects.toThrow(/no text.*Non-UTF-8/);
  });

  test("of a bomb is refused, and the next script is unharmed", async () => {
    const asked = [
      analysers.metadata(Buffer.from("x = 1\n".repeat(100_000))),
      analysers.metadata(GOOD),
    ] as const;
    await expect(asked[0]).rejects.toEqual(new ParserKilled("memory"));
    expect((await asked[1]).functions.map(({ name }) => name)).toEqual(["add"]);
  }, 60_000);
});

test("closed analysers leave nothing that keeps the process alive", () => {
  const script = `
    import { createAnalysers } from "@sluice/python-analysis";
    const analysers = await createAnalysers({ threads: 2, verdict: false });
    const asked = analysers.metadata(Buffer.from("x = 1\\n".repeat(100_000))).catch((error) => error.message);
    await analysers.close();
    console.log(await asked, await analysers.metadata(Buffer.from("")).catch((error) => error.message));`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: new URL(".", import.meta.url),
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(child.stderr).toBe("");
  expect(child.stdout).toBe("the parser threads were closed the parser threads were closed\n");
  expect(child.status).toBe(0);
}, 60_000);
