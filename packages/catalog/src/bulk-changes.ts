import {
  type BulkChangeRequest,
  changeFields,
  type FieldChange,
  type UserFields,
} from "@sluice/contracts";
import { v7 as uuidv7 } from "uuid";
import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";
import { answerIdempotencyKey } from "./idempotency.js";
import { conditionsOf, type ScriptFilter } from "./script-filter.js";
import { changesBetween } from "./user-metadata.js";

/** What a change is applied to. */
export interface Selection {
  /** RFC 3339 in microseconds; scripts that came later are none of it. */
  readonly at: string;
  readonly count: number;
  /** Of the scripts and the revisions of their fields. */
  readonly digest: string;
}

export interface BulkChangeRow {
  readonly changeId: string;
  readonly state: "running" | "done" | "cancelled";
  readonly request: Record<string, unknown>;
  readonly selected: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly cancelledBy: string | undefined;
  readonly finishedAt: Date | undefined;
}

/** A selected script, as the change would make it. */
export interface Outlook {
  readonly scriptId: string;
  readonly namespace: string;
  readonly filename: string;
  readonly changes: readonly FieldChange[];
  /** Why it cannot be changed so. */
  readonly failure: string | undefined;
}

const FROM = "from scripts s join versions v on v.script_id = s.id and v.number = s.latest_version";
const DIGEST = "coalesce(bit_xor(hashtextextended(id::text || ':' || revision, 0)), 0)::text";

function filterOf({ filter }: BulkChangeRequest): ScriptFilter {
  const { state, batch, all: _all, ...rest } = filter;
  return { ...rest, states: state, batchId: batch };
}

/** Selects, changes nothing, and looks at the first of the scripts by id. */
export async function previewBulkChange(
  db: Queryable,
  request: BulkChangeRequest,
  examine: number,
): Promise<{ readonly selection: Selection; readonly outlooks: readonly Outlook[] }> {
  const values: unknown[] = [];
  const where = conditionsOf(filterOf(request), (value) => `$${values.push(value)}`).join(" and ");
  const selected = await db.query<{ at: string; count: number; digest: string }>(
    `select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
       count(*)::int as count, ${DIGEST} as digest
     from (select s.id, s.revision ${FROM} where ${where}) selected`,
    values,
  );
  const { rows } = await db.query<UserFields & { id: string; namespace: string; filename: string }>(
    `select s.id, s.namespace, s.filename, s.title, s.description, s.tags, s.labels, s.owner, s.pinned
     ${FROM} where ${where} order by s.id limit $${values.push(examine)}`,
    values,
  );
  const outlooks = rows.map(({ id, namespace, filename, ...fields }): Outlook => {
    const outcome = changeFields(fields, request);
    const script = { scriptId: id, namespace, filename };
    return "refusal" in outcome
      ? { ...script, changes: [], failure: outcome.refusal }
      : { ...script, changes: changesBetween(fields, outcome.fields), failure: undefined };
  });
  return { selection: selected.rows[0] as Selection, outlooks };
}

class OutdatedError extends Error {
  override readonly name = "OutdatedError";
}

/**
 * Begins a change of the very scripts that were selected.
 *
 * @returns `undefined` where they are others by now, or one of them was changed
 */
export async function startBulkChange(
  catalog: Catalog,
  {
    request,
    selection,
    actor,
    idempotency,
  }: {
    request: BulkChangeRequest;
    selection: Selection;
    actor: string;
    idempotency: { readonly key: string; readonly fingerprint: string } | undefined;
  },
): Promise<BulkChangeRow | undefined> {
  const id = uuidv7();
  try {
    return await catalog.transaction(async (tx) => {
      const { rows } = await tx.query<Row>(
        `insert into bulk_changes (id, request, selected, created_by) values ($1, $2, $3, $4) returning *`,
        [id, JSON.stringify(request), selection.count, actor],
      );
      const values: unknown[] = [id, selection.at];
      const where = conditionsOf(filterOf(request), (value) => `$${values.push(value)}`);
      await tx.query(
        `insert into bulk_change_targets (change_id, script_id, revision)
         select $1::uuid, s.id, s.revision ${FROM}
         where ${where.join(" and ")} and s.created_at <= $2::timestamptz`,
        values,
      );
      const now = await tx.query<{ count: number; digest: string }>(
        `select count(*)::int as count, ${DIGEST} as digest
         from (select script_id as id, revision from bulk_change_targets where change_id = $1) t`,
        [id],
      );
      if (now.rows[0]?.count !== selection.count || now.rows[0].digest !== selection.digest) {
        throw new OutdatedError();
      }
      await recordAudit(tx, [
        {
          actor,
          action: "metadata.bulk_started",
          details: { change_id: id, selected: selection.count, request },
        },
      ]);
      if (idempotency) await answerIdempotencyKey(tx, idempotency, { change_id: id });
      return toRow(rows[0] as Row);
    });
  } catch (error) {
    if (error instanceof OutdatedError) return undefined;
    throw error;
  }
}

