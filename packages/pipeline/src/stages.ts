/**
 * The map of the pipeline: which stages there are, what follows what, and how each is run.
 *
 * A stage is declared here, apart from its handler. Its name is also the name of its queue, of its
 * folder under `services/`, and of its service in `docker-compose.yml`. Whoever enqueues imports this
 * map and never the handler's code. It does no I/O and imports nothing.
 */

/** How a stage that threw is tried again. */
export interface RetryPolicy {
  /** How many times a script may fail in this stage before its version is `failed`. */
  readonly attempts: number;
  /** Wait before the first retry, in milliseconds; doubled for each one that follows. */
  readonly firstDelayMs: number;
  /** The longest wait between two tries, in milliseconds. */
  readonly maxDelayMs: number;
}

/** One step of the pipeline, as it is declared. */
export interface StageDeclaration {
  /** The stages that become `pending` when this one is done. */
  readonly next: readonly StageName[];
  /** How many scripts one process works on at once; `<STAGE>_CONCURRENCY` overrides it. */
  readonly concurrency: number;
  /** How long one script may take in this stage, in milliseconds, before it counts as failed. */
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
}

export const STAGE_NAMES = ["dedup", "validate", "extract", "compress", "backup"] as const;
export type StageName = (typeof STAGE_NAMES)[number];

const quickRetries: RetryPolicy = { attempts: 8, firstDelayMs: 500, maxDelayMs: 30_000 };
// A backup store may be away for an hour of maintenance; the script is worth the wait.
const patientRetries: RetryPolicy = { attempts: 24, firstDelayMs: 1_000, maxDelayMs: 300_000 };

export const STAGES: Readonly<Record<StageName, StageDeclaration>> = {
  dedup: { next: ["validate"], concurrency: 16, timeoutMs: 30_000, retry: quickRetries },
  validate: {
    next: ["extract", "compress"],
    concurrency: 2,
    timeoutMs: 120_000,
    retry: quickRetries,
  },
  // Two tries of a parser, each of a minute at most, and the time to replace it.
  extract: { next: [], concurrency: 2, timeoutMs: 200_000, retry: quickRetries },
  compress: { next: ["backup"], concurrency: 4, timeoutMs: 60_000, retry: quickRetries },
  backup: { next: [], concurrency: 16, timeoutMs: 60_000, retry: patientRetries },
};

/** The stage that ingest enqueues. */
export const FIRST_STAGE: StageName = "dedup";

/** A chunk holds at most this many versions … */
export const CHUNK_MAX_VERSIONS = 64;
/** … and at most this many bytes of source, unless one version alone is larger. */
export const CHUNK_MAX_BYTES = 1_000_000;

/** Says whether a string names a stage. */
export function isStageName(name: string): name is StageName {
  return (STAGE_NAMES as readonly string[]).includes(name);
}

/**
 * The wait before the next try.
 *
 * @param retry - the stage's policy
 * @param failures - how many tries have failed so far (1 after the first)
 * @returns milliseconds, or `undefined` where the tries are used up
 */
export function retryDelayMs(retry: RetryPolicy, failures: number): number | undefined {
  if (failures >= retry.attempts) return undefined;
  return Math.min(retry.firstDelayMs * 2 ** (failures - 1), retry.maxDelayMs);
}

/**
 * Splits versions, in order, into chunks that one job may carry.
 *
 * @param versions - id and size in bytes of each
 * @returns lists of at most {@link CHUNK_MAX_VERSIONS} and {@link CHUNK_MAX_BYTES}
 */
export function toChunks<V extends { readonly size: number }>(versions: readonly V[]): V[][] {
  const chunks: V[][] = [];
  let chunk: V[] = [];
  let bytes = 0;
  for (const version of versions) {
    const full =
      chunk.length >= CHUNK_MAX_VERSIONS ||
      (chunk.length > 0 && bytes + version.size > CHUNK_MAX_BYTES);
    if (full) {
      chunks.push(chunk);
      chunk = [];
      bytes = 0;
    }
    chunk.push(version);
    bytes += version.size;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}
