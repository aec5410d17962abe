import type { CountedBytes, ScriptStatistics, Statistics, StoreStatistics } from "@sluice/catalog";
import type { DailyStatistics, StatisticsAnswer } from "@sluice/contracts";
import { STAGE_NAMES, VERDICTS, VERSION_STATES } from "@sluice/pipeline";

const NONE: CountedBytes = { count: 0, bytes: 0 };

/** `null` for what has no namespace, where one is asked for. */
export function toTotals(
  found: Statistics,
  ofNamespace: boolean,
): Omit<StatisticsAnswer, "as_of" | "from" | "to" | "namespace"> {
  const states = Object.values(found.states);
  const versions = states.reduce(plus, NONE);
  return {
    scripts: { live: found.live, deleted: found.deleted },
    uploads: found.uploads,
    versions: {
      ...versions,
      by_state: each(VERSION_STATES, (state) => found.states[state] ?? NONE),
      by_verdict: each(VERDICTS, (verdict) => found.verdicts[verdict] ?? NONE),
    },
    storage: ofNamespace ? null : toStorage(found, versions.bytes),
    stages: ofNamespace ? null : STAGE_NAMES.map((stage) => toStage(stage, found.times)),
    failures: found.failures.map(({ stage, code, tries, givenUp }) => ({
      stage,
      code,
      tries,
      given_up: givenUp,
    })),
    use: { downloads: found.downloads, metadata_reads: found.metadataReads },
  };
}

function toStorage(
  { blobs, waitingBytes }: Statistics,
  uploaded: number,
): StatisticsAnswer["storage"] {
  return {
    uploaded_bytes: uploaded,
    waiting_bytes: waitingBytes,
    unique_bytes: blobs.bytes,
    stored_bytes: blobs.storedBytes,
    // Content may have come before the days that are asked for, or its first version may be gone.
    dedup_saved_bytes: Math.max(0, uploaded - waitingBytes - blobs.bytes),
    compression_saved_bytes: Math.max(0, blobs.bytes - blobs.storedBytes),
  };
}

function toStage(
  stage: (typeof STAGE_NAMES)[number],
  times: StoreStatistics["times"],
): NonNullable<StatisticsAnswer["stages"]>[number] {
  const of = (what: "work" | "wait") =>
    times.find((each) => each.stage === stage && each.what === what);
  return {
    stage,
    done: of("work")?.count ?? 0,
    work: toTimes(of("work")),
    wait: toTimes(of("wait")),
  };
}

type Times = NonNullable<NonNullable<StatisticsAnswer["stages"]>[number]["work"]>;

/** @internal Of nothing there is no percentile. */
export function toTimes(times: StoreStatistics["times"][number] | undefined): Times | null {
  if (times === undefined || times.count === 0) return null;
  const { count, sumMicroseconds, buckets } = times;
  const percentile = (share: number) => {
    let left = Math.ceil(share * count);
    const bucket = buckets.find((each) => (left -= each.count) <= 0) ?? buckets.at(-1);
    return rounded(2 ** ((bucket?.n ?? 0) / 4));
  };
  return {
    mean_ms: rounded(sumMicroseconds / count),
    p50_ms: percentile(0.5),
    p95_ms: percentile(0.95),
    p99_ms: percentile(0.99),
  };
}

function rounded(microseconds: number): number {
  return Number((microseconds / 1_000).toPrecision(3));
}

type Row = Omit<DailyStatistics["items"][number], "day" | "unique_bytes" | "stored_bytes">;

export function toRow(found: ScriptStatistics | undefined): Row {
  return {
    scripts: found?.live ?? 0,
    deleted_scripts: found?.deleted ?? 0,
    uploads: found?.uploads.count ?? 0,
    uploaded_bytes: found?.uploads.bytes ?? 0,
    states: each(VERSION_STATES, (state) => found?.states[state]?.count ?? 0),
    given_up: found?.failures.reduce((before, { givenUp }) => before + givenUp, 0) ?? 0,
    downloads: found?.downloads ?? 0,
    metadata_reads: found?.metadataReads ?? 0,
  };
}

/** Names of its columns, and its cells in the same order. */
export const ROW_COLUMNS = [
  "scripts",
  "deleted_scripts",
  "uploads",
  "uploaded_bytes",
  ...VERSION_STATES,
  "given_up",
  "downloads",
  "metadata_reads",
] as const;

export function toCells({ states, ...row }: Row): number[] {
  return ROW_COLUMNS.map((name) =>
    name in states
      ? states[name as keyof typeof states]
      : row[name as Exclude<keyof typeof row, "states">],
  );
}

/** A list's items are told apart by these. */
interface Listed {
  readonly stage: string;
  readonly code?: string;
}

/** Every number and text of an answer with its path, such as `versions.by_state.ready.count`. */
export function toMeasures(value: unknown, path = ""): [string, string | number][] {
  if (typeof value === "number" || typeof value === "string") return [[path, value]];
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    return value.flatMap(({ stage, code, ...rest }: Listed) =>
      toMeasures(rest, [path, stage, ...(code === undefined ? [] : [code])].join(".")),
    );
  }
  return Object.entries(value).flatMap(([name, part]) =>
    toMeasures(part, path === "" ? name : `${path}.${name}`),
  );
}

function each<Name extends string, Value>(
  names: readonly Name[],
  valueOf: (name: Name) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, valueOf(name)])) as Record<Name, Value>;
}

function plus(a: CountedBytes, b: CountedBytes): CountedBytes {
  return { count: a.count + b.count, bytes: a.bytes + b.bytes };
}
