import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createLog } from "../src/log.js";
import { Shutdown } from "../src/shutdown.js";

const log = createLog("test", { logLevel: "silent" });

describe("shutdown", () => {
  it("closes in reverse order, each after the one before it, once", async () => {
    const order: string[] = [];
    const shutdown = new Shutdown(log);
    for (const name of ["catalog", "queue", "server"]) {
      shutdown.add(name, async () => {
        order.push(`${name} closing`);
        await Promise.resolve();
        order.push(`${name} closed`);
      });
    }
    expect(shutdown.signal.aborted).toBe(false);
    await Promise.all([shutdown.now(), shutdown.now()]);
    expect(shutdown.signal.aborted).toBe(true);
    expect(order).toEqual(
      ["server", "queue", "catalog"].flatMap((name) => [`${name} closing`, `${name} closed`]),
    );
  });

  it("closes the rest where one part fails, and what was added meanwhile", async () => {
    const order: string[] = [];
    const shutdown = new Shutdown(log);
    shutdown.add("first", async () => void order.push("first"));
    shutdown.add("broken", () => {
      shutdown.add("late", async () => void order.push("late"));
      throw new Error("no");
    });
    await shutdown.now();
    expect(order).toEqual(["late", "first"]);
  });
});

// The child is what a service looks like: its signals are those of a real process.
const CHILD = fileURLToPath(new URL("shutdown-child.mjs", import.meta.url));

async function start(mode = "normal"): Promise<ChildProcess> {
  const child = fork(CHILD, [mode], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  child.stdout?.setEncoding("utf8");
  await once(child, "message");
  return child;
}

async function end(child: ChildProcess): Promise<{ code: unknown; output: string }> {
  let output = "";
  child.stdout?.on("data", (text: string) => (output += text));
  // Not the event "close": it does not come after a disconnect from this side.
  const [[code]] = await Promise.all([
    once(child, "exit"),
    child.stdout && once(child.stdout, "end"),
  ]);
  return { code, output };
}

describe("a process that listens", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("stops in order on %s", async (signal) => {
    const child = await start();
    const ended = end(child);
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 0, output: expect.stringContaining("part closed") });
  });

  it("stops when its parent is gone", async () => {
    const child = await start();
    const ended = end(child);
    child.disconnect();
    expect(await ended).toMatchObject({ code: 0, output: expect.stringContaining("part closed") });
  });

  it("ends with 1 where a part does not close", async () => {
    const child = await start("broken");
    const ended = end(child);
    child.kill("SIGTERM");
    expect((await ended).code).toBe(1);
  });

  it("ends at once on the second signal, and after its time", async () => {
    for (const seconds of [undefined, "short"]) {
      const child = await start(seconds ?? "hanging");
      const ended = end(child);
      child.kill("SIGTERM");
      if (seconds === undefined) {
        await once(child, "message");
        child.kill("SIGINT");
      }
      expect(await ended).toMatchObject({
        code: 1,
        output: expect.not.stringContaining("part closed"),
      });
    }
  });

  it("logs what nobody caught and ends", async () => {
    const child = await start("rejecting");
    const ended = end(child);
    child.send("go");
    expect(await ended).toMatchObject({
      code: 1,
      output: expect.stringContaining('"level":"fatal"'),
    });
  });

  it("ends by itself when it has nothing left to do", async () => {
    const child = await start("idle");
    expect((await end(child)).code).toBe(0);
  });
});
