/** Sums over the whole catalog, kept beside it: what they are asked for costs the same however much it holds. */
import type { StageName, Verdict, VersionState } from "@sluice/pipeline";
import type { Catalog, Queryable } from "./catalog.js";

/** What sums are of; all of it where a part is absent. Days are ISO 8601 dates in UTC, both included. */
export interface StatisticsScope {
  readonly namespace?: string | undefined;
  readonly days?: { readonly from: string; readonly to: string } | undefined;
}

export interface CountedBytes {
  readonly count: number;
  readonly bytes: number;
}

/** Sums that each namespace has as well. */
export interface ScriptStatistics {
  /** Made on those days, and not deleted. */
  readonly live: number;
  readonly deleted: number;
  /** New versions that were sent, whether they are still there or not. */
  readonly uploads: CountedBytes;
  /** What is there of what was uploaded or restored on those days, in the trash or not. */
  readonly states: Readonly<Partial<Record<VersionState, CountedBytes>>>;
  /** The same that is final. */
  readonly verdicts: Readonly<Partial<Record<Verdict, CountedBytes>>>;
  /** Bytes of it that wait for dedup. */
  readonly waitingBytes: number;
  /** Tries that failed on those days, and versions that were given up. */
  readonly failures: readonly {
    readonly stage: StageName;
    readonly code: string;
    readonly tries: number;
    readonly givenUp: number;
  }[];
  readonly downloads: number;
  readonly metadataReads: number;
}

/** Sums of what has no namespace. */
export interface StoreStatistics {
  /** Blobs that came on those days and are there: the bytes that they stand for, and those that they take. */
  readonly blobs: CountedBytes & { readonly storedBytes: number };
  readonly times: readonly {
    readonly stage: StageName;
    readonly what: "work" | "wait";
    readonly count: number;
    readonly sumMicroseconds: number;
    /** How many took 2^(n/4) microseconds at most and more than 2^((n-1)/4), by n, in order. */
    readonly buckets: readonly { readonly n: number; readonly count: number }[];
  }[];
}

export interface Statistics extends ScriptStatistics, StoreStatistics {}

interface Sum {
  readonly kind: string;
  readonly name: string;
  readonly detail: string;
  readonly count: string;
  readonly amount: string;
  readonly other: string;
}

const SUMS = "sum(count) as count, sum(amount) as amount, sum(other) as other";
/** What the changes that are not added yet are behind by. */
const AS_OF = "coalesce((select at from statistic_changes order by id limit 1), now())";

/** @returns also when it was true: changes are added a little later than they happen */
export async function readStatistics(
  db: Queryable,
  { namespace = "", days }: StatisticsScope,
): Promise<Statistics & { readonly asOf: Date }> {
  const asOf = await readAsOf(db);
  const { rows } = await db.query<Sum>(
    `select kind, name, detail, ${SUMS} from statistics
     where kind = any($1::text[]) and namespace = $2 and ${daysIn("$3", "$4", days)}
     group by kind, name, detail`,
    [KINDS, namespace, ...(days === undefined ? [] : [days.from, days.to])],
  );
  return { asOf, ...toStatistics(rows) };
}

const KINDS = ["scripts", "uploads", "versions", "failures", "use", "blobs", "work", "wait"];

/** Of each day that something is told of, in order. */
export async function readDailyStatistics(
  db: Queryable,
  { namespace = "", days }: { namespace?: string | undefined; days: { from: string; to: string } },
): Promise<{
  readonly asOf: Date;
  readonly items: readonly (Statistics & { readonly day: string })[];
}> {
  const asOf = await readAsOf(db);
  const { rows } = await db.query<Sum & { day: string }>(
    `select day::text, kind, name, detail, count, amount, other from statistics
     where kind = any($1::text[]) and namespace = $2 and day between $3 and $4 order by day`,
    [KINDS.filter((kind) => kind !== "work" && kind !== "wait"), namespace, days.from, days.to],
  );
  const items = [...grouped(rows, ({ day }) => day)].map(([day, sums]) => ({
    day,
    ...toStatistics(sums),
  }));
  return { asOf, items };
}

/** Of each namespace, in order. */
export async function readNamespaceStatistics(
  db: Queryable,
  {
    days,
    after,
    limit,
  }: { days: StatisticsScope["days"]; after: string | undefined; limit: number },
): Promise<{
  readonly asOf: Date;
  readonly items: readonly (ScriptStatistics & { readonly namespace: string })[];
  readonly next: string | undefined;
}> {
  const asOf = await readAsOf(db);
  const { rows: names } = await db.query<{ namespace: string }>(
    `select distinct namespace from statistics
     where kind = 'scripts' and day = '-infinity' and namespace > $1 order by namespace limit $2`,
    [after ?? "", limit + 1],
  );
  const page = names.slice(0, limit).map(({ namespace }) => namespace);
  const { rows } = await db.query<Sum & { namespace: string }>(
    `select namespace, kind, name, detail, ${SUMS} from statistics
     where kind = any($1::text[]) and namespace = any($2::text[]) and ${daysIn("$3", "$4", days)}
     group by namespace, kind, name, detail`,
    [KINDS, page, ...(days === undefined ? [] : [days.from, days.to])],
  );
  const byNamespace = grouped(rows, ({ namespace }) => namespace);
  return {
    asOf,
    items: page.map((namespace) => ({
      namespace,
      ...toStatistics(byNamespace.get(namespace) ?? []),
    })),
    next: names.length > limit ? page.at(-1) : undefined,
  };
}

