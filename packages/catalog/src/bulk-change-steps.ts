/** Bulk changes on their way, step by step, and what becomes of them when they are over. */
import {
  type BulkChangeRequest,
  changeFields,
  type FieldChange,
  type UserFields,
} from "@sluice/contracts";
import type { BulkChangeFailure } from "./bulk-changes.js";
import type { Catalog, Queryable } from "./catalog.js";
import { changesBetween } from "./user-metadata.js";

/**
 * Changes the next scripts of the oldest change that nobody else is at, in one transaction: killed in between, nothing of the
 * step has happened. Scripts that somebody is writing to are put behind all others, so that uploads and changes never wait for
 * each other in a circle.
 *
 * @param limit - scripts at most; of one row of them, which has 100
 * @returns how many scripts were settled; 0 where there is nothing to do for now
 */
export async function advanceBulkChange(catalog: Catalog, limit: number): Promise<number> {
  return catalog.transaction(async (tx) => {
    const { rows: found } = await tx.query<{
      id: string;
      request: BulkChangeRequest;
      created_by: string;
    }>(
      `select id, request, created_by from bulk_changes where state = 'running'
       order by id limit 1 for update skip locked`,
    );
    const change = found[0];
    if (change === undefined) return 0;
    const { targets, purged } = await takeTargets(tx, change.id, limit);
    const { changed, failures } = settle(targets, change.request);
    for (const scriptId of purged) failures.push(gone(scriptId));
    await write(tx, change, changed, failures);
    const done = targets.length + purged.length;
    await tx.query(
      `update bulk_changes set changed = changed + $2, failed = failed + $3, unchanged = unchanged + $4,
         state = case when ended then 'done' else state end,
         finished_at = case when ended then clock_timestamp() end
       from (select not exists (select from bulk_change_chunks where change_id = $1) as ended) e
       where id = $1`,
      [change.id, changed.length, failures.length, done - changed.length - failures.length],
    );
    return done;
  });
}

/** Takes the next scripts out of what is still to be changed, and holds their rows; those that are purged have none. */
async function takeTargets(
  tx: Queryable,
  changeId: string,
  limit: number,
): Promise<{ readonly targets: readonly TargetRow[]; readonly purged: readonly string[] }> {
  const { rows: chunks } = await tx.query<{
    number: number;
    script_ids: string[];
    revisions: number[];
  }>(
    `select number, script_ids, revisions from bulk_change_chunks where change_id = $1
     order by number limit 1`,
    [changeId],
  );
  const chunk = chunks[0];
  if (chunk === undefined) return { targets: [], purged: [] };
  const { number, script_ids: ids, revisions } = chunk;
  const { rows: targets } = await tx.query<TargetRow>(
    `select s.id as script_id, t.revision as expected, s.revision, s.deleted_at, s.title, s.description, s.tags,
       s.labels, s.owner, s.pinned
     from unnest($1::uuid[], $2::integer[]) t (id, revision) join scripts s on s.id = t.id
     order by s.id for no key update of s skip locked`,
    [ids.slice(0, limit), revisions.slice(0, limit)],
  );
  const held = new Set(targets.map(({ script_id }) => script_id));
  const others = ids.slice(0, limit).filter((id) => !held.has(id));
  const { rows: locked } = await tx.query<{ id: string }>(
    "select id from scripts where id = any($1::uuid[])",
    [others],
  );
  const busy = new Set(locked.map(({ id }) => id));
  await tx.query(
    ids.length > limit
      ? "update bulk_change_chunks set script_ids = script_ids[$3::int + 1:], revisions = revisions[$3::int + 1:] where change_id = $1 and number = $2"
      : "delete from bulk_change_chunks where change_id = $1 and number = $2 and $3::int > 0",
    [changeId, number, limit],
  );
  if (busy.size > 0) {
    await tx.query(
      `insert into bulk_change_chunks (change_id, number, script_ids, revisions)
       select $1, greatest($2, coalesce(max(number), 0)) + 1, $3::uuid[], $4::integer[]
       from bulk_change_chunks where change_id = $1`,
      [changeId, number, [...busy], [...busy].map((id) => revisions[ids.indexOf(id)])],
    );
  }
  return { targets, purged: others.filter((id) => !busy.has(id)) };
}

