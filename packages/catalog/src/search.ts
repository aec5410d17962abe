import type { Verdict, VersionState } from "@sluice/pipeline";
import type { Catalog, Queryable } from "./catalog.js";

/** Alternatives, each of keys that must all be there; `undefined` where any will do. */
export type KeyFilter = readonly (readonly number[])[] | undefined;

/** A condition on the script or on its version that is searched. A `*` stands for any number of characters. */
export interface ScriptCondition {
  readonly field: "namespace" | "tag" | "state" | "verdict";
  readonly value: string;
  readonly negated: boolean;
}

/** Behind the last candidate that was looked at; candidates are in falling order. */
export interface CandidatePosition {
  readonly document: number;
  readonly scriptId: string;
}

export interface CandidateQuery {
  readonly documents: KeyFilter;
  readonly scripts: KeyFilter;
  readonly conditions: readonly ScriptCondition[];
  /** Documents from this number. */
  readonly from: number;
  /** Keys of the segments that hold the documents wanted; `undefined` where all older ones are. */
  readonly segments: readonly number[] | undefined;
  readonly before: CandidatePosition;
  readonly limit: number;
}

/** A script that may be what is searched for. */
export interface SearchCandidate extends CandidatePosition {
  readonly version: number;
  readonly filename: string;
  readonly namespace: string;
  readonly state: VersionState;
  readonly verdict: Verdict | undefined;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  readonly uploadTime: Date;
}

/** The number of the newest document, or of one that could be; 0 where there is none. */
export async function newestDocument(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ newest: number | null }>(
    "select max(document) as newest from search_documents",
  );
  return rows[0]?.newest ?? 0;
}

/** Scripts whose keys do, newest document first; deleted scripts and versions are left out. */
export async function findCandidates(
  catalog: Catalog,
  query: CandidateQuery,
): Promise<SearchCandidate[]> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const has = (filter: readonly (readonly number[])[]): string => {
    const any = filter.map((keys) => `keys @> ${bind(keys)}::smallint[]`).join(" or ");
    return query.segments === undefined
      ? `(${any})`
      : `(${any}) and keys && ${bind(query.segments)}::smallint[]`;
  };
  // Materialised: the planner knows nothing of these keys, and would read them all of many rows.
  const parts: string[] = [];
  const conditions = [
    "s.deleted_at is null and v.deleted_at is null",
    `i.document >= ${bind(query.from)}`,
    `(i.document, i.script_id) < (${bind(query.before.document)}, ${bind(query.before.scriptId)}::uuid)`,
    ...query.conditions.map((condition) => conditionSql(condition, bind)),
  ];
  let source = "search_scripts i";
  if (query.scripts !== undefined) {
    parts.push(
      `named as materialized (select script_id, document, version from search_scripts where ${has(query.scripts)})`,
    );
    source = "named i";
  }
  if (query.documents !== undefined) {
    parts.push(
      `held as materialized (select document from search_documents where ${has(query.documents)})`,
    );
    source = `held join ${source} on i.document = held.document`;
  }
  return catalog.transaction(async (tx) => {
    await tx.query("set local enable_seqscan = off");
    const { rows } = await tx.query<CandidateRow>(
      `${parts.length === 0 ? "" : `with ${parts.join(", ")}`}
       select i.document, i.script_id, i.version, s.filename, s.namespace, v.state, v.verdict, v.sha256, v.size,
         v.created_at
       from ${source} join scripts s on s.id = i.script_id
         join versions v on v.script_id = i.script_id and v.number = i.version
       where ${conditions.join(" and ")}
       order by i.document desc, i.script_id desc limit ${bind(query.limit)}`,
      values,
    );
    return rows.map((row) => ({
      document: row.document,
      scriptId: row.script_id,
      version: row.version,
      filename: row.filename,
      namespace: row.namespace,
      state: row.state,
      verdict: row.verdict ?? undefined,
      sha256: row.sha256,
      size: row.size,
      uploadTime: row.created_at,
    }));
  });
}

interface CandidateRow {
  document: number;
  script_id: string;
  version: number;
  filename: string;
  namespace: string;
  state: VersionState;
  verdict: Verdict | null;
  sha256: string;
  size: number;
  created_at: Date;
}

const COLUMNS = { namespace: "s.namespace", state: "v.state", verdict: "v.verdict" } as const;

function conditionSql(
  { field, value, negated }: ScriptCondition,
  bind: (value: unknown) => string,
): string {
  const like = bind(value.replaceAll(/[\\%_]/g, String.raw`\$&`).replaceAll("*", "%"));
  const holds =
    field === "tag"
      ? `exists (select from unnest(s.tags) tag where tag like ${like})`
      : `coalesce(${COLUMNS[field]} like ${like}, false)`;
  return negated ? `not ${holds}` : holds;
}

/** Documents as they were packed, by number. */
export async function readDocuments(
  db: Queryable,
  documents: readonly number[],
): Promise<Map<number, Buffer>> {
  const { rows } = await db.query<{ document: number; packed: Buffer }>({
    name: "read_documents",
    text: "select document, packed from search_documents where document = any($1::integer[])",
    values: [documents],
  });
  return new Map(rows.map(({ document, packed }) => [document, packed]));
}
