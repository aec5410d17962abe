import type { StatusRef } from "@sluice/catalog";
import type { Status } from "@sluice/contracts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StatusWatch } from "../src/status/watch.js";

const TICK_MS = 200;

describe("StatusWatch", () => {
  let states: Map<string, Status["state"]>;
  let reads: (readonly StatusRef[])[];
  let watch: StatusWatch;

  beforeEach(() => {
    vi.useFakeTimers();
    states = new Map();
    reads = [];
    watch = new StatusWatch(
      async (refs) => {
        reads.push(refs);
        return refs.map(({ scriptId }) => status(scriptId));
      },
      { tickMs: TICK_MS },
    );
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  function status(scriptId: string): Status | undefined {
    const state = states.get(scriptId);
    return (
      state && { script_id: scriptId, version: 1, state, verdict: null, progress: 0, stages: [] }
    );
  }

  function wait(
    scriptId: string,
    {
      timeoutMs = 60_000,
      signal = new AbortController().signal,
      version,
    }: {
      timeoutMs?: number;
      signal?: AbortSignal;
      version?: number;
    } = {},
  ): Promise<Status | undefined> {
    if (!states.has(scriptId)) states.set(scriptId, "queued");
    return watch.wait(
      { scriptId, version },
      status(scriptId) as Status,
      ({ state }) => state === "ready",
      {
        timeoutMs,
        signal,
      },
    );
  }

  it("reads each script once a tick, however many wait for it", async () => {
    const waiting = Array.from({ length: 200 }, (_, index) => wait(`s${index % 10}`));
    await vi.advanceTimersByTimeAsync(3 * TICK_MS);
    expect(reads.map(({ length }) => length)).toEqual([10, 10, 10]);
    for (const scriptId of states.keys()) states.set(scriptId, "ready");
    await vi.advanceTimersByTimeAsync(TICK_MS);
    expect((await Promise.all(waiting)).every((found) => found?.state === "ready")).toBe(true);
  });

  it("reads more scripts than one query takes by several", async () => {
    const waiting = Array.from({ length: 1_100 }, (_, index) => wait(`s${index}`));
    for (const scriptId of states.keys()) states.set(scriptId, "ready");
    await vi.advanceTimersByTimeAsync(TICK_MS);
    expect(reads.map(({ length }) => length)).toEqual([500, 500, 100]);
    const found = await Promise.all(waiting);
    expect(found.map((each) => each?.script_id)).toEqual([...states.keys()]);
  });

  it("tells versions of one script apart", async () => {
    const waiting = [wait("s", { version: 1 }), wait("s", { version: 2 }), wait("s")];
    await vi.advanceTimersByTimeAsync(TICK_MS);
    expect(reads[0]).toEqual([
      { scriptId: "s", version: 1 },
      { scriptId: "s", version: 2 },
      { scriptId: "s", version: undefined },
    ]);
    watch.close();
    await Promise.all(waiting);
  });

  it("asks nothing while nobody waits", async () => {
    const waiting = wait("s", { timeoutMs: 2.5 * TICK_MS });
    await vi.advanceTimersByTimeAsync(10 * TICK_MS);
    expect(await waiting).toMatchObject({ state: "queued" });
    expect(reads).toHaveLength(2);
    expect(watch.waiting).toBe(0);
  });

  it("answers with what it saw last when the time is over", async () => {
    const waiting = wait("s", { timeoutMs: 2.5 * TICK_MS });
    states.set("s", "processing");
    await vi.advanceTimersByTimeAsync(2.5 * TICK_MS);
    expect(await waiting).toMatchObject({ state: "processing" });
  });

  it("answers at once when it is closed, and never makes anybody wait again", async () => {
    const waiting = [wait("a"), wait("b")];
    watch.close();
    expect(await Promise.all(waiting)).toMatchObject([{ state: "queued" }, { state: "queued" }]);
    expect(await wait("c")).toMatchObject({ state: "queued" });
    expect(reads).toEqual([]);
  });

  it("forgets whose client is gone", async () => {
    const client = new AbortController();
    const waiting = wait("s", { signal: client.signal });
    client.abort();
    await waiting;
    expect(watch.waiting).toBe(0);
    await wait("s", { signal: client.signal });
    expect(watch.waiting).toBe(0);
  });

  it("tells that a script is gone", async () => {
    const waiting = wait("s");
    states.delete("s");
    await vi.advanceTimersByTimeAsync(TICK_MS);
    expect(await waiting).toBeUndefined();
  });

  it("lets all who wait know that the catalog does not answer, and goes on for those who come later", async () => {
    let broken = true;
    watch = new StatusWatch(
      async (refs) => {
        if (broken) throw new Error("away");
        return refs.map(({ scriptId }) => status(scriptId));
      },
      { tickMs: TICK_MS },
    );
    const failing = Promise.allSettled([wait("a"), wait("b")]);
    await vi.advanceTimersByTimeAsync(TICK_MS);
    expect((await failing).map((result) => result.status)).toEqual(["rejected", "rejected"]);
    broken = false;
    const waiting = wait("a");
    states.set("a", "ready");
    await vi.advanceTimersByTimeAsync(TICK_MS);
    expect(await waiting).toMatchObject({ state: "ready" });
  });

  it("looks one at a time, however slow the catalog is", async () => {
    let under = 0;
    let most = 0;
    watch = new StatusWatch(
      async (refs) => {
        under += 1;
        most = Math.max(most, under);
        await new Promise((resolve) => setTimeout(resolve, 10 * TICK_MS));
        under -= 1;
        return refs.map(() => undefined);
      },
      { tickMs: TICK_MS },
    );
    const first = wait("a");
    await vi.advanceTimersByTimeAsync(2 * TICK_MS);
    const second = wait("b");
    await vi.advanceTimersByTimeAsync(30 * TICK_MS);
    await Promise.all([first, second]);
    expect(most).toBe(1);
  });
});
