/** The search index and its outbox, as those see them who fill them. */
import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import type { Catalog, Queryable } from "./catalog.js";

/** A version that waits to be indexed. */
export interface VersionToIndex {
  readonly versionId: string;
  readonly scriptId: string;
  readonly version: number;
  readonly filename: string;
  readonly namespace: string;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  /** Until dedup has settled the raw upload. */
  readonly rawKey: string | undefined;
  /** Whose findings there are, where there are any. */
  readonly analyserVersion: string | undefined;
  /** How often it was taken, this time included. */
  readonly attempts: number;
  /** A newer version of the script is indexed already. */
  readonly isOutdated: boolean;
  /** Its bytes are indexed already, by the findings of that analyser. */
  readonly isIndexed: boolean;
}

/**
 * Takes versions that are due. Those that were taken before, and may have ended who took them, come one at a time, when nothing
 * else is due.
 */
export async function leaseForIndexing(
  db: Queryable,
  { token, limit, leaseMs }: { token: string; limit: number; leaseMs: number },
): Promise<VersionToIndex[]> {
  const take = async (condition: string, count: number): Promise<VersionToIndex[]> => {
    const { rows } = await db.query<ToIndexRow>(
      `with due as (
         select version_id from search_queue where available_at <= now() and ${condition}
         order by available_at limit $2 for update skip locked
       ), taken as (
         update search_queue q set attempts = q.attempts + 1, lease_token = $1,
           available_at = now() + $3 * interval '1 ms'
         from due where q.version_id = due.version_id returning q.version_id, q.attempts, q.queued_at
       )
       select taken.version_id, taken.attempts, v.script_id, v.number, s.filename, s.namespace, v.sha256,
         v.size, v.raw_key, a.analyser_version,
         exists (select from search_scripts i where i.script_id = v.script_id and i.version > v.number)
           as is_outdated,
         exists (select from search_documents d where d.sha256 = v.sha256
           and (a.analyser_version is null or d.analyser_version = a.analyser_version)) as is_indexed
       from taken join versions v on v.id = taken.version_id join scripts s on s.id = v.script_id
         left join analyses a on a.sha256 = v.sha256 and a.analyser_version = v.analyser_version
           and a.policy_version = v.policy_version and a.state = 'done'
       order by taken.queued_at, taken.version_id`,
      [token, count, leaseMs],
    );
    return rows.map(toVersion);
  };
  const fresh = await take("attempts = 0", limit);
  return fresh.length > 0 ? fresh : take("attempts > 0", 1);
}

interface ToIndexRow {
  version_id: string;
  attempts: number;
  script_id: string;
  number: number;
  filename: string;
  namespace: string;
  sha256: string;
  size: number;
  raw_key: string | null;
  analyser_version: string | null;
  is_outdated: boolean;
  is_indexed: boolean;
}

function toVersion(row: ToIndexRow): VersionToIndex {
  return {
    versionId: row.version_id,
    scriptId: row.script_id,
    version: row.number,
    filename: row.filename,
    namespace: row.namespace,
    sha256: row.sha256,
    size: row.size,
    rawKey: row.raw_key ?? undefined,
    analyserVersion: row.analyser_version ?? undefined,
    attempts: row.attempts,
    isOutdated: row.is_outdated,
    isIndexed: row.is_indexed,
  };
}

/** What was found out about some bytes; parts that were not are `undefined`. */
export async function readFindings(
  db: Queryable,
  versionId: string,
): Promise<{ report: AnalysisReport | undefined; metadata: AnalysisMetadata | undefined }> {
  const { rows } = await db.query<{
    report: AnalysisReport | null;
    metadata: AnalysisMetadata | null;
  }>(
    `select a.report, a.metadata from versions v join analyses a on a.sha256 = v.sha256
        and a.analyser_version = v.analyser_version and a.policy_version = v.policy_version
        and a.state = 'done'
      where v.id = $1`,
    [versionId],
  );
  return { report: rows[0]?.report ?? undefined, metadata: rows[0]?.metadata ?? undefined };
}

