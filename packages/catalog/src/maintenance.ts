import { recordEvents } from "./events.js";
import type { Catalog, Queryable } from "./catalog.js";

/** A maintenance task as its row has it. */
export interface MaintenanceState {
  readonly name: string;
  /** Somebody holds it. */
  readonly running: boolean;
  readonly lastStartedAt: Date | undefined;
  /** When it last succeeded. */
  readonly lastFinishedAt: Date | undefined;
  /** How many runs have failed since one succeeded, and what the last of them said. */
  readonly failures: number;
  readonly lastError: string | undefined;
}

/**
 * Takes a maintenance task for so long.
 *
 * @param token - tells this run from any other
 * @returns `undefined` where another run holds it, else where the run before this one has come to
 */
export async function takeTask(
  db: Queryable,
  { name, token, leaseMs }: { name: string; token: string; leaseMs: number },
): Promise<{ readonly cursor: unknown } | undefined> {
  const { rows } = await db.query<{ cursor: unknown }>(
    `insert into maintenance_tasks as t (name, lease_token, leased_until, last_started_at)
     values ($1, $2, now() + $3 * interval '1 ms', now())
     on conflict (name) do update set lease_token = $2, leased_until = excluded.leased_until,
       last_started_at = now()
       where t.lease_token is null or t.leased_until < now()
     returning t.cursor`,
    [name, token, leaseMs],
  );
  return rows[0];
}

/** Holds a task longer. @returns `false` where it is another run's by now */
export async function renewTask(
  db: Queryable,
  { name, token, leaseMs }: { name: string; token: string; leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update maintenance_tasks set leased_until = now() + $3 * interval '1 ms'
     where name = $1 and lease_token = $2`,
    [name, token, leaseMs],
  );
  return rowCount === 1;
}

/**
 * Remembers how far a task has come; in the transaction that went there, where it must not go there twice.
 *
 * @param cursor - `undefined` begins anew
 * @throws {@link TaskLostError} where the task is another run's by now
 */
export async function saveTaskCursor(
  db: Queryable,
  { name, token, cursor }: { name: string; token: string; cursor: unknown },
): Promise<void> {
  const { rowCount } = await db.query(
    "update maintenance_tasks set cursor = $3::jsonb where name = $1 and lease_token = $2",
    [name, token, cursor === undefined ? null : JSON.stringify(cursor)],
  );
  if (rowCount !== 1) throw new TaskLostError(name);
}

/** A run that was frozen for longer than its lease finds that another has taken its place. */
export class TaskLostError extends Error {
  override readonly name = "TaskLostError";
  constructor(task: string) {
    super(`another run of ${task} has begun`);
  }
}

/** So many failures in a row are worth an event, of most tasks. */
const FAILURES_TO_TELL = 3;

/**
 * Lets a task go.
 *
 * @param error - what its run failed with; absent where it succeeded
 * @param failuresToTell - how many failures in a row are told by an event
 */
export async function finishTask(
  catalog: Catalog,
  {
    name,
    token,
    error,
    failuresToTell = FAILURES_TO_TELL,
  }: {
    name: string;
    token: string;
    error?: string | undefined;
    failuresToTell?: number | undefined;
  },
): Promise<void> {
  await catalog.transaction(async (tx) => {
    const { rows } = await tx.query<{ failures: number; before: number }>(
      `with held as (
         select name, failures from maintenance_tasks where name = $1 and lease_token = $2 for update)
       update maintenance_tasks t set lease_token = null, leased_until = null,
         last_finished_at = case when $3::text is null then now() else t.last_finished_at end,
         last_error = $3, failures = case when $3::text is null then 0 else t.failures + 1 end
       from held where t.name = held.name
       returning t.failures, held.failures as before`,
      [name, token, error ?? null],
    );
    const row = rows[0];
    if (row === undefined) return;
    const details = { task: name };
    if (row.failures === failuresToTell) {
      const times = row.failures === 1 ? "" : ` ${row.failures} times in a row`;
      const message = `${name} has failed${times}: ${error}`;
      await recordEvents(tx, [
        { severity: "warning", kind: "maintenance.failing", message, details },
      ]);
    } else if (row.failures === 0 && row.before >= failuresToTell) {
      const failures = row.before === 1 ? "a failure" : `${row.before} failures`;
      const message = `${name} has succeeded after ${failures}.`;
      await recordEvents(tx, [
        { severity: "info", kind: "maintenance.recovered", message, details },
      ]);
    }
  });
}

/** Every task that ever ran, by name. */
export async function listTasks(db: Queryable): Promise<readonly MaintenanceState[]> {
  const { rows } = await db.query<{
    name: string;
    running: boolean;
    last_started_at: Date | null;
    last_finished_at: Date | null;
    failures: number;
    last_error: string | null;
  }>(
    `select name, coalesce(leased_until > now(), false) as running, last_started_at, last_finished_at,
       failures, last_error from maintenance_tasks order by name`,
  );
  return rows.map((row) => ({
    name: row.name,
    running: row.running,
    lastStartedAt: row.last_started_at ?? undefined,
    lastFinishedAt: row.last_finished_at ?? undefined,
    failures: row.failures,
    lastError: row.last_error ?? undefined,
  }));
}
