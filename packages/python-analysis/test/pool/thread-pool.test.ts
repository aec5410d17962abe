import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Outcome } from "../../src/pool/thread.js";
import { ThreadPool } from "../../src/pool/thread-pool.js";

interface Request {
  readonly act: string;
  readonly id: number;
}
interface Answer {
  readonly id: number;
  readonly threadId: number;
  /** How many requests the thread has had. */
  readonly served: number;
  readonly gift: unknown;
}
type Pool = ThreadPool<Request, Answer, number>;

const LONG_MS = 60_000;
const opened: Pool[] = [];
let started = 0;
let latest: Worker;
let warnings: string[] = [];
let starts: string[] = [];

function open(threads: number): Pool {
  started = 0;
  warnings = [];
  const deaths = new Int32Array(new SharedArrayBuffer(4));
  const pool: Pool = new ThreadPool({
    threads,
    log: { warn: (_, message) => warnings.push(message) },
    start: (gift) => {
      const progress = new Int32Array(new SharedArrayBuffer(4));
      const worker = new Worker(new URL("fake-thread.mjs", import.meta.url), {
        workerData: { gift, progress, deaths, start: starts[started++] },
        resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
      });
      latest = worker;
      return { worker, progress: () => Atomics.load(progress, 0) };
    },
  });
  opened.push(pool);
  return pool;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((pool) => pool.close()));
  starts = [];
});

let nextId = 0;
const ask = (pool: Pool, act: string, timeoutMs = LONG_MS): Promise<Outcome<Answer, number>> =>
  pool.run({ act, id: ++nextId }, timeoutMs);
async function answerOf(pool: Pool, act: string): Promise<Answer> {
  const outcome = await ask(pool, act);
  if (outcome.killed) expect.fail(`killed by ${outcome.killed}`);
  return outcome.answer;
}

test("answers each request, each thread one at a time", async () => {
  const pool = open(3);
  const answers = await Promise.all(Array.from({ length: 100 }, () => answerOf(pool, "answer")));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(100);
  expect(answers.map(({ threadId, served }) => `${threadId}/${served}`)).toHaveLength(
    new Set(answers.map((a) => `${a.threadId}/${a.served}`)).size,
  );
  expect(started).toBe(3);
});

test("takes an answer that came in time, however late it is looked at", async () => {
  const pool = open(1);
  await pool.ready();
  const answer = ask(pool, "answer", 50);
  // The request goes out, and then nothing of this thread runs until the time is over.
  await new Promise((resolve) => setImmediate(resolve));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  expect((await answer).killed).toBeNull();
  expect(warnings).toEqual([]);
});

test("gives every thread what the first one handed over", async () => {
  const pool = open(2);
  await pool.ready();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => answerOf(pool, "answer-last")),
  );
  const gifts = new Set(answers.map(({ gift }) => gift));
  expect([...gifts].filter((gift) => gift !== undefined)).toEqual([
    expect.stringMatching(/^gift of \d+$/),
  ]);
});

test("replaces a thread that asks for it", async () => {
  const pool = open(1);
  const answers = [
    await answerOf(pool, "answer"),
    await answerOf(pool, "answer-last"),
    await answerOf(pool, "answer"),
  ];
  expect(answers.map(({ served }) => served)).toEqual([1, 2, 1]);
  expect(warnings).toEqual([]);
});

test("replaces a thread that died of nothing in particular", async () => {
  const pool = open(1);
  await pool.ready();
  const gone = once(latest, "exit");
  await answerOf(pool, "answer-and-exit");
  await gone;
  expect((await answerOf(pool, "answer")).served).toBe(1);
  expect(warnings).toEqual([]);
});

describe("a request that kills its thread", () => {
  test.each([
    ["killed", "trap"],
    ["exit", "trap"],
    ["throw", "trap"],
    ["eat", "memory"],
    ["loop", "timeout"],
  ])("(%s) is tried once more, then told as %s", async (act, killed) => {
    const pool = open(1);
    await answerOf(pool, "answer");
    const outcome = await ask(pool, act, act === "loop" ? 200 : LONG_MS);
    expect(outcome).toEqual({ killed, progress: nextId });
    expect(started).toBe(2);
    expect((await answerOf(pool, "answer")).served).toBe(1);
    expect(started).toBe(3);
    expect(warnings).toHaveLength(1);
  });

  test("is answered where the second try lives, by a thread that had nothing else", async () => {
    const pool = open(2);
    await Promise.all(Array.from({ length: 10 }, () => answerOf(pool, "answer")));
    expect((await answerOf(pool, "die-once")).served).toBe(1);
  });

  test("harms no other", async () => {
    const pool = open(2);
    const acts = [
      "answer",
      "exit",
      "answer",
      "loop",
      "answer",
      "throw",
      "answer",
      "killed",
      "answer",
      "answer",
    ];
    const outcomes = await Promise.all(
      acts.map((act) => ask(pool, act, act === "loop" ? 200 : LONG_MS)),
    );
    expect(outcomes.map(({ killed }) => killed)).toEqual([
      null,
      "trap",
      null,
      "timeout",
      null,
      "trap",
      null,
      "trap",
      null,
      null,
    ]);
  });
});

test("a mistake in the thread's code rejects its request and no other, and costs no thread", async () => {
  const pool = open(1);
  const failing = ask(pool, "fail");
  const id = nextId;
  const answer = answerOf(pool, "answer");
  await expect(failing).rejects.toThrow(new TypeError(`failed on ${id}`));
  expect((await answer).served).toBe(2);
  expect(started).toBe(1);
});

describe("threads that cannot start", () => {
  test("are told by ready, and tried again for whoever asks", async () => {
    starts = ["throw", "exit"];
    const pool = open(1);
    await expect(pool.ready()).rejects.toThrow("cannot start");
    await expect(ask(pool, "answer")).rejects.toThrow("exit code 7");
    expect((await answerOf(pool, "answer")).served).toBe(1);
    expect(warnings).toEqual(["a parser thread did not start"]);
  });

  test("do not keep the others from working", async () => {
    starts = ["throw"];
    const pool = open(2);
    await expect(pool.ready()).rejects.toThrow("cannot start");
    const answers = await Promise.all(Array.from({ length: 10 }, () => answerOf(pool, "answer")));
    expect(answers).toHaveLength(10);
  });
});

describe("close", () => {
  test("rejects what is under way and what waits, and what comes later", async () => {
    const pool = open(1);
    await pool.ready();
    const asked = [ask(pool, "loop"), ask(pool, "answer")].map((promise) =>
      promise.then(() => "answered", String),
    );
    await pool.close();
    expect(await Promise.all(asked)).toEqual(
      Array(2).fill("Error: the parser threads were closed"),
    );
    await expect(ask(pool, "answer")).rejects.toThrow("closed");
    await pool.close();
  });

  test("is why what waits for a fresh thread is rejected", async () => {
    starts = ["", "hang"];
    const pool = open(1);
    const asked = ask(pool, "killed").then(() => "answered", String);
    await vi.waitUntil(() => started === 2, { timeout: LONG_MS });
    await pool.close();
    expect(await asked).toBe("Error: the parser threads were closed");
  });

  test("while threads start, starts no more of them", async () => {
    const pool = open(3);
    await pool.close();
    await expect(pool.ready()).rejects.toThrow();
    expect(started).toBe(1);
  });
});
