/** What keeps a mistake in a policy, or a clock that jumps, from removing what somebody needs. */
import { randomUUID } from "node:crypto";
import {
  type Catalog,
  endRetentionPause,
  pauseRetention,
  readClock,
  readRetentionState,
  recordEvents,
  type RetentionConfirmation,
  type RetentionPause,
  type RetentionState,
} from "@sluice/catalog";
import type { RetentionPolicy } from "./document.js";

/** The clocks of the janitor and of the database may differ by so much. */
const MOST_SKEW_MS = 5 * 60_000;
/** After a longer rest than that, somebody is to look whether it was a rest or the clock has jumped. */
const LONGEST_REST_MS = 7 * 86_400_000;
/** So many may go from any installation, however small. */
const ALWAYS_ALLOWED = 10;

/** How many versions a round may remove. */
export function allowedRemovals(
  { brakes }: RetentionPolicy,
  versions: number,
  confirmation: RetentionConfirmation | undefined,
): number {
  const share = Math.max(ALWAYS_ALLOWED, Math.floor(versions * brakes.max_share));
  const allowed = Math.min(share, brakes.max_removals);
  // What was confirmed goes on becoming due while somebody thinks about it.
  const confirmed = confirmation ? Math.ceil(confirmation.removals * 1.1) : 0;
  return Math.max(allowed, confirmed);
}

/**
 * Holds the clocks against each other and against the step before.
 *
 * @param now - the janitor's clock, in milliseconds since 1970
 * @returns what is wrong, in words; `undefined` where nothing is
 */
function faultOfClock(now: number, database: Date, { seenAt }: RetentionState): string | undefined {
  const skew = now - database.getTime();
  if (Math.abs(skew) > MOST_SKEW_MS)
    return `the clock of the janitor is ${inWords(Math.abs(skew))} ${skew > 0 ? "ahead of" : "behind"} that of the catalog's server`;
  const rest = database.getTime() - (seenAt?.getTime() ?? database.getTime());
  if (rest > LONGEST_REST_MS)
    return `the clock says that nothing was looked at for ${inWords(rest)}: it has jumped, or the janitor has rested`;
  return undefined;
}

/**
 * Pauses where the clock cannot be trusted, and ends such a pause when it can be again.
 *
 * @returns the state that holds now, and the database's clock
 */
export async function watchClock(
  catalog: Catalog,
  now: number,
): Promise<{ readonly state: RetentionState; readonly database: Date }> {
  const database = await readClock(catalog);
  const state = await readRetentionState(catalog);
  const fault = faultOfClock(now, database, state);
  if (fault !== undefined && state.pause === undefined) {
    await pause(catalog, { reason: "clock", message: `Nothing is removed: ${fault}.` }, database);
  } else if (fault === undefined && state.pause?.reason === "clock") {
    const { id } = state.pause;
    await catalog.transaction(async (tx) => {
      if (!(await endRetentionPause(tx, id))) return;
      const message = "The clock is right again; clean-up by the retention policy goes on.";
      await recordEvents(tx, [{ severity: "info", kind: "retention.resumed", message }]);
    });
  } else return { state, database };
  return { state: await readRetentionState(catalog), database };
}

/** Stops until somebody confirms, and says so to operators. */
export async function pause(
  catalog: Catalog,
  why: Pick<RetentionPause, "reason" | "message" | "removals" | "of">,
  at: Date,
): Promise<void> {
  const paused: RetentionPause = { id: randomUUID(), at: at.toISOString(), ...why };
  await catalog.transaction(async (tx) => {
    if (!(await pauseRetention(tx, paused))) return;
    const { message } = why;
    await recordEvents(tx, [
      { severity: "critical", kind: "retention.paused", message, details: paused },
    ]);
  });
}

function inWords(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}
