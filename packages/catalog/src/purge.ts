/**
 * How what is in the trash for long enough goes: rows first. The transaction that removes rows also writes down which objects nothing
 * refers to any more, so that whoever dies after it leaves orphans that are known, and never a row whose bytes are gone.
 */
import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";
import { heldScripts } from "./legal-holds.js";
import { lockDecisions } from "./states.js";

/** Something whose time in the trash is over. */
export interface DueTrash {
  /** Of the script or of the version. */
  readonly id: string;
  readonly scriptId: string;
  readonly version: number | undefined;
  /** In microseconds, as a place in the list. */
  readonly purgeAt: string;
}

/** What is due by the database's clock and not held, what became due first first. */
export async function listDueTrash(
  db: Queryable,
  { after, limit }: { after?: Pick<DueTrash, "id" | "purgeAt"> | undefined; limit: number },
): Promise<readonly DueTrash[]> {
  const { rows } = await db.query<{
    id: string;
    script_id: string;
    version: number | null;
    purge_at: string;
  }>(
    `select t.id, t.script_id, t.version,
       to_char(t.purge_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as purge_at
     from trash t where t.purge_at <= clock_timestamp()
       and ($1::timestamptz is null or (t.purge_at, t.id) > ($1, $2::uuid))
       and not exists (select from legal_holds h where h.script_id = t.script_id)
     order by t.purge_at, t.id limit $3`,
    [after?.purgeAt ?? null, after?.id ?? null, limit],
  );
  return rows.map((row) => ({
    id: row.id,
    scriptId: row.script_id,
    version: row.version ?? undefined,
    purgeAt: row.purge_at,
  }));
}

/** The hashes that would be nobody's any more without these: the blobs whose copies are to be checked before. */
export async function listLastReferences(
  db: Queryable,
  { scriptId, version }: Pick<DueTrash, "scriptId" | "version">,
  limit: number,
): Promise<readonly string[]> {
  const { rows } = await db.query<{ sha256: string }>(
    `select distinct going.sha256 from (${NEXT_VERSIONS}) going
     where not exists (select from versions v where v.sha256 = going.sha256
       and (v.script_id <> $1 or ($2::integer is not null and v.number <> $2)))`,
    [scriptId, version ?? null, limit],
  );
  return rows.map(({ sha256 }) => sha256);
}

const NEXT_VERSIONS = `select id, number, sha256, state, raw_key from versions
  where script_id = $1 and ($2::integer is null or number = $2) order by number limit $3`;

/** What became of something that was to be purged. */
export type PurgeStep =
  | { readonly kind: "purged"; readonly versions: number; readonly script: PurgedItem }
  /** There is more of it to be purged by the next step. */
  | { readonly kind: "partly"; readonly versions: number }
  /** It was brought back, held, or somebody else is at it or works on one of its versions: it stays for now. */
  | { readonly kind: "left" };

/** What an operator is told of it. */
export interface PurgedItem {
  readonly scriptId: string;
  readonly version: number | undefined;
  readonly namespace: string;
  readonly filename: string;
  readonly deletedBy: string;
  readonly rule: string | undefined;
}

/** Duplicates of a version that are detached from it in one step. */
const MOST_DUPLICATES = 5_000;

/** Who purges, as the audit log has it. */
const ACTOR = "janitor";

/**
 * Removes rows of a script or a version whose time is over, so many versions at once, in one transaction. All that was decided before
 * is looked at again under its locks.
 *
 * @param manifestKey - where the backup store keeps the manifest of a version
 */