export async function readBulkChange(
  db: Queryable,
  id: string,
): Promise<BulkChangeRow | undefined> {
  const { rows } = await db.query<Row>("select * from bulk_changes where id = $1", [id]);
  return rows[0] && toRow(rows[0]);
}

/** Newest first. */
export async function listBulkChanges(
  db: Queryable,
  { before, limit }: { before: string | undefined; limit: number },
): Promise<{ items: readonly BulkChangeRow[]; next: string | undefined }> {
  const { rows } = await db.query<Row>(
    "select * from bulk_changes where ($1::uuid is null or id < $1) order by id desc limit $2",
    [before ?? null, limit + 1],
  );
  const items = rows.slice(0, limit).map(toRow);
  return { items, next: rows.length > limit ? items.at(-1)?.changeId : undefined };
}

export interface BulkChangeFailure {
  readonly scriptId: string;
  readonly reason: "deleted" | "changed_meanwhile" | "invalid";
  readonly message: string;
}

/** In order of the scripts' ids. */
export async function listBulkChangeFailures(
  db: Queryable,
  { changeId, after, limit }: { changeId: string; after: string | undefined; limit: number },
): Promise<{ items: readonly BulkChangeFailure[]; next: string | undefined }> {
  const { rows } = await db.query<{
    script_id: string;
    reason: BulkChangeFailure["reason"];
    message: string;
  }>(
    `select script_id, reason, message from bulk_change_failures
     where change_id = $1 and ($2::uuid is null or script_id > $2) order by script_id limit $3`,
    [changeId, after ?? null, limit + 1],
  );
  const items = rows
    .slice(0, limit)
    .map(({ script_id, reason, message }) => ({ scriptId: script_id, reason, message }));
  return { items, next: rows.length > limit ? items.at(-1)?.scriptId : undefined };
}

/**
 * Ends a change where it is; what it has changed stays changed. One that was cancelled already stays so.
 *
 * @returns as it is then, which is `done` where it was over; `undefined` where there is none
 */
export async function cancelBulkChange(
  catalog: Catalog,
  { changeId, actor }: { changeId: string; actor: string },
): Promise<BulkChangeRow | undefined> {
  return catalog.transaction(async (tx) => {
    const { rows } = await tx.query<Row>(
      `update bulk_changes set state = 'cancelled', cancelled_by = $2, finished_at = clock_timestamp()
       where id = $1 and state = 'running' returning *`,
      [changeId, actor],
    );
    if (rows[0] === undefined) return readBulkChange(tx, changeId);
    const details = { change_id: changeId };
    await recordAudit(tx, [{ actor, action: "metadata.bulk_cancelled", details }]);
    return toRow(rows[0]);
  });
}

/**
 * Changes the next scripts of the oldest change that nobody else is at, in one transaction: killed in between, nothing of the
 * step has happened. Scripts that somebody is writing to are left for a later step, so that uploads and changes never wait for
 * each other in a circle.
 *
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
    const { rows: targets } = await tx.query<TargetRow>(
      `select t.script_id, t.revision as expected, s.revision, s.deleted_at, s.title, s.description, s.tags,
         s.labels, s.owner, s.pinned
       from bulk_change_targets t join scripts s on s.id = t.script_id
       where t.change_id = $1 order by t.script_id limit $2
       for no key update of s skip locked`,
      [change.id, limit],
    );
    const purged = await tx.query<{ script_id: string }>(
      `select t.script_id from bulk_change_targets t where t.change_id = $1
         and not exists (select from scripts s where s.id = t.script_id) limit $2`,
      [change.id, targets.length === 0 ? limit : 0],
    );
    const { changed, failures } = settle(targets, change.request);
    for (const { script_id } of purged.rows) failures.push(gone(script_id));
    await write(tx, change, changed, failures);
    const done = [...targets, ...purged.rows].map(({ script_id }) => script_id);
    await tx.query(
      "delete from bulk_change_targets where change_id = $1 and script_id = any($2::uuid[])",
      [change.id, done],
    );
    await tx.query(
      `update bulk_changes set changed = changed + $2, failed = failed + $3, unchanged = unchanged + $4,
         state = case when ended then 'done' else state end,
         finished_at = case when ended then clock_timestamp() end
       from (select not exists (select from bulk_change_targets where change_id = $1) as ended) e
       where id = $1`,
      [change.id, changed.length, failures.length, done.length - changed.length - failures.length],
    );
    return done.length;
  });
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

interface Row {
  id: string;
  state: BulkChangeRow["state"];
  request: Record<string, unknown>;
  selected: number;
  changed: number;
  unchanged: number;
  failed: number;
  created_by: string;
  created_at: Date;
  cancelled_by: string | null;
  finished_at: Date | null;
}

function toRow(row: Row): BulkChangeRow {
  return {
    changeId: row.id,
    state: row.state,
    request: row.request,
    selected: row.selected,
    changed: row.changed,
    unchanged: row.unchanged,
    failed: row.failed,
    createdBy: row.created_by,
    createdAt: row.created_at,
    cancelledBy: row.cancelled_by ?? undefined,
    finishedAt: row.finished_at ?? undefined,
  };
}
