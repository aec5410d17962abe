import type { VersionState } from "@sluice/pipeline";
import type { Queryable } from "./catalog.js";

/** What a retention policy goes by: one script, as far as its rules can ask. */
export interface RetainedScript {
  readonly scriptId: string;
  readonly namespace: string;
  readonly filename: string;
  readonly tags: readonly string[];
  readonly pinned: boolean;
  /** Under legal hold. */
  readonly held: boolean;
  /** When it was last downloaded or its metadata read, as far as is known yet; `undefined` where it never was. */
  readonly lastUsedAt: Date | undefined;
  /** Those that are there, newest first. */
  readonly versions: readonly RetainedVersion[];
}

export interface RetainedVersion {
  readonly versionId: string;
  readonly number: number;
  readonly sha256: string;
  /** In bytes, as uploaded. */
  readonly size: number;
  /** Bytes that its blob takes in the store; 0 where it has none yet. */
  readonly storedSize: number;
  readonly state: VersionState;
  readonly uploadedAt: Date;
  readonly archived: boolean;
}

export interface RetainedPage {
  readonly scripts: readonly RetainedScript[];
  /** The id to go on after; `undefined` behind the last script. */
  readonly next: string | undefined;
}

/** Versions on a page, about: a script with very many is a page of its own. */
const MOST_VERSIONS = 5_000;

/** Scripts that are not in the trash, in order of their ids. */
export async function listRetained(
  db: Queryable,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<RetainedPage> {
  const { rows } = await db.query<RetainedRow & { position: number; found: number }>({
    name: "list_retained",
    text: `with page as (
        select id, namespace, filename, tags, pinned, (row_number() over by_id)::int as position,
            (count(*) over ())::int as found, sum(latest_version) over by_id as versions
          from (select * from scripts where ($1::uuid is null or id > $1) and deleted_at is null
            order by id limit $2) live
          window by_id as (order by id))
      ${SELECT}, s.position, s.found from page s ${JOINS}
      where s.versions <= ${MOST_VERSIONS} or s.position = 1
      order by s.id, v.number desc`,
    values: [after ?? null, limit],
  });
  const last = rows.at(-1);
  const isLast = last === undefined || (last.found < limit && last.position === last.found);
  return { scripts: toScripts(rows), next: isLast ? undefined : last.script_id };
}

/** Of these scripts, those that are not in the trash, in order of their ids. */
export async function readRetained(
  db: Queryable,
  scriptIds: readonly string[],
): Promise<readonly RetainedScript[]> {
  const { rows } = await db.query<RetainedRow>(
    `${SELECT} from scripts s ${JOINS} where s.id = any($1::uuid[]) and s.deleted_at is null
     order by s.id, v.number desc`,
    [scriptIds],
  );
  return toScripts(rows);
}

/**
 * {@link readRetained}, with what is read kept from changing until the transaction ends: pins, holds and new versions wait. A use that
 * is noted meanwhile is too late to count.
 */
export async function lockRetained(
  tx: Queryable,
  scriptIds: readonly string[],
): Promise<readonly RetainedScript[]> {
  await tx.query(
    "select from scripts where id = any($1::uuid[]) and deleted_at is null order by id for update",
    [scriptIds],
  );
  // A statement of its own, which sees what was committed while the locks were waited for.
  return readRetained(tx, scriptIds);
}

/** The database's clock, which all due dates are held against. */
export async function readClock(db: Queryable): Promise<Date> {
  const { rows } = await db.query<{ now: Date }>("select clock_timestamp() as now");
  return (rows[0] as { now: Date }).now;
}

/** Which scripts have versions of the same bytes as others; those in the trash are left out, since they are about to go. */
export async function listSharers(
  db: Queryable,
  { sha256s, limit }: { sha256s: readonly string[]; limit: number },
): Promise<readonly { readonly sha256: string; readonly scriptId: string }[]> {
  const { rows } = await db.query<{ sha256: string; script_id: string }>(
    `select wanted.sha256, sharer.script_id from unnest($1::text[]) as wanted (sha256)
       cross join lateral (select distinct v.script_id from versions v join scripts s on s.id = v.script_id
         where v.sha256 = wanted.sha256 and s.deleted_at is null and v.deleted_at is null limit $2) sharer`,
    [sha256s, limit],
  );
  return rows.map(({ sha256, script_id: scriptId }) => ({ sha256, scriptId }));
}

const SELECT = `select s.id as script_id, s.namespace, s.filename, s.tags, s.pinned,
  h.script_id is not null as held, u.last_used_at, v.id as version_id, v.number, v.sha256, v.size, v.state,
  v.created_at, coalesce(b.length, 0)::float8 as stored_size, coalesce(b.key like 'archive/%', false) as archived`;
const JOINS = `join versions v on v.script_id = s.id and v.deleted_at is null
  left join blobs b on b.sha256 = v.sha256 and b.state = 'stored'
  left join script_use u on u.script_id = s.id left join legal_holds h on h.script_id = s.id`;

interface RetainedRow {
  script_id: string;
  namespace: string;
  filename: string;
  tags: string[];
  pinned: boolean;
  held: boolean;
  last_used_at: Date | null;
  version_id: string;
  number: number;
  sha256: string;
  size: number;
  stored_size: number;
  state: VersionState;
  created_at: Date;
  archived: boolean;
}

/** @param rows - those of one script side by side */
function toScripts(rows: readonly RetainedRow[]): RetainedScript[] {
  const scripts: (RetainedScript & { versions: RetainedVersion[] })[] = [];
  for (const row of rows) {
    let script = scripts.at(-1);
    if (script?.scriptId !== row.script_id) {
      script = {
        scriptId: row.script_id,
        namespace: row.namespace,
        filename: row.filename,
        tags: row.tags,
        pinned: row.pinned,
        held: row.held,
        lastUsedAt: row.last_used_at ?? undefined,
        versions: [],
      };
      scripts.push(script);
    }
    script.versions.push({
      versionId: row.version_id,
      number: row.number,
      sha256: row.sha256,
      size: row.size,
      storedSize: row.stored_size,
      state: row.state,
      uploadedAt: row.created_at,
      archived: row.archived,
    });
  }
  return scripts;
}
