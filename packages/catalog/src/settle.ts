import type { StageError } from "@sluice/contracts";
import { type StageName, STAGES, type Verdict } from "@sluice/pipeline";
import type { Catalog, Queryable } from "./catalog.js";
import { RECORD_RESULTS, type StageResults } from "./results.js";
import { decideStates } from "./states.js";

/** How one script's stay in a stage ended. */
export type Ending<Stage extends StageName> =
  | { readonly kind: "done"; readonly result: StageResults[Stage]; readonly stop: boolean }
  /** Tried again after a while; `failure` where that uses up a try. */
  | {
      readonly kind: "later";
      readonly delayMs: number;
      readonly error: StageError;
      readonly failure: boolean;
    }
  /** The tries are used up. */
  | { readonly kind: "failed"; readonly error: StageError }
  /** Settled for another analyser or policy than is at work now: back to dedup. */
  | { readonly kind: "restart"; readonly delayMs: number };

export interface Settlement<Stage extends StageName> {
  readonly versionId: string;
  readonly token: string;
  /** How long the handler worked on it, in milliseconds. */
  readonly durationMs: number;
  readonly ending: Ending<Stage>;
}

/** What has become pending. */
export interface NextWork {
  readonly stage: StageName;
  readonly versionId: string;
  readonly size: number;
  readonly delayMs: number;
}

export interface Settled {
  /** The versions whose lease still held; of the others nothing was written. */
  readonly versionIds: ReadonlySet<string>;
  readonly next: readonly NextWork[];
}

/**
 * Commits how scripts fared in a stage: result, stage row, what follows, and where that was the last
 * work on a version its final state, all in one transaction. A row counts only while it still bears
 * the token it was leased with: whoever froze past its lease writes nothing.
 */
export async function settleStage<Stage extends StageName>(
  catalog: Catalog,
  stage: Stage,
  settlements: readonly Settlement<Stage>[],
): Promise<Settled> {
  return catalog.transaction(async (tx) => {
    const held = await lockHeld(tx, stage, settlements);
    const live = settlements.filter(({ versionId }) => held.has(versionId));
    const next: Omit<NextWork, "size">[] = [];

    const done = live.flatMap(({ versionId, durationMs, ending }) =>
      ending.kind === "done" ? [{ versionId, durationMs, ...ending }] : [],
    );
    if (done.length > 0) {
      const goesOn = await RECORD_RESULTS[stage](tx, done);
      await markDone(tx, stage, done);
      const onward = done.filter(({ versionId, stop }) => !stop && goesOn.has(versionId));
      for (const follower of STAGES[stage].next) {
        const ids = onward.map(({ versionId }) => versionId);
        await makePending(tx, follower, ids);
        next.push(...ids.map((versionId) => ({ stage: follower, versionId, delayMs: 0 })));
      }
    }
    for (const { versionId, ending } of live) {
      if (ending.kind === "later") {
        await postpone(tx, stage, versionId, ending);
        next.push({ stage, versionId, delayMs: ending.delayMs });
      } else if (ending.kind === "failed") {
        await markFailed(tx, stage, versionId, ending.error);
      } else if (ending.kind === "restart") {
        for (const id of await restart(tx, versionId, ending.delayMs)) {
          next.push({ stage: "dedup", versionId: id, delayMs: ending.delayMs });
        }
      }
    }
    await finish(tx, [...held.keys()]);
    const sizes = await sizesOf(tx, next);
    return {
      versionIds: new Set(held.keys()),
      next: next.map((work) => ({ ...work, size: sizes.get(work.versionId) ?? 0 })),
    };
  });
}

/**
 * Locks the versions whose lease is still the caller's. The lock on the version makes the two branches
 * after validate take turns, so that the later one sees that it is the last.
 */
async function lockHeld(
  tx: Queryable,
  stage: StageName,
  settlements: readonly Settlement<StageName>[],
): Promise<Map<string, true>> {
  const ids = settlements.map(({ versionId }) => versionId);
  await tx.query(
    "select id from versions where id = any($1::uuid[]) order by sha256, id for no key update",
    [ids],
  );
  const { rows } = await tx.query<{ version_id: string }>(
    `select s.version_id from stages s
     join unnest($2::uuid[], $3::uuid[]) as held (version_id, token)
       on s.version_id = held.version_id and s.lease_token = held.token
     where s.stage = $1 and s.state = 'running' order by s.version_id for update of s`,
    [stage, ids, settlements.map(({ token }) => token)],
  );
  return new Map(rows.map((row) => [row.version_id, true]));
}

async function markDone(
  tx: Queryable,
  stage: StageName,
  done: readonly { versionId: string; durationMs: number }[],
): Promise<void> {
  await tx.query(
    `update stages s set state = 'done', lease_token = null, leased_until = null, error = null,
       finished_at = clock_timestamp(),
       started_at = greatest(s.started_at, clock_timestamp() - make_interval(secs => took.ms / 1000.0))
     from unnest($2::uuid[], $3::float8[]) as took (version_id, ms)
     where s.version_id = took.version_id and s.stage = $1`,
    [stage, done.map(({ versionId }) => versionId), done.map(({ durationMs }) => durationMs)],
  );
}