export async function purgeStep(
  catalog: Catalog,
  {
    item: { id, scriptId },
    limit,
    manifestKey,
  }: {
    item: Pick<DueTrash, "id" | "scriptId">;
    limit: number;
    manifestKey: (scriptId: string, version: number) => string;
  },
): Promise<PurgeStep> {
  return catalog.transaction<PurgeStep>(async (tx) => {
    await lockDecisions(tx, [scriptId]);
    const due = await lockDue(tx, { id, scriptId });
    if (due === undefined) return { kind: "left" };
    const going = await lockGoing(tx, scriptId, due.version, limit);
    if (going === undefined) return { kind: "left" };
    const ids = going.map((version) => version.id);
    if (!(await detachDuplicates(tx, ids))) return { kind: "partly", versions: 0 };
    await leaveBytes(tx, going);
    await noteObjects(
      tx,
      going.map(({ number }) => manifestKey(scriptId, number)),
      going.flatMap(({ raw_key }) => raw_key ?? []),
    );
    await tx.query("delete from search_queue where version_id = any($1::uuid[])", [ids]);
    await tx.query("delete from stages where version_id = any($1::uuid[])", [ids]);
    await tx.query("delete from versions where id = any($1::uuid[])", [ids]);
    await tx.query("delete from trash where id = any($1::uuid[]) and id <> $2", [ids, id]);
    const { rowCount: rest } = await tx.query(
      "select from versions where script_id = $1 and ($2::integer is null or number = $2) limit 1",
      [scriptId, due.version],
    );
    const purged = due.purged + going.length;
    if (rest !== 0) {
      await tx.query("update trash set purged = $2 where id = $1", [id, purged]);
      return { kind: "partly", versions: going.length };
    }
    await tx.query("delete from trash where id = $1", [id]);
    if (due.version === null) await removeScript(tx, scriptId);
    await leaveTombstone(tx, due, purged, going);
    return { kind: "purged", versions: going.length, script: toItem(due) };
  });
}

interface DueRow {
  script_id: string;
  version: number | null;
  deleted_at: Date;
  purge_at: Date;
  actor: string;
  reason: string | null;
  rule: string | null;
  policy_id: number | null;
  policy_version: string | null;
  purged: number;
  namespace: string;
  filename: string;
}

/** Deletions, uploads, holds and undeletions of the script wait from here on. */
async function lockDue(
  tx: Queryable,
  { id, scriptId }: Pick<DueTrash, "id" | "scriptId">,
): Promise<DueRow | undefined> {
  const { rowCount } = await tx.query("select from scripts where id = $1 for update skip locked", [
    scriptId,
  ]);
  if (rowCount !== 1 || (await heldScripts(tx, [scriptId])).has(scriptId)) return undefined;
  const { rows } = await tx.query<DueRow>(
    `select t.script_id, t.version, t.deleted_at, t.purge_at, t.actor, t.reason, t.rule, t.policy_id,
       t.policy_version, t.purged, s.namespace, s.filename
     from trash t join scripts s on s.id = t.script_id
     where t.id = $1 and t.purge_at <= clock_timestamp()
       and (t.version is not null or s.deleted_at is not null)`,
    [id],
  );
  return rows[0];
}

interface GoingVersion {
  id: string;
  number: number;
  sha256: string;
  raw_key: string | null;
}

/** @returns `undefined` where a version is still under way: others may wait for what it finds out */
async function lockGoing(
  tx: Queryable,
  scriptId: string,
  version: number | null,
  limit: number,
): Promise<readonly GoingVersion[] | undefined> {
  const { rows } = await tx.query<GoingVersion>(NEXT_VERSIONS, [scriptId, version, limit]);
  // Blobs before versions, as whoever settles a duplicate has them, and all in one order: nobody waits in a circle.
  await tx.query("select from blobs where sha256 = any($1::text[]) order by sha256 for update", [
    rows.map(({ sha256 }) => sha256),
  ]);
  await tx.query("select from versions where id = any($1::uuid[]) order by sha256, id for update", [
    rows.map(({ id }) => id),
  ]);
  const { rowCount } = await tx.query(
    `select from versions where script_id = $1 and ($2::integer is null or number = $2)
       and state in ('queued', 'processing') limit 1`,
    [scriptId, version],
  );
  return rowCount === 0 ? rows : undefined;
}

