import { type Ending, isCatalogAway, isCatalogFull, type StageScript } from "@sluice/catalog";
import type { StageError } from "@sluice/contracts";
import { StoreFullError } from "@sluice/object-store";
import { type Outcome, retryDelayMs, type StageName, STAGES } from "@sluice/pipeline";
import type { StageResults } from "@sluice/catalog";
import type { Handler, HandlerContext } from "./handler.js";

/** How one run of a handler ended, and what it leaves to be deleted once that is committed. */
export interface ScriptRun<Stage extends StageName> {
  readonly ending: Ending<Stage>;
  readonly garbage: readonly string[];
  readonly durationMs: number;
}

/**
 * A script that took its worker down with it so often, alone, is not tried again. Workers are killed
 * for other reasons too, hence the patience.
 */
const MAX_DEATHS = 6;

/** Runs a handler on one script, within the stage's time. Never throws. */
export async function runScript<Stage extends StageName, Deps>(
  stage: Stage,
  handler: Handler<Stage, Deps>,
  script: StageScript,
  deps: Deps,
  log: HandlerContext["log"],
): Promise<ScriptRun<Stage>> {
  if (script.deaths >= MAX_DEATHS) {
    const message = `the worker died ${script.deaths} times while it worked on this script alone`;
    return {
      ending: { kind: "failed", error: { code: "worker_died", message } },
      garbage: [],
      durationMs: 0,
    };
  }
  const begun = performance.now();
  try {
    const outcome = await withinTime(STAGES[stage].timeoutMs, (signal) =>
      handler(script, deps, { signal, log }),
    );
    return { ...fromOutcome<Stage>(outcome), durationMs: performance.now() - begun };
  } catch (error) {
    log.warn({ err: error, failures: script.failures + 1 }, "the handler failed");
    return {
      ending: fromThrow(stage, script.failures + 1, error),
      garbage: [],
      durationMs: performance.now() - begun,
    };
  }
}

function fromOutcome<Stage extends StageName>(
  outcome: Outcome<StageResults[Stage]>,
): Omit<ScriptRun<Stage>, "durationMs"> {
  switch (outcome.kind) {
    case "advance":
    case "stop":
      return {
        ending: { kind: "done", result: outcome.result, stop: outcome.kind === "stop" },
        garbage: outcome.garbage,
      };
    case "snooze": {
      const error = { code: "postponed", message: outcome.reason };
      return {
        ending: { kind: "later", delayMs: outcome.delayMs, error, failure: false },
        garbage: [],
      };
    }
    case "restart":
      return { ending: { kind: "restart", delayMs: outcome.delayMs }, garbage: [] };
  }
}

/** Room is made by people, or by a clean-up: asking more often, in milliseconds, only makes load. */
const FULL_DELAY_MS = 30_000;

/** PostgreSQL starts again within seconds. */
const AWAY_DELAY_MS = 5_000;

/**
 * What becomes of a script whose handler threw for the `failures`th time. A full disk is not the
 * script's fault: it waits for room, however long that takes, and keeps its tries. Nor is a catalog that has ended, as it does
 * where there is no room for its log.
 */
export function fromThrow<Stage extends StageName>(
  stage: Stage,
  failures: number,
  thrown: unknown,
): Ending<Stage> {
  const error = toStageError(thrown);
  if (thrown instanceof StoreFullError || isCatalogFull(thrown)) {
    return { kind: "later", delayMs: FULL_DELAY_MS, error, failure: false };
  }
  if (isCatalogAway(thrown)) {
    return { kind: "later", delayMs: AWAY_DELAY_MS, error, failure: false };
  }
  const delayMs = retryDelayMs(STAGES[stage].retry, failures);
  return delayMs === undefined
    ? { kind: "failed", error }
    : { kind: "later", delayMs, error, failure: true };
}

const MAX_MESSAGE = 500;

/** `StoreUnavailableError` → `store_unavailable`; anything nameless is `internal_error`. */
function toStageError(thrown: unknown): StageError {
  if (!(thrown instanceof Error))
    return { code: "internal_error", message: String(thrown).slice(0, MAX_MESSAGE) };
  if (isCatalogFull(thrown))
    return { code: "catalog_full", message: thrown.message.slice(0, MAX_MESSAGE) };
  if (isCatalogAway(thrown))
    return { code: "catalog_unavailable", message: thrown.message.slice(0, MAX_MESSAGE) };
  const name = thrown.name.replace(/Error$/, "");
  const code = name === "" ? "internal_error" : name.replaceAll(/\B([A-Z])/g, "_$1").toLowerCase();
  return { code, message: thrown.message.slice(0, MAX_MESSAGE) };
}

async function withinTime<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new StageTimeoutError(ms);
      abort.abort(error);
      reject(error);
    }, ms);
  });
  try {
    return await Promise.race([work(abort.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

class StageTimeoutError extends Error {
  override readonly name = "StageTimeoutError";
  constructor(ms: number) {
    super(`not done within ${ms / 1000} s`);
  }
}
