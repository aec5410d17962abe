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

/** Scripts in one row of what is still to be changed. */
const CHUNK = 100;
/** Scripts, by id, that one statement looks at: each ends long before its time is over, however many scripts there are. */
const PAGE = 100_000;

/**
 * Begins a change of the very scripts that were selected. They are written down page by page, in one transaction and as they were at
 * one moment: killed in between, nothing has begun.
 *
 * @param page - scripts that are looked at in one statement
 * @returns `undefined` where they are others by now, or one of them was changed
 */
export async function startBulkChange(
  catalog: Catalog,
  {
    request,
    selection,
    actor,
    idempotency,
    page = PAGE,
  }: {
    request: BulkChangeRequest;
    selection: Selection;
    actor: string;
    idempotency: { readonly key: string; readonly fingerprint: string } | undefined;
    page?: number;
  },
): Promise<BulkChangeRow | undefined> {
  const id = uuidv7();
  try {
    return await catalog.transaction(async (tx) => {
      await tx.query("set transaction isolation level repeatable read");
      const { rows } = await tx.query<Row>(
        `insert into bulk_changes (id, request, selected, created_by) values ($1, $2, $3, $4) returning *`,
        [id, JSON.stringify(request), selection.count, actor],
      );
      const now = await writeChunks(tx, { id, request, at: selection.at, page });
      if (now.count !== selection.count || now.digest !== selection.digest)
        throw new OutdatedError();
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

async function writeChunks(
  tx: Queryable,
  { id, request, at, page }: { id: string; request: BulkChangeRequest; at: string; page: number },
): Promise<Omit<Selection, "at">> {
  let count = 0;
  let digest = 0n;
  let number = 0;
  for (let after: string | null = null; ;) {
    const next: { rows: { id: string }[] } = await tx.query<{ id: string }>(
      "select id from scripts where ($1::uuid is null or id > $1) order by id offset $2 limit 1",
      [after, page - 1],
    );
    const last = next.rows[0]?.id ?? null;
    const values: unknown[] = [id, number, after, last, at];
    const where = conditionsOf(filterOf(request), (value) => `$${values.push(value)}`);
    const { rows } = await tx.query<{ count: number; digest: string }>(
      `with chosen as materialized (
         select s.id, s.revision ${FROM}
         where ($3::uuid is null or s.id > $3) and ($4::uuid is null or s.id <= $4)
           and ${where.join(" and ")} and s.created_at <= $5::timestamptz
       ), written as (
         insert into bulk_change_chunks (change_id, number, script_ids, revisions)
         select $1::uuid, $2::int + n, array_agg(id), array_agg(revision)
         from (select id, revision, (row_number() over (order by id) - 1) / ${CHUNK} as n from chosen) c
         group by n)
       select count(*)::int as count, ${DIGEST} as digest from chosen`,
      values,
    );
    const found = rows[0] as { count: number; digest: string };
    count += found.count;
    digest ^= BigInt(found.digest);
    number += Math.ceil(found.count / CHUNK);
    if (last === null) return { count, digest: String(digest) };
    after = last;
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
