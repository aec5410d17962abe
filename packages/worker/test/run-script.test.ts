import type { StageScript } from "@sluice/catalog";
import { StoreFullError, StoreUnavailableError } from "@sluice/object-store";
import { advance, STAGES } from "@sluice/pipeline";
import { createLog } from "@sluice/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fromThrow, runScript } from "../src/run-script.js";

const log = createLog("test", { logLevel: "silent" });
const script = { deaths: 0, failures: 0 } as StageScript;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a handler that takes longer than its stage may is told, and fails", async () => {
  let aborted = false;
  const run = runScript(
    "compress",
    (_script, _deps, { signal }) =>
      new Promise(() => {
        signal.addEventListener("abort", () => (aborted = true));
      }),
    script,
    {},
    log,
  );
  await vi.advanceTimersByTimeAsync(STAGES.compress.timeoutMs - 1);
  expect(aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(aborted).toBe(true);
  expect((await run).ending).toMatchObject({
    kind: "later",
    failure: true,
    error: { code: "stage_timeout", message: "not done within 60 s" },
  });
});

test("an outcome in time leaves no timer behind", async () => {
  const run = await runScript("compress", async () => advance({}, ["k"]), script, {}, log);
  expect(run).toMatchObject({ ending: { kind: "done", result: {}, stop: false }, garbage: ["k"] });
  expect(vi.getTimerCount()).toBe(0);
});

test("tries wait longer each time, and end", () => {
  const { attempts, firstDelayMs, maxDelayMs } = STAGES.validate.retry;
  const delays = Array.from({ length: attempts }, (_, index) => {
    const ending = fromThrow("validate", index + 1, new Error("x"));
    return ending.kind === "later" ? ending.delayMs : ending.kind;
  });
  expect(delays.at(0)).toBe(firstDelayMs);
  expect(delays.at(1)).toBe(2 * firstDelayMs);
  expect(delays.at(-2)).toBeLessThanOrEqual(maxDelayMs);
  expect(delays.at(-1)).toBe("failed");
});

test("a store that is full uses up no try; one that is away does", () => {
  const { attempts } = STAGES.validate.retry;
  expect(fromThrow("validate", attempts, new StoreFullError("no room"))).toMatchObject({
    kind: "later",
    failure: false,
  });
  expect(fromThrow("validate", attempts, new StoreUnavailableError("away"))).toMatchObject({
    kind: "failed",
  });
});

test.each([
  [new StoreFullError("no room"), { code: "store_full", message: "no room" }],
  [new TypeError("bad"), { code: "type", message: "bad" }],
  [
    Object.assign(new Error("away"), { name: "StoreUnavailableError" }),
    { code: "store_unavailable", message: "away" },
  ],
  [new Error("plain"), { code: "internal_error", message: "plain" }],
  ["a string", { code: "internal_error", message: "a string" }],
  [new Error("x".repeat(10_000)), { code: "internal_error", message: "x".repeat(500) }],
])("%s is told as an error with a code", (thrown, error) => {
  expect(fromThrow("validate", 1, thrown)).toMatchObject({ error });
});
