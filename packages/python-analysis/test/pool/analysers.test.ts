import { spawnSync } from "node:child_process";
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
import { sendBombs } from "./bombs.js";

const GOOD = Buffer.from(
  'def add(a: int, b: int = 1) -> int:\n    """Add two numbers."""\n    return a + b\n',
);

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
    expect(refused).toMatchObject({ verdict: "refused", policy: { name: "strict" } });
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
    for (const source of ["if x\n", "x = 1\0", "# coding: utf-7\n", "[".repeat(200_000)]) {
      const { report, metadata } = await analysers.analyse(Buffer.from(source), DEFAULT_POLICY);
      expect(report.verdict).toBe("invalid");
      expect(metadata).toBeNull();
    }
  });

  test("end for every bomb, and the scripts among them are unharmed", async () => {
    await sendBombs(analysers, true);
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