/** @returns `false` where there are more than one step detaches */
async function detachDuplicates(tx: Queryable, ids: readonly string[]): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update versions set duplicate_of = null where id in (select id from versions
       where duplicate_of = any($1::uuid[]) order by sha256, id limit $2 for no key update)`,
    [ids, MOST_DUPLICATES],
  );
  return rowCount !== MOST_DUPLICATES;
}

/** What is known of bytes goes with the last version of them; else another version stands for what was found. */
async function leaveBytes(tx: Queryable, going: readonly GoingVersion[]): Promise<void> {
  const ids = going.map(({ id }) => id);
  const { rows } = await tx.query<{ sha256: string }>(
    `select distinct going.sha256 from unnest($2::text[]) as going (sha256)
     where not exists (select from versions v where v.sha256 = going.sha256 and v.id <> all($1::uuid[]))`,
    [ids, going.map(({ sha256 }) => sha256)],
  );
  const last = rows.map(({ sha256 }) => sha256);
  await tx.query(
    "delete from analyses where sha256 = any($2::text[]) or (leader = any($1::uuid[]) and state <> 'done')",
    [ids, last],
  );
  await tx.query(
    `update analyses a set leader = (select v.id from versions v
         where v.sha256 = a.sha256 and v.id <> all($1::uuid[]) order by v.deleted_at is not null, v.id limit 1)
       where a.leader = any($1::uuid[])`,
    [ids],
  );
  await tx.query("delete from script_facts where sha256 = any($1::text[])", [last]);
  await tx.query("delete from damaged_blobs where sha256 = any($1::text[])", [last]);
  await tx.query("delete from expired_blobs where sha256 = any($1::text[])", [last]);
  await tx.query(
    `insert into unreferenced_blobs (sha256) select unnest($1::text[])
     on conflict (sha256) do update set removed_at = null, copies_due_at = null`,
    [last],
  );
}

async function noteObjects(
  tx: Queryable,
  manifests: readonly string[],
  uploads: readonly string[],
): Promise<void> {
  await tx.query(
    `insert into purged_objects (store, key)
     select 'backup', unnest($1::text[]) union all select 'objects', unnest($2::text[])
     on conflict do nothing`,
    [manifests, uploads],
  );
}

/** What else has been written of it goes with it; the audit log stays. */
async function removeScript(tx: Queryable, scriptId: string): Promise<void> {
  await tx.query("delete from search_scripts where script_id = $1", [scriptId]);
  await tx.query("delete from scripts where id = $1", [scriptId]);
}

/** Hashes that the audit log names of a script. */
const NAMED = 100;

/** The audit log keeps what the row said: that it was there, who deleted it and why, and that it is gone. */
async function leaveTombstone(
  tx: Queryable,
  due: DueRow,
  purged: number,
  going: readonly GoingVersion[],
): Promise<void> {
  const { namespace, filename, reason, rule, policy_id, policy_version } = due;
  await recordAudit(tx, [
    {
      actor: ACTOR,
      action: due.version === null ? "script.purged" : "version.purged",
      scriptId: due.script_id,
      version: due.version ?? undefined,
      sha256: due.version === null ? undefined : going[0]?.sha256,
      details: {
        namespace,
        filename,
        deleted_at: due.deleted_at.toISOString(),
        deleted_by: due.actor,
        ...(reason !== null && { reason }),
        ...(rule !== null && { rule, policy_id, policy_version }),
        ...(due.version === null && {
          versions: purged,
          sha256s: going.slice(0, NAMED).map(({ sha256 }) => sha256),
        }),
      },
    },
  ]);
}

function toItem(due: DueRow): PurgedItem {
  return {
    scriptId: due.script_id,
    version: due.version ?? undefined,
    namespace: due.namespace,
    filename: due.filename,
    deletedBy: due.actor,
    rule: due.rule ?? undefined,
  };
}
