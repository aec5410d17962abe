import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";

/** Why nothing is removed by the retention policy until somebody confirms it. */
export interface RetentionPause {
  readonly id: string;
  readonly at: string;
  readonly reason: "too_many" | "clock";
  readonly message: string;
  /** How many scripts and versions would go, of how many versions; absent where that was not counted. */
  readonly removals?: number | undefined;
  readonly of?: number | undefined;
}

/** What somebody lets happen, once. */
export interface RetentionConfirmation {
  readonly pauseId: string;
  readonly actor: string;
  /** So many removals and no more. */
  readonly removals: number;
}

/** What a round over all scripts has come to. */
export interface RetentionRound {
  readonly policyId: number;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Versions that were looked at. */
  readonly versions: number;
  readonly scriptsDeleted: number;
  readonly versionsDeleted: number;
  readonly versionsArchived: number;
  /** Due, and left for the next round: the backup could not be checked, or something has changed meanwhile. */
  readonly left: number;
}

export interface RetentionState {
  /** The database's clock when a step was last taken. */
  readonly seenAt: Date | undefined;
  readonly pause: RetentionPause | undefined;
  readonly confirmation: RetentionConfirmation | undefined;
  readonly lastRound: RetentionRound | undefined;
}

export async function readRetentionState(db: Queryable): Promise<RetentionState> {
  const { rows } = await db.query<{
    seen_at: Date | null;
    pause: RetentionPause | null;
    confirmation: RetentionConfirmation | null;
    last_round: RetentionRound | null;
  }>("select seen_at, pause, confirmation, last_round from retention_state");
  const row = rows[0];
  return {
    seenAt: row?.seen_at ?? undefined,
    pause: row?.pause ?? undefined,
    confirmation: row?.confirmation ?? undefined,
    lastRound: row?.last_round ?? undefined,
  };
}

/** Notes that a step was taken now. */
export async function noteRetentionStep(db: Queryable): Promise<void> {
  await db.query(
    `insert into retention_state (seen_at) values (clock_timestamp())
     on conflict (only_row) do update set seen_at = excluded.seen_at`,
  );
}

/** Notes what a round has come to; what was confirmed for it is used up. */
export async function noteRetentionRound(db: Queryable, round: RetentionRound): Promise<void> {
  await db.query(
    `insert into retention_state (last_round) values ($1::jsonb)
     on conflict (only_row) do update set last_round = excluded.last_round, confirmation = null`,
    [JSON.stringify(round)],
  );
}

/** @returns `false` where it was paused already */
export async function pauseRetention(tx: Queryable, pause: RetentionPause): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into retention_state as r (pause) values ($1::jsonb)
     on conflict (only_row) do update set pause = excluded.pause, confirmation = null where r.pause is null`,
    [JSON.stringify(pause)],
  );
  return rowCount === 1;
}

/** Ends a pause whose reason is over. @returns whether there was that one */
export async function endRetentionPause(tx: Queryable, pauseId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    "update retention_state set pause = null where pause->>'id' = $1",
    [pauseId],
  );
  return rowCount === 1;
}

/**
 * Lets go on what was paused, as far as whoever confirms has seen.
 *
 * @returns the pause that was ended; `undefined` where there is no such pause (any more)
 */
export async function confirmRetention(
  catalog: Catalog,
  { pauseId, actor, reason }: { pauseId: string; actor: string; reason: string },
): Promise<RetentionPause | undefined> {
  return catalog.transaction(async (tx) => {
    const { rows } = await tx.query<{ pause: RetentionPause }>(
      "select pause from retention_state where pause->>'id' = $1 for update",
      [pauseId],
    );
    const pause = rows[0]?.pause;
    if (pause === undefined) return undefined;
    const confirmation: RetentionConfirmation = { pauseId, actor, removals: pause.removals ?? 0 };
    await tx.query(
      "update retention_state set pause = null, confirmation = $1::jsonb, seen_at = clock_timestamp()",
      [JSON.stringify(confirmation)],
    );
    const details = { pause, reason };
    await recordAudit(tx, [{ actor, action: "retention.confirmed", details }]);
    return pause;
  });
}
