import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { describe, expect, test, vi } from "vitest";
import type { Budget } from "../../src/verdict/bombs.js";
import { NativeEngine } from "../../src/verdict/native-engine.js";
import { type CompileVerdict, EngineLost } from "../../src/verdict/types.js";
import { describeNative, untilDead } from "../native-python.js";
import { describeEngine, MEMORY_BYTES } from "./engine.contract.js";

// A process for each source, on a machine that does other things as well.
vi.setConfig({ testTimeout: 60_000 });

// A fresh interpreter with no limits and nothing before it.
const ASK = `
import json, sys, warnings
warnings.simplefilter("ignore")
try:
    compile(sys.stdin.buffer.read(), "<script>", "exec")
    print("null")
except SyntaxError as error:
    place = [at if at and at > 0 else None for at in (error.lineno, error.offset)]
    print(json.dumps([type(error).__name__, error.msg] + place))
except (ValueError, MemoryError) as error:
    print(json.dumps([type(error).__name__, str(error), None, None]))
`;

function ask(path: string, source: Uint8Array): CompileVerdict {
  const said = JSON.parse(execFileSync(path, ["-c", ASK], { input: source, encoding: "utf8" })) as
    | [type: string, message: string, line: number | null, column: number | null]
    | null;
  if (said === null) return { valid: true, error: null, killed: null };
  const [type, message, line, column] = said;
  return { valid: false, error: { type, message, line, column }, killed: null };
}

const GOOD = Buffer.from("x = 1\n");
/** Every keyword argument is compared with every other one: minutes. */
const ENDLESS = `f(${Array.from({ length: 300_000 }, (_, i) => `a${i}=1`).join()})\n`;
const ROOMY: Budget = { timeoutMs: 60_000, memoryBytes: 1_073_741_824 };

describeNative("an interpreter of this machine", (python) => {
  const path = python.path!;
  const start = (budget: Budget = { timeoutMs: 10_000, memoryBytes: MEMORY_BYTES }) =>
    NativeEngine.start({ path, budget });

  describeEngine({ start, expected: (source) => ask(path, source) });

  test("is of the version that was asked for at the start", async () => {
    const engine = await start();
    expect(engine.pythonVersion).toBe(python.version);
    expect(python.analyserVersion).toMatch(new RegExp(`^\\w+\\+cpython${python.version}$`));
    await engine.close();
  });

  test.each([
    ["SIGKILL", "memory"],
    ["SIGSEGV", "trap"],
    ["SIGABRT", "trap"],
    ["SIGXCPU", "timeout"],
  ] as const)(
    "that ends by %s is lost (%s), and what it was asked is told",
    async (signal, reason) => {
      const engine = await start(ROOMY);
      const asked = [engine.compile(Buffer.from(ENDLESS)), engine.compile(GOOD)];
      process.kill(engine.pid, signal);
      for (const verdict of asked) await expect(verdict).rejects.toEqual(new EngineLost(reason));
      await expect(engine.compile(GOOD)).rejects.toEqual(new EngineLost(reason));
      await engine.close();
    },
  );

  test("has so much CPU time for each script and no more, so that it ends when nobody watches", async () => {
    const engine = await start({ ...ROOMY, timeoutMs: 1 });
    for (let i = 0; i < 3; i++) expect((await engine.compile(GOOD)).valid).toBe(true);
    await expect(engine.compile(Buffer.from(ENDLESS))).rejects.toEqual(new EngineLost("timeout"));
  });

  test("is killed in the middle of its work when it is closed, and waited for", async () => {
    const engine = await start(ROOMY);
    const told = engine.compile(Buffer.from(ENDLESS)).catch((error: unknown) => error);
    await engine.close();
    expect(await told).toBeInstanceOf(EngineLost);
    expect(() => process.kill(engine.pid, 0)).toThrow("ESRCH");
  });

  describe.runIf(process.platform === "linux")("on Linux", () => {
    test("has no environment, and may write no file, dump no core and start nothing", async () => {
      const engine = await start();
      await engine.compile(GOOD);
      const read = (name: string): string => readFileSync(`/proc/${engine.pid}/${name}`, "utf8");
      // What Python itself sets for its locale.
      expect(read("environ").replace(/^LC_CTYPE=[^\0]*\0$/, "")).toBe("");
      expect(read("cmdline")).toMatch(/\0-I\0-S\0-B\0[^\0]*judge\.py\0/);
      const limits = read("limits");
      for (const name of ["core file size", "file size", "processes"])
        expect(limits).toMatch(new RegExp(`^Max ${name} +0 +0 `, "m"));
      for (const name of ["data size", "address space"])
        expect(limits).toMatch(new RegExp(`^Max ${name} +\\d+ +\\d+ +bytes`, "m"));
      await engine.close();
    });

    const DIST = new URL("../../dist/verdict/native-engine.js", import.meta.url).href;
    const OWNER = `
      const { NativeEngine } = await import(${JSON.stringify(DIST)});
      const engine = await NativeEngine.start(${JSON.stringify({ path, budget: ROOMY })});
      engine.compile(Buffer.from("f(" + Array.from({ length: 300_000 }, (_, i) => \`a\${i}=1\`).join() + ")")).catch(() => {});
    `;

    test("is told not to start where no more files can be opened", () => {
      const program = `
        import { openSync } from "node:fs";
        const { NativeEngine } = await import(${JSON.stringify(DIST)});
        try { for (;;) openSync("/dev/null"); } catch {}
        await NativeEngine.start(${JSON.stringify({ path, budget: ROOMY })}).catch(({ name, message }) => {
          console.log(name, message);
        });`;
      const limited = 'ulimit -n 100; exec "$0" --input-type=module -e "$1"';
      expect(
        execFileSync("sh", ["-c", limited, process.execPath, program], { encoding: "utf8" }),
      ).toBe("NotStarted cannot be run (no more files can be opened)\n");
    });

    test("dies with the process that started it, though that is killed", async () => {
      const owner = spawn(
        process.execPath,
        ["--input-type=module", "-e", `${OWNER} process.stdout.write(String(engine.pid));`],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      const [said] = (await once(owner.stdout, "data")) as [Buffer];
      const pid = Number(said.toString());
      expect(() => process.kill(pid, 0)).not.toThrow();
      owner.kill("SIGKILL");
      await untilDead(pid);
    });

    test("dies with the thread that started it", async () => {
      const owner = new Worker(
        `(async () => { ${OWNER} require("node:worker_threads").parentPort.postMessage(engine.pid); })()`,
        { eval: true, execArgv: [] },
      );
      const [pid] = (await once(owner, "message")) as [number];
      expect(() => process.kill(pid, 0)).not.toThrow();
      await owner.terminate();
      await untilDead(pid);
    });
  });
});