export interface NewDocument {
  readonly sha256: string;
  /** Bytes of the source. */
  readonly size: number;
  readonly analyserVersion: string | undefined;
  readonly packed: Buffer;
  /** Without that of the segment. */
  readonly keys: readonly number[];
}

export interface IndexedScript {
  readonly versionId: string;
  readonly scriptId: string;
  readonly version: number;
  readonly sha256: string;
  /** Without that of the segment. */
  readonly keys: readonly number[];
}

/**
 * Writes documents and the scripts that stand for them, and takes these from the queue. What has been queued anew since the lease
 * stays there.
 *
 * @param keyOfSegment - the key that all documents of neighbouring numbers have
 */
export async function recordIndexed(
  catalog: Catalog,
  {
    token,
    documents,
    scripts,
    done,
    keyOfSegment,
  }: {
    token: string;
    documents: readonly NewDocument[];
    scripts: readonly IndexedScript[];
    /** Versions that are through, those of `scripts` and those that need no row. */
    done: readonly string[];
    keyOfSegment: (document: number) => number;
  },
): Promise<void> {
  await catalog.transaction(async (tx) => {
    const { rows: fresh } = await tx.query<{ document: string }>(
      `select nextval(pg_get_serial_sequence('search_documents', 'document')) as document
       from generate_series(1, $1)`,
      [documents.length],
    );
    const numbered = documents.map((each, index) => ({
      ...each,
      document: Number(fresh[index]!.document),
    }));
    // In one order, so that no two wait for each other.
    for (const each of numbered.toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : 1)))
      await recordDocument(tx, each, keyOfSegment);
    const numbers = new Map(
      (
        await tx.query<{ sha256: string; document: number }>(
          "select sha256, document from search_documents where sha256 = any($1) order by sha256 for key share",
          [scripts.map(({ sha256 }) => sha256)],
        )
      ).rows.map(({ sha256, document }) => [sha256, document]),
    );
    const known = scripts
      .filter(({ sha256 }) => numbers.has(sha256))
      .toSorted((a, b) => (a.scriptId < b.scriptId ? -1 : 1));
    for (const { scriptId, version, sha256, keys } of known) {
      const document = numbers.get(sha256)!;
      await tx.query({
        name: "index_script",
        text: `insert into search_scripts as i (script_id, version, document, keys) values ($1, $2, $3, $4)
          on conflict (script_id) do update set version = excluded.version, document = excluded.document,
            keys = excluded.keys
          where excluded.version >= i.version`,
        values: [scriptId, version, document, [keyOfSegment(document), ...keys]],
      });
    }
    // Documents that were swept away meanwhile are made anew when the lease is over.
    const lost = new Set(
      scripts.filter(({ sha256 }) => !numbers.has(sha256)).map(({ versionId }) => versionId),
    );
    await tx.query(
      "delete from search_queue where version_id = any($1::uuid[]) and lease_token = $2",
      [done.filter((versionId) => !lost.has(versionId)), token],
    );
  });
}

async function recordDocument(
  tx: Queryable,
  { document, sha256, size, analyserVersion, packed, keys }: NewDocument & { document: number },
  keyOfSegment: (document: number) => number,
): Promise<void> {
  const updated = await tx.query({
    name: "reindex_document",
    text: `update search_documents set analyser_version = $2, packed = $3,
        keys = keys[1:1] || $4::smallint[], indexed_at = now() where sha256 = $1`,
    values: [sha256, analyserVersion ?? null, packed, keys],
  });
  if (updated.rowCount === 1) return;
  await tx.query({
    name: "index_document",
    text: `insert into search_documents (document, sha256, size, analyser_version, packed, keys)
      overriding system value values ($1, $2, $3, $4, $5, $6) on conflict (sha256) do nothing`,
    values: [
      document,
      sha256,
      size,
      analyserVersion ?? null,
      packed,
      [keyOfSegment(document), ...keys],
    ],
  });
}