function daysIn(from: string, to: string, days: StatisticsScope["days"]): string {
  return days === undefined ? "day = '-infinity'" : `day between ${from} and ${to}`;
}

/** Read before the sums: what is added in between makes them newer than they say, never older. */
async function readAsOf(db: Queryable): Promise<Date> {
  const { rows } = await db.query<{ as_of: Date }>(`select ${AS_OF} as as_of`);
  return rows[0]?.as_of as Date;
}

function toStatistics(sums: readonly Sum[]): Statistics {
  const of = (kind: string) => sums.filter((sum) => sum.kind === kind);
  const total = (kind: string, name?: string) => {
    const some = of(kind).filter((sum) => name === undefined || sum.name === name);
    const add = (part: "count" | "amount" | "other") =>
      some.reduce((before, sum) => before + Number(sum[part]), 0);
    return { count: add("count"), amount: add("amount"), other: add("other") };
  };
  const uploads = total("uploads");
  const blobs = total("blobs");
  const use = total("use");
  return {
    live: total("scripts", "live").count,
    deleted: total("scripts", "deleted").count,
    uploads: { count: uploads.count, bytes: uploads.amount },
    states: byteCounts(of("versions"), ({ name }) => name as VersionState),
    verdicts: byteCounts(of("versions"), ({ detail }) => detail as Verdict),
    waitingBytes: total("versions").other,
    failures: of("failures")
      .map(({ name, detail, count, other }) => ({
        stage: name as StageName,
        code: detail,
        tries: Number(count),
        givenUp: Number(other),
      }))
      .toSorted((a, b) => b.givenUp - a.givenUp || b.tries - a.tries),
    downloads: use.count,
    metadataReads: use.amount,
    blobs: { count: blobs.count, bytes: blobs.amount, storedBytes: blobs.other },
    times: (["work", "wait"] as const).flatMap((what) => timesOf(what, of(what))),
  };
}

function byteCounts<Key extends string>(
  sums: readonly Sum[],
  keyOf: (sum: Sum) => Key,
): Partial<Record<Key, CountedBytes>> {
  const counts: Partial<Record<Key, CountedBytes>> = {};
  for (const sum of sums) {
    const key = keyOf(sum);
    if (key === "") continue;
    const before = counts[key] ?? { count: 0, bytes: 0 };
    counts[key] = {
      count: before.count + Number(sum.count),
      bytes: before.bytes + Number(sum.amount),
    };
  }
  return counts;
}

function timesOf(what: "work" | "wait", sums: readonly Sum[]): StoreStatistics["times"] {
  return [...grouped(sums, ({ name }) => name)].map(([stage, some]) => ({
    stage: stage as StageName,
    what,
    count: some.reduce((before, { count }) => before + Number(count), 0),
    sumMicroseconds: some.reduce((before, { amount }) => before + Number(amount), 0),
    buckets: some
      .map(({ detail, count }) => ({ n: Number(detail), count: Number(count) }))
      .toSorted((a, b) => a.n - b.n),
  }));
}

/**
 * Adds changes to the sums, the oldest first.
 *
 * @returns how many; fewer than `limit` where no more are there
 */
export async function addStatisticChanges(catalog: Catalog, limit: number): Promise<number> {
  const { rows } = await catalog.query<{ taken: number }>(
    `with taken as (
       delete from statistic_changes where id in (
         select id from statistic_changes order by id limit $1 for update skip locked)
       returning kind, namespace, day, name, detail, count, amount, other),
     summed as (
       select kind, coalesce(namespace, '') as namespace, coalesce(day, '-infinity') as day, name, detail,
         sum(count)::bigint as count, sum(amount)::bigint as amount, sum(other)::bigint as other
       from taken
       group by kind, name, detail, grouping sets ((namespace, day), (namespace), (day), ())
       -- What has no namespace is in every namespace's sums already.
       having grouping(namespace) = 1 or namespace is not null),
     added as (
       insert into statistics as s (kind, namespace, day, name, detail, count, amount, other)
       select * from summed where count <> 0 or amount <> 0 or other <> 0
       -- So that two who add at once never wait for each other.
       order by kind, namespace, day, name, detail
       on conflict (kind, namespace, day, name, detail) do update set count = s.count + excluded.count,
         amount = s.amount + excluded.amount, other = s.other + excluded.other)
     select count(*)::int as taken from taken`,
    [limit],
  );
  return rows[0]?.taken ?? 0;
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
