import type { AnalysisMetadata } from "@sluice/contracts";
import type { Catalog, Queryable } from "./catalog.js";

/** Whom what is stored beside a blob names: the version that was first to have the bytes. */
export interface DescriptionHead {
  readonly script_id: string;
  /** This and the time are for a rebuild, which has nothing but this to know them by where registers are lost; older ones lack both. */
  readonly namespace?: string | undefined;
  readonly filename: string;
  readonly upload_time?: string | undefined;
  readonly version: number;
  readonly sha256: string;
}

/** What is stored beside a blob as `metadata.json`: whoever writes it and whoever holds it against the catalog has it from here. */
export function toDescription(
  { script_id, namespace, filename, upload_time, version, sha256 }: DescriptionHead,
  metadata: AnalysisMetadata,
): string {
  // Rows of long ago may lack what the type promises.
  const tools: { fastmcp?: unknown } | undefined = metadata.tools;
  const head = { script_id, namespace, filename, upload_time, version, sha256 };
  return JSON.stringify({ ...head, ...metadata, tools: tools?.fastmcp });
}

/** What is stored beside a blob, as the catalog has it. */
export interface Description {
  readonly sha256: string;
  /** Of each analysis of these bytes: any of them may be the one that was written last; the newest first. */
  readonly candidates: readonly {
    readonly head: DescriptionHead;
    readonly metadata: AnalysisMetadata;
  }[];
}

const DESCRIPTIONS = `select b.sha256, (
    select json_agg(json_build_object('head', json_build_object('script_id', l.script_id, 'namespace', s.namespace,
        'filename', s.filename, 'upload_time', l.created_at, 'version', l.number, 'sha256', a.sha256),
        'metadata', a.metadata) order by l.finished_at desc nulls last, l.id desc)
      from analyses a join versions l on l.id = a.leader join scripts s on s.id = l.script_id
      where a.sha256 = b.sha256 and a.metadata is not null) as candidates
  from blobs b`;

/** Those of archived blobs are in the archive, and of what is no Python there are none. An analysis that runs may have written its own already. */
const DESCRIBED = `b.state = 'stored' and b.key not like 'archive/%' and b.key not like 'quarantine/%'
  and not exists (select from analyses r where r.sha256 = b.sha256 and r.state = 'running')`;

interface DescriptionRow {
  sha256: string;
  candidates: Description["candidates"] | null;
}

function fromRow({ sha256, candidates }: DescriptionRow): Description {
  return {
    sha256,
    candidates: (candidates ?? []).map(({ head, metadata }) => ({
      head: { ...head, upload_time: new Date(head.upload_time ?? 0).toISOString() },
      metadata,
    })),
  };
}

/** Blobs in order of their hashes, after one of them; those that no analysis describes have no candidates. */
export async function listDescriptions(
  db: Queryable,
  { after, limit }: { after: string; limit: number },
): Promise<Description[]> {
  const { rows } = await db.query<DescriptionRow>(
    `${DESCRIPTIONS} where ${DESCRIBED} and b.sha256 > $1 order by b.sha256 limit $2`,
    [after, limit],
  );
  return rows.map(fromRow);
}

/** What analyses say of these blobs, wherever these lie. */
export async function readDescriptions(
  db: Queryable,
  sha256s: readonly string[],
): Promise<Description[]> {
  const { rows } = await db.query<DescriptionRow>(
    `${DESCRIPTIONS} where b.sha256 = any($1::text[])`,
    [sha256s],
  );
  return rows.map(fromRow);
}

/** Runs work on a description while its blob can neither move nor go; not where it is gone by now. */
export async function withDescriptionHeld(
  catalog: Catalog,
  sha256: string,
  work: (tx: Queryable, description: Description) => Promise<void>,
): Promise<void> {
  await catalog.transaction(async (tx) => {
    const { rows } = await tx.query<DescriptionRow>(
      `${DESCRIPTIONS} where ${DESCRIBED} and b.sha256 = $1 for update of b`,
      [sha256],
    );
    const row = rows[0];
    if (row !== undefined) await work(tx, fromRow(row));
  });
}
