import type { Verdict, VersionState } from "@sluice/pipeline";
import type { Queryable } from "./catalog.js";
import { type Damage, type DamageColumns, toIntegrity } from "./scrub.js";
import { conditionsOf, type ScriptFilter } from "./script-filter.js";

/** A script with its newest version, as lists and details show it. */
export interface Script {
  readonly scriptId: string;
  readonly namespace: string;
  readonly filename: string;
  readonly createdAt: Date;
  readonly version: number;
  readonly versionId: string;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  readonly state: VersionState;
  readonly verdict: Verdict | undefined;
  readonly uploadTime: Date;
  readonly finishedAt: Date | undefined;
  readonly batchId: string | undefined;
  readonly rawKey: string | undefined;
  readonly blobKey: string | undefined;
  /** What is wrong with its stored bytes; `undefined` where nothing is known to be. */
  readonly integrity: (Damage & { readonly foundAt: Date }) | undefined;
  readonly userMetadata: UserMetadata;
  /** Grows with each change of {@link userMetadata}; what `If-Match` is held against. */
  readonly revision: number;
}

/** What people say of a script; never mixed with what the analysis found. */
export interface UserMetadata {
  readonly title: string | null;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: string | null;
  readonly pinned: boolean;
}

export type ScriptSort = "upload_time" | "filename" | "size";

/** Where a page begins: the sort value and script id of the last item before it. */
export interface ScriptPosition {
  /** An RFC 3339 time in microseconds, a file name, or a size, by the sort. */
  readonly value: string;
  readonly scriptId: string;
}

export interface ScriptPage {
  readonly items: readonly Script[];
  /** Where the next page begins; `undefined` after the last item. */
  readonly next: ScriptPosition | undefined;
}

const SORT_COLUMN: Readonly<Record<ScriptSort, { column: string; cast: string }>> = {
  upload_time: { column: "v.created_at", cast: "timestamptz" },
  filename: { column: "s.filename", cast: "text" },
  size: { column: "v.size", cast: "integer" },
};

/** Lists scripts by their newest version, deleted ones left out. */
export async function listScripts(
  db: Queryable,
  {
    filter,
    sort,
    descending,
    after,
    limit,
  }: {
    filter: ScriptFilter;
    sort: ScriptSort;
    descending: boolean;
    after?: ScriptPosition | undefined;
    limit: number;
  },
): Promise<ScriptPage> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const { column, cast } = SORT_COLUMN[sort];
  const conditions = conditionsOf(filter, bind);
  if (after !== undefined) {
    const value = `${bind(after.value)}::${cast}`;
    conditions.push(
      `(${column}, s.id) ${descending ? "<" : ">"} (${value}, ${bind(after.scriptId)}::uuid)`,
    );
  }
  const direction = descending ? "desc" : "asc";
  const { rows } = await db.query<ScriptRow & { sort_value: string }>(
    `${SELECT_SCRIPT}, ${sortValue(sort, column)} as sort_value ${FROM_SCRIPT}
     where ${conditions.join(" and ")}
     order by ${column} ${direction}, s.id ${direction} limit ${bind(limit + 1)}`,
    values,
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(toScript),
    next:
      rows.length > limit && last !== undefined
        ? { value: last.sort_value, scriptId: last.id }
        : undefined,
  };
}

function sortValue(sort: ScriptSort, column: string): string {
  // A Date keeps milliseconds only; a cursor that lost the microseconds would show items twice.
  return sort === "upload_time"
    ? `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    : `${column}::text`;
}

/** `undefined` where there is no such script or it was deleted. */
export async function readScript(db: Queryable, scriptId: string): Promise<Script | undefined> {
  const { rows } = await db.query<ScriptRow>({
    name: "read_script",
    text: `${SELECT_SCRIPT} ${FROM_SCRIPT} where s.id = $1 and s.deleted_at is null`,
    values: [scriptId],
  });
  return rows[0] && toScript(rows[0]);
}

const SELECT_SCRIPT = `select s.id, s.namespace, s.filename, s.created_at as script_created_at, s.title,
  s.description, s.tags, s.labels, s.owner, s.pinned, s.revision, v.number, v.id as version_id, v.sha256,
  v.size, v.state, v.verdict, v.created_at, v.finished_at, v.batch_id, v.raw_key, b.key as blob_key,
  d.state as damage_state, d.detail as damage_detail, d.found_at as damaged_since`;
const FROM_SCRIPT = `from scripts s
  join versions v on v.script_id = s.id and v.number = s.latest_version
  left join blobs b on b.sha256 = v.sha256 and b.state = 'stored'
  left join damaged_blobs d on d.sha256 = v.sha256`;

interface ScriptRow extends DamageColumns {
  id: string;
  namespace: string;
  filename: string;
  script_created_at: Date;
  title: string | null;
  description: string | null;
  tags: string[];
  labels: Record<string, string>;
  owner: string | null;
  pinned: boolean;
  revision: number;
  number: number;
  version_id: string;
  sha256: string;
  size: number;
  state: VersionState;
  verdict: Verdict | null;
  created_at: Date;
  finished_at: Date | null;
  batch_id: string | null;
  raw_key: string | null;
  blob_key: string | null;
}

function toScript(row: ScriptRow): Script {
  return {
    scriptId: row.id,
    namespace: row.namespace,
    filename: row.filename,
    createdAt: row.script_created_at,
    version: row.number,
    versionId: row.version_id,
    sha256: row.sha256,
    size: row.size,
    state: row.state,
    verdict: row.verdict ?? undefined,
    uploadTime: row.created_at,
    finishedAt: row.finished_at ?? undefined,
    batchId: row.batch_id ?? undefined,
    rawKey: row.raw_key ?? undefined,
    blobKey: row.blob_key ?? undefined,
    integrity: toIntegrity(row),
    userMetadata: {
      title: row.title,
      description: row.description,
      tags: row.tags,
      labels: row.labels,
      owner: row.owner,
      pinned: row.pinned,
    },
    revision: row.revision,
  };
}