/** Puts a version back, to be tried again after a while. */
export async function postponeIndexing(
  db: Queryable,
  {
    token,
    versionId,
    delayMs,
    error,
  }: { token: string; versionId: string; delayMs: number; error: string },
): Promise<void> {
  await db.query(
    `update search_queue set available_at = now() + $3 * interval '1 ms', error = $4, lease_token = null
     where version_id = $1 and lease_token = $2`,
    [versionId, token, delayMs, error.replaceAll("\0", "\ufffd").slice(0, 2_000)],
  );
}

/** How far the index is behind. */
export interface IndexBacklog {
  readonly waiting: number;
  /** Of those, such as could not be indexed when they were tried last. */
  readonly failing: number;
  /** Since when the one has waited that has waited longest. */
  readonly oldestQueuedAt: Date | undefined;
}

export async function readIndexBacklog(db: Queryable): Promise<IndexBacklog> {
  const { rows } = await db.query<{ waiting: number; failing: number; oldest: Date | null }>(
    `select count(*)::int as waiting, count(*) filter (where error is not null)::int as failing,
       min(queued_at) as oldest from search_queue`,
  );
  const { waiting = 0, failing = 0, oldest = null } = rows[0] ?? {};
  return { waiting, failing, oldestQueuedAt: oldest ?? undefined };
}

/**
 * Queues what the index lacks, such as after a restore: it looks at so many scripts behind one, in the order of their ids.
 *
 * @returns the last script that was looked at; `undefined` where there are no more
 */
export async function queueUnindexed(
  db: Queryable,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<{ last: string | undefined; queued: number }> {
  const { rows } = await db.query<{ last: string | null; looked: number; queued: number }>(
    `with page as (
       select id from scripts where ($1::uuid is null or id > $1) order by id limit $2
     ), lacking as (
       select newest.id from page
         cross join lateral (select v.id, v.number, v.sha256 from versions v where v.script_id = page.id
           and v.state not in ('queued', 'processing') order by v.number desc limit 1) newest
         left join search_scripts i on i.script_id = page.id
       where (i.version is null or i.version < newest.number)
         -- What is not kept any more cannot be read.
         and not exists (select from expired_blobs e where e.sha256 = newest.sha256)
     ), queued as (
       insert into search_queue (version_id) select id from lacking on conflict do nothing returning 1
     )
     select (select id from page order by id desc limit 1)::text as last,
       (select count(*)::int from page) as looked, (select count(*)::int from queued) as queued`,
    [after ?? null, limit],
  );
  const { last = null, looked = 0, queued = 0 } = rows[0] ?? {};
  return { last: looked < limit ? undefined : (last ?? undefined), queued };
}

/** Queues the version that a script is searched by: the name that it is found by is another one now. */
export async function queueRenamed(tx: Queryable, scriptId: string): Promise<void> {
  await tx.query(
    `insert into search_queue (version_id)
     select id from versions where script_id = $1 and state not in ('queued', 'processing')
       order by number desc limit 1
     on conflict (version_id) do update set queued_at = now(), available_at = now(), attempts = 0,
       lease_token = null, error = null`,
    [scriptId],
  );
}

/** Deletes rows of scripts and versions that were purged. @returns how many */
export async function dropPurged(db: Queryable, limit: number): Promise<number> {
  const scripts = await db.query(
    `delete from search_scripts where script_id in (select i.script_id from search_scripts i
       where not exists (select from scripts s where s.id = i.script_id) limit $1)`,
    [limit],
  );
  const queued = await db.query(
    `delete from search_queue where version_id in (select q.version_id from search_queue q
       where not exists (select from versions v where v.id = q.version_id) limit $1)`,
    [limit],
  );
  return (scripts.rowCount ?? 0) + (queued.rowCount ?? 0);
}

/** Deletes documents that stand for no script any more: those of versions that have a newer one. @returns how many */
export async function dropUnusedDocuments(db: Queryable, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from search_documents where document in (select d.document from search_documents d
       where not exists (select from search_scripts i where i.document = d.document)
         and d.indexed_at < now() - interval '10 minutes'
       limit $1 for update skip locked)`,
    [limit],
  );
  return rowCount ?? 0;
}
