import type { StageName } from "@sluice/pipeline";
import type { Queryable } from "./catalog.js";

/** A stage row that no job stands for any more. */
export interface LostWork {
  readonly versionId: string;
  readonly size: number;
  /** Its worker died or froze, rather than its job being lost. */
  readonly abandoned: boolean;
}

/**
 * Marks as enqueued, and returns, what the queue has lost in a stage: rows due before `since`, which
 * no job can stand for because the queue's oldest is younger, and rows whose lease has run out.
 */
export async function takeLostWork(
  db: Queryable,
  { stage, since, limit }: { stage: StageName; since: Date; limit: number },
): Promise<LostWork[]> {
  const { rows } = await db.query<{ version_id: string; size: number; abandoned: boolean }>(
    `with lost as (
       select version_id, state from stages
       where stage = $1 and state in ('pending', 'running')
         and enqueued_at < $2 and available_at < $2
         and (state = 'pending' or leased_until < now())
       order by enqueued_at limit $3 for update skip locked
     )
     update stages s set enqueued_at = now() from lost join versions v on v.id = lost.version_id
     where s.version_id = lost.version_id and s.stage = $1
     returning s.version_id, v.size, lost.state = 'running' as abandoned`,
    [stage, since, limit],
  );
  return rows.map((row) => ({
    versionId: row.version_id,
    size: row.size,
    abandoned: row.abandoned,
  }));
}

/** How much of a stage is unfinished, and since when the oldest has waited. */
export interface Backlog {
  readonly pending: number;
  readonly running: number;
  readonly oldestPendingAt: Date | undefined;
}

/** What each stage has still to do; stages without work are left out. */
export async function readBacklogs(db: Queryable): Promise<Map<StageName, Backlog>> {
  const { rows } = await db.query<{
    stage: StageName;
    pending: number;
    running: number;
    oldest: Date | null;
  }>(
    `select stage, count(*) filter (where state = 'pending')::int as pending,
       count(*) filter (where state = 'running')::int as running,
       min(greatest(enqueued_at, available_at)) filter (where state = 'pending') as oldest
     from stages where state in ('pending', 'running') group by stage`,
  );
  return new Map(
    rows.map(({ stage, pending, running, oldest }) => [
      stage,
      { pending, running, oldestPendingAt: oldest ?? undefined },
    ]),
  );
}
