import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  type Analysers,
  createAnalysers,
  DEFAULT_POLICY,
  type Python,
} from "@sluice/python-analysis";
import { afterEach, describe, expect, test, vi } from "vitest";
import { describeNative, judgesOf, untilDead } from "../native-python.js";
import { sendBombs } from "./bombs.js";

vi.setConfig({ testTimeout: 120_000 });

const GOOD = Buffer.from("def add(a: int) -> int:\n    return a\n");
/** Every keyword argument is compared with every other one: minutes. */
const ENDLESS = Buffer.from(`f(${Array.from({ length: 300_000 }, (_, i) => `a${i}=1`).join()})\n`);

describeNative("analysers with an interpreter of this machine", (python) => {
  const warnings: object[] = [];
  let analysers: Analysers | undefined;

  afterEach(async () => {
    await analysers?.close();
    analysers = undefined;
    warnings.length = 0;
    if (process.platform === "linux") expect(judgesOf(process.pid)).toEqual([]);
  });

  async function create(limits: { timeoutMs: number; maxMemoryMb: number }): Promise<Analysers> {
    analysers = await createAnalysers({
      ...limits,
      threads: 2,
      verdict: true,
      python,
      log: { warn: (details) => warnings.push(details) },
    });
    return analysers;
  }

  test("say which Python judged, in what keys reuse, too", async () => {
    const created = await create({ timeoutMs: 30_000, maxMemoryMb: 192 });
    const { report, metadata } = await created.analyse(GOOD, DEFAULT_POLICY);
    expect(report).toMatchObject({
      analyser_version: python.analyserVersion,
      python_version: python.version,
      verdict: "allowed",
    });
    expect(metadata?.python_version).toBe(python.version);
    expect(await created.report(GOOD, DEFAULT_POLICY)).toEqual(report);
    expect(await created.metadata(GOOD)).toEqual(metadata);
  });

  test("end for every bomb, and the scripts among them are unharmed", async () => {
    await sendBombs(await create({ timeoutMs: 4_000, maxMemoryMb: 192 }), false);
  });

  test("replace an interpreter that takes too long, and say so the second time", async () => {
    const created = await create({ timeoutMs: 1_000, maxMemoryMb: 1_024 });
    const [bomb, good] = await Promise.all([
      created.report(ENDLESS, DEFAULT_POLICY),
      created.report(GOOD, DEFAULT_POLICY),
    ]);
    expect(bomb.findings[0]?.message).toMatch(/took longer/);
    expect(bomb).toMatchObject({
      verdict: "invalid",
      analyser_version: python.analyserVersion,
      python_version: python.version,
    });
    expect(good.verdict).toBe("allowed");
    expect(warnings).toEqual([{ reason: "timeout" }]);
  });

  test("replace an interpreter that has no memory left, and say so the second time", async () => {
    const created = await create({ timeoutMs: 30_000, maxMemoryMb: 64 });
    const large = Buffer.from(`x = [${"'a', 1, ".repeat(60_000)}]\n`);
    const [bomb, good] = await Promise.all([
      created.report(large, DEFAULT_POLICY),
      created.report(GOOD, DEFAULT_POLICY),
    ]);
    expect(bomb.findings[0]?.message).toMatch(/took more memory/);
    expect(good.verdict).toBe("allowed");
    expect(warnings).toEqual([{ reason: "memory" }]);
  });

  test("that are closed in the middle of their work leave no process", async () => {
    const created = await create({ timeoutMs: 30_000, maxMemoryMb: 1_024 });
    const told = created.report(ENDLESS, DEFAULT_POLICY).catch((error: Error) => error.message);
    await created.close();
    expect(await told).toBe("the parser threads were closed");
  });

  test("do not start where another Python stands in its place by now", async () => {
    const other: Python = { ...python, version: "3.99.0" };
    await expect(createAnalysers({ threads: 2, verdict: true, python: other })).rejects.toThrow(
      `is now Python ${python.version} and was 3.99.0`,
    );
  });

  test("do not start where it is gone, and say so", async () => {
    const gone: Python = { ...python, path: "/no/such/python" };
    await expect(createAnalysers({ threads: 2, verdict: true, python: gone })).rejects.toThrow(
      "/no/such/python cannot be run (ENOENT)",
    );
  });

  describe.runIf(process.platform === "linux")("on Linux", () => {
    test("go on when an interpreter was killed from outside", async () => {
      const created = await create({ timeoutMs: 30_000, maxMemoryMb: 192 });
      const judges = judgesOf(process.pid);
      expect(judges).toHaveLength(2);
      for (const pid of judges) process.kill(pid, "SIGKILL");
      const reports = await Promise.all(
        Array.from({ length: 6 }, () => created.report(GOOD, DEFAULT_POLICY)),
      );
      expect(reports.map(({ verdict }) => verdict)).toEqual(Array(6).fill("allowed"));
      expect(judgesOf(process.pid)).toHaveLength(2);
    });

    test("leave no process behind when their own is killed", async () => {
      const script = `
        import { createAnalysers, DEFAULT_POLICY } from "@sluice/python-analysis";
        const analysers = await createAnalysers({ threads: 2, verdict: true, python: ${JSON.stringify(python)} });
        const endless = Buffer.from("f(" + Array.from({ length: 300_000 }, (_, i) => "a" + i + "=1").join() + ")");
        for (let i = 0; i < 2; i++) void analysers.report(endless, DEFAULT_POLICY);
        process.stdout.write("asked");`;
      const owner = spawn(process.execPath, ["--input-type=module", "-e", script], {
        cwd: new URL(".", import.meta.url),
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(owner.stdout, "data");
      const judges = judgesOf(owner.pid!);
      expect(judges).toHaveLength(2);
      const exited = once(owner, "exit");
      owner.kill("SIGKILL");
      await exited;
      for (const pid of judges) await untilDead(pid);
    });
  });
});