interface TargetRow extends UserFields {
  script_id: string;
  expected: number;
  revision: number;
  deleted_at: Date | null;
}

interface Changed {
  readonly scriptId: string;
  readonly fields: UserFields;
  readonly changes: readonly FieldChange[];
}

function gone(scriptId: string): BulkChangeFailure {
  return { scriptId, reason: "deleted", message: "It was deleted meanwhile." };
}

function settle(targets: readonly TargetRow[], request: BulkChangeRequest) {
  const changed: Changed[] = [];
  const failures: BulkChangeFailure[] = [];
  for (const { script_id: scriptId, expected, revision, deleted_at, ...fields } of targets) {
    if (deleted_at !== null) {
      failures.push(gone(scriptId));
    } else if (revision !== expected) {
      const message = `It was at revision ${expected} and is at ${revision} by now.`;
      failures.push({ scriptId, reason: "changed_meanwhile", message });
    } else {
      const outcome = changeFields(fields, request);
      if ("refusal" in outcome) {
        failures.push({ scriptId, reason: "invalid", message: outcome.refusal });
        continue;
      }
      const changes = changesBetween(fields, outcome.fields);
      if (changes.length > 0) changed.push({ scriptId, fields: outcome.fields, changes });
    }
  }
  return { changed, failures };
}

async function write(
  tx: Queryable,
  { id, created_by: actor }: { readonly id: string; readonly created_by: string },
  changed: readonly Changed[],
  failures: readonly BulkChangeFailure[],
): Promise<void> {
  await tx.query(
    `with items as (
       select * from jsonb_to_recordset($1::jsonb) as i(id uuid, title text, description text, tags text[],
         labels jsonb, owner text, pinned boolean, changes jsonb)
     ), updated as (
       update scripts s set title = i.title, description = i.description, tags = i.tags, labels = i.labels,
         owner = i.owner, pinned = i.pinned, revision = s.revision + 1
       from items i where s.id = i.id returning s.id, s.revision, i.changes)
     insert into metadata_changes (script_id, revision, actor, change_id, changes)
       select id, revision, $2, $3, changes from updated`,
    [
      JSON.stringify(
        changed.map(({ scriptId, fields, changes }) => ({ id: scriptId, ...fields, changes })),
      ),
      actor,
      id,
    ],
  );
  await tx.query(
    `insert into bulk_change_failures (change_id, script_id, reason, message)
     select $1, * from unnest($2::uuid[], $3::text[], $4::text[])`,
    [
      id,
      failures.map(({ scriptId }) => scriptId),
      failures.map(({ reason }) => reason),
      failures.map(({ message }) => message),
    ],
  );
}

/**
 * Deletes some of what changes have left that are over: what a cancelled one had still to change, and of those that ended before a
 * time everything. The scripts' own history stays.
 *
 * @param limit - rows at most
 * @returns how many were deleted; 0 where nothing is left to delete
 */
export async function tidyBulkChanges(
  db: Queryable,
  { endedBefore, limit }: { endedBefore: Date; limit: number },
): Promise<number> {
  const chunks = await db.query(
    `delete from bulk_change_chunks where (change_id, number) in (
       select c.change_id, c.number from bulk_changes b join bulk_change_chunks c on c.change_id = b.id
       where b.state = 'cancelled' limit $1)`,
    [limit],
  );
  const failures = await db.query(
    `delete from bulk_change_failures where (change_id, script_id) in (
       select f.change_id, f.script_id from bulk_changes b join bulk_change_failures f on f.change_id = b.id
       where b.finished_at < $1 limit $2)`,
    [endedBefore, limit],
  );
  const changes = await db.query(
    `delete from bulk_changes where id in (
       select b.id from bulk_changes b where b.finished_at < $1
         and not exists (select from bulk_change_failures f where f.change_id = b.id)
         and not exists (select from bulk_change_chunks c where c.change_id = b.id)
       limit $2)`,
    [endedBefore, limit],
  );
  return (chunks.rowCount ?? 0) + (failures.rowCount ?? 0) + (changes.rowCount ?? 0);
}