async function makePending(tx: Queryable, stage: StageName, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `insert into stages (version_id, stage) select id, $1 from unnest($2::uuid[]) as ids (id)
     on conflict (version_id, stage) do update set state = 'pending', available_at = now(),
       enqueued_at = now(), failures = 0, error = null, lease_token = null`,
    [stage, ids],
  );
}

async function postpone(
  tx: Queryable,
  stage: StageName,
  versionId: string,
  { delayMs, error, failure }: { delayMs: number; error: StageError; failure: boolean },
): Promise<void> {
  await tx.query(
    `update stages set state = 'pending', lease_token = null, leased_until = null, error = $4,
       failures = failures + $5, enqueued_at = now(),
       available_at = now() + make_interval(secs => $3)
     where version_id = $1 and stage = $2`,
    [versionId, stage, delayMs / 1000, JSON.stringify(error), failure ? 1 : 0],
  );
}

async function markFailed(
  tx: Queryable,
  stage: StageName,
  versionId: string,
  error: StageError,
): Promise<void> {
  await tx.query(
    `update stages set state = 'failed', lease_token = null, leased_until = null, error = $3,
       failures = failures + 1, finished_at = now()
     where version_id = $1 and stage = $2`,
    [versionId, stage, JSON.stringify(error)],
  );
}

const MISMATCH: StageError = {
  code: "analyser_mismatch",
  message: "dedup and a later stage run different analysers or policies; started over at dedup",
};

/** Sends a leader and whoever waits for it back to dedup. @returns their ids */
async function restart(tx: Queryable, versionId: string, delayMs: number): Promise<string[]> {
  // A duplicate takes this lock before it decides to wait: with it held, all who wait can be seen.
  await tx.query("select from analyses where leader = $1 and state <> 'done' for update", [
    versionId,
  ]);
  const { rows } = await tx.query<{ id: string }>(
    `update versions set duplicate_of = null, analyser_version = null, policy_version = null,
       verdict = null
     where id = $1 or (duplicate_of = $1 and state = 'processing') returning id`,
    [versionId],
  );
  const ids = rows.map((row) => row.id);
  await tx.query("delete from analyses where leader = $1 and state <> 'done'", [versionId]);
  await tx.query("delete from stages where version_id = any($1::uuid[])", [ids]);
  await tx.query(
    `insert into stages (version_id, stage, available_at, error)
     select id, 'dedup', now() + make_interval(secs => $2), $3 from unnest($1::uuid[]) as ids (id)`,
    [ids, delayMs / 1000, JSON.stringify(MISMATCH)],
  );
  return ids;
}

/**
 * Gives versions with no open stage their final state, and with them the duplicates that waited for
 * their results.
 */
async function finish(tx: Queryable, ids: readonly string[]): Promise<void> {
  const { rows: over } = await tx.query<{ id: string; failed: boolean }>(
    `select v.id, bool_or(s.state = 'failed') as failed
     from versions v join stages s on s.version_id = v.id
     where v.id = any($1::uuid[]) and v.state = 'processing'
       and (v.duplicate_of is null)
     group by v.id having bool_and(s.state in ('done', 'skipped', 'failed'))`,
    [ids],
  );
  if (over.length === 0) return;
  const overIds = over.map(({ id }) => id);
  const failedIds = over.filter(({ failed }) => failed).map(({ id }) => id);

  await tx.query(
    `update analyses a set state = case when a.leader = any($2::uuid[]) then 'failed' else 'done' end
     from versions v where v.id = any($1::uuid[]) and a.leader = v.id and a.state = 'running'
       and a.sha256 = v.sha256 and a.analyser_version = v.analyser_version
       and a.policy_version = v.policy_version`,
    [overIds, failedIds],
  );
  await tx.query(
    `insert into stages (version_id, stage, state, attempts, failures, started_at, finished_at, error)
     select f.id, s.stage, s.state, s.attempts, s.failures, s.started_at, s.finished_at, s.error
     from versions f join stages s on s.version_id = f.duplicate_of and s.state = 'failed'
     where f.duplicate_of = any($1::uuid[]) and f.state = 'processing'
     on conflict (version_id, stage) do nothing`,
    [failedIds],
  );
  const { rows: finished } = await tx.query<{ id: string; verdict: Verdict | null }>(
    `update versions v set finished_at = now(), verdict = leader.verdict,
       state = case when leader.id = any($2::uuid[]) then 'failed'
                    else state_of_verdict(leader.verdict) end
     from versions leader
     where leader.id = any($1::uuid[]) and v.state = 'processing'
       and (v.id = leader.id or v.duplicate_of = leader.id)
     returning v.id, v.verdict`,
    [overIds, failedIds],
  );
  await decideStates(
    tx,
    finished.filter(({ verdict }) => verdict === "needs_approval").map(({ id }) => id),
  );
}

async function sizesOf(
  tx: Queryable,
  next: readonly { versionId: string }[],
): Promise<Map<string, number>> {
  if (next.length === 0) return new Map();
  const { rows } = await tx.query<{ id: string; size: number }>(
    "select id, size from versions where id = any($1::uuid[])",
    [next.map(({ versionId }) => versionId)],
  );
  return new Map(rows.map(({ id, size }) => [id, size]));
}
