import type { WatchState } from "@sluice/contracts";
import type { Queryable } from "./catalog.js";

/** What tells whether a file has changed since it was looked at. */
export interface WatchedStat {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ino: bigint;
}

/** A file of a watched directory, and what became of it. */
export interface WatchedFile extends WatchedStat {
  readonly directory: string;
  /** Below the directory, with slashes. */
  readonly path: string;
  /** Device that it was found on; `undefined` where it was not looked at. */
  readonly dev: bigint | undefined;
  /** Of the bytes that were read; `undefined` where none were. */
  readonly sha256: string | undefined;
  readonly scriptId: string | undefined;
  readonly namespace: string | undefined;
  readonly filename: string | undefined;
  /** Why it was refused; `undefined` where it was stored. */
  readonly refusal: { readonly code: string; readonly detail: string } | undefined;
}

/**
 * Takes or holds a directory for so long.
 *
 * @param token - tells this process from any other
 * @returns `false` where another process holds it
 */
export async function holdDirectory(
  db: Queryable,
  { directory, token, leaseMs }: { directory: string; token: string; leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into watch_directories as d (directory, lease_token, leased_until)
     values ($1, $2, now() + $3 * interval '1 ms')
     on conflict (directory) do update set lease_token = $2, leased_until = excluded.leased_until
       where d.lease_token is null or d.lease_token = $2 or d.leased_until < now()`,
    [directory, token, leaseMs],
  );
  return rowCount === 1;
}

/** Lets a directory go, where this process holds it. */
export async function releaseDirectory(
  db: Queryable,
  { directory, token }: { directory: string; token: string },
): Promise<void> {
  await db.query(
    `update watch_directories set lease_token = null, leased_until = null
     where directory = $1 and lease_token = $2`,
    [directory, token],
  );
}

/**
 * Says how a directory fares.
 *
 * @param files - how many a whole scan has seen; absent where none came to its end
 */
export async function tellDirectory(
  db: Queryable,
  told: {
    directory: string;
    state: WatchState;
    error: string | undefined;
    files?: number | undefined;
  },
): Promise<void> {
  await db.query(
    `update watch_directories set state = $2, last_error = $3, files = coalesce($4, files),
       last_scan_at = case when $4::bigint is null then last_scan_at else now() end
     where directory = $1`,
    [told.directory, told.state, told.error ?? null, told.files ?? null],
  );
}

/** What is known of the files at those paths, by path. */
export async function findWatchedFiles(
  db: Queryable,
  { directory, paths }: { directory: string; paths: readonly string[] },
): Promise<ReadonlyMap<string, WatchedFile>> {
  if (paths.length === 0) return new Map();
  const { rows } = await db.query<FileRow>(
    `select ${COLUMNS} from watch_files where directory = $1 and path = any($2::text[])`,
    [directory, paths],
  );
  return new Map(rows.map((row) => [row.path, toFile(row)]));
}

/** Every file, of whatever directory, that became the script of one of those names. */
export async function findWatchedNames(
  db: Queryable,
  names: readonly { readonly namespace: string; readonly filename: string }[],
): Promise<readonly WatchedFile[]> {
  if (names.length === 0) return [];
  const { rows } = await db.query<FileRow>(
    `select ${COLUMNS} from watch_files
     where code is null
       and (namespace, filename) in (select * from unnest($1::text[], $2::text[]))`,
    [names.map(({ namespace }) => namespace), names.map(({ filename }) => filename)],
  );
  return rows.map(toFile);
}

/** Remembers what became of files, each of another path. */
export async function saveWatchedFiles(
  db: Queryable,
  files: readonly WatchedFile[],
): Promise<void> {
  await db.query(
    `insert into watch_files (directory, path, size, mtime_ns, ino, sha256, script_id, namespace, filename, code, detail, dev)
     select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::numeric[], $6::text[], $7::uuid[],
       $8::text[], $9::text[], $10::text[], $11::text[], $12::numeric[])
     on conflict (directory, path) do update set size = excluded.size, mtime_ns = excluded.mtime_ns,
       ino = excluded.ino, sha256 = excluded.sha256, script_id = excluded.script_id,
       namespace = excluded.namespace, filename = excluded.filename, code = excluded.code,
       detail = excluded.detail, dev = excluded.dev, seen_at = now(), gone_since = null`,
    [
      files.map(({ directory }) => directory),
      files.map(({ path }) => path),
      files.map(({ size }) => String(size)),
      files.map(({ mtimeNs }) => String(mtimeNs)),
      files.map(({ ino }) => String(ino)),
      files.map(({ sha256 }) => sha256 ?? null),
      files.map(({ scriptId }) => scriptId ?? null),
      files.map(({ namespace }) => namespace ?? null),
      files.map(({ filename }) => filename ?? null),
      files.map(({ refusal }) => refusal?.code ?? null),
      files.map(({ refusal }) => refusal?.detail ?? null),
      files.map(({ dev }) => (dev === undefined ? null : String(dev))),
    ],
  );
}

/** Forgets that files were refused that are gone, or that are ignored by now. */
export async function forgetRefusals(
  db: Queryable,
  { directory, paths }: { directory: string; paths: readonly string[] },
): Promise<void> {
  await db.query(
    "delete from watch_files where directory = $1 and path = any($2) and code is not null",
    [directory, paths],
  );
}

export interface WatchedDirectory {
  readonly directory: string;
  readonly state: WatchState;
  /** A process holds it. */
  readonly held: boolean;
  readonly lastError: string | undefined;
  readonly lastScanAt: Date | undefined;
  /** Seen by the last whole scan. */
  readonly files: number;
}

/** Every directory that was ever watched, by name. */
export async function listWatchedDirectories(db: Queryable): Promise<readonly WatchedDirectory[]> {
  const { rows } = await db.query<{
    directory: string;
    state: WatchState;
    held: boolean;
    last_error: string | null;
    last_scan_at: Date | null;
    files: number;
  }>(
    `select directory, state, coalesce(leased_until > now(), false) as held, last_error, last_scan_at,
       files::float8 as files from watch_directories order by directory`,
  );
  return rows.map((row) => ({
    directory: row.directory,
    state: row.state,
    held: row.held,
    lastError: row.last_error ?? undefined,
    lastScanAt: row.last_scan_at ?? undefined,
    files: row.files,
  }));
}

export interface RefusedFile {
  readonly directory: string;
  readonly path: string;
  readonly code: string;
  readonly detail: string;
  readonly seenAt: Date;
}

/** What was refused, by directory and path. */
export async function listRefusedFiles(
  db: Queryable,
  {
    directory,
    after,
    limit,
  }: {
    directory?: string | undefined;
    after?: readonly [string, string] | undefined;
    limit: number;
  },
): Promise<{ items: readonly RefusedFile[]; next: [string, string] | undefined }> {
  const { rows } = await db.query<{
    directory: string;
    path: string;
    code: string;
    detail: string;
    seen_at: Date;
  }>(
    `select directory, path, code, detail, seen_at from watch_files
     where code is not null and ($1::text is null or directory = $1)
       and ($2::text is null or (directory, path) > ($2, $3))
     order by directory, path limit $4`,
    [directory ?? null, after?.[0] ?? null, after?.[1] ?? null, limit + 1],
  );
  const items = rows.slice(0, limit).map(({ seen_at: seenAt, ...row }) => ({ ...row, seenAt }));
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, next: more ? [last.directory, last.path] : undefined };
}

const COLUMNS =
  "directory, path, dev, size, mtime_ns, ino, sha256, script_id, namespace, filename, code, detail";

interface FileRow {
  directory: string;
  path: string;
  dev: string | null;
  size: string;
  mtime_ns: string;
  ino: string;
  sha256: string | null;
  script_id: string | null;
  namespace: string | null;
  filename: string | null;
  code: string | null;
  detail: string | null;
}

function toFile(row: FileRow): WatchedFile {
  return {
    directory: row.directory,
    path: row.path,
    dev: row.dev === null ? undefined : BigInt(row.dev),
    size: BigInt(row.size),
    mtimeNs: BigInt(row.mtime_ns),
    ino: BigInt(row.ino),
    sha256: row.sha256 ?? undefined,
    scriptId: row.script_id ?? undefined,
    namespace: row.namespace ?? undefined,
    filename: row.filename ?? undefined,
    refusal: row.code === null ? undefined : { code: row.code, detail: row.detail ?? "" },
  };
}
