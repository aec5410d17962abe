import { STAGE_NAMES, VERDICTS, VERSION_STATES } from "@sluice/pipeline";
import { z } from "zod";

const count = z.int().min(0);
const day = z.iso.date().describe("In UTC");

const counted = z.object({ count, bytes: count });

const asOf = z.iso
  .datetime()
  .describe("When this was true: what happens is counted a few seconds later");

const range = {
  from: day.nullable().describe("First day; `null` where everything ever is counted"),
  to: day.nullable().describe("Last day, included"),
};

const states = z
  .object(
    Object.fromEntries(VERSION_STATES.map((state) => [state, counted])) as Record<
      (typeof VERSION_STATES)[number],
      typeof counted
    >,
  )
  .describe("Versions that are there, those of deleted scripts as well, by state");

const use = {
  downloads: count,
  metadata_reads: count,
};

const times = z.object({
  mean_ms: z.number().min(0),
  p50_ms: z.number().min(0).describe("To within a fifth, as the others"),
  p95_ms: z.number().min(0),
  p99_ms: z.number().min(0),
});

/** `GET /stats`. */
export const statistics = z
  .object({
    as_of: asOf,
    ...range,
    namespace: z.string().nullable(),
    scripts: z.object({ live: count, deleted: count }).describe("By the day they were made"),
    uploads: counted.describe("New versions that were sent, whether they are still there or not"),
    versions: counted.extend({
      by_state: states,
      by_verdict: z.object(
        Object.fromEntries(VERDICTS.map((verdict) => [verdict, counted])) as Record<
          (typeof VERDICTS)[number],
          typeof counted
        >,
      ),
    }),
    storage: z
      .object({
        uploaded_bytes: count.describe("Of the versions that are there"),
        waiting_bytes: count.describe("Of them those that wait for dedup, stored as they came"),
        unique_bytes: count.describe("Of the others, each content once"),
        stored_bytes: count.describe("What these take in the object store"),
        dedup_saved_bytes: count,
        compression_saved_bytes: count,
      })
      .nullable()
      .describe("`null` for one namespace: namespaces share what is alike"),
    stages: z
      .array(
        z.object({
          stage: z.enum(STAGE_NAMES),
          done: count,
          work: times.nullable(),
          wait: times.nullable().describe("From when a worker could have begun until one did"),
        }),
      )
      .nullable()
      .describe("`null` for one namespace"),
    failures: z
      .array(
        z.object({
          stage: z.enum(STAGE_NAMES),
          code: z.string(),
          tries: count.describe("That failed and were or will be repeated, and those that gave up"),
          given_up: count.describe("Versions that became `failed`"),
        }),
      )
      .describe("Why versions fail, the most frequent reason first"),
    use: z.object(use),
  })
  .meta({ id: "Statistics" });
export type StatisticsAnswer = z.infer<typeof statistics>;

const row = {
  scripts: count.describe("That are there and not deleted"),
  deleted_scripts: count,
  uploads: count,
  uploaded_bytes: count,
  states: z.object(
    Object.fromEntries(VERSION_STATES.map((state) => [state, count])) as Record<
      (typeof VERSION_STATES)[number],
      typeof count
    >,
  ),
  given_up: count,
  ...use,
};

/** `GET /stats/days`. */
export const dailyStatistics = z
  .object({
    as_of: asOf,
    namespace: z.string().nullable(),
    items: z.array(
      z.object({
        day,
        ...row,
        unique_bytes: count
          .nullable()
          .describe("Of content that came then; `null` for one namespace"),
        stored_bytes: count.nullable().describe("What it takes"),
      }),
    ),
  })
  .meta({ id: "DailyStatistics" });
export type DailyStatistics = z.infer<typeof dailyStatistics>;

/** `GET /stats/namespaces`. */
export const namespaceStatistics = z
  .object({
    as_of: asOf,
    ...range,
    items: z.array(z.object({ namespace: z.string(), ...row })),
    next_cursor: z.string().nullable().describe("`null` on the last page"),
  })
  .meta({ id: "NamespaceStatistics" });
export type NamespaceStatistics = z.infer<typeof namespaceStatistics>;

/** `GET /scripts/{id}/usage`. */
export const scriptUsage = z
  .object({
    script_id: z.uuid(),
    ...use,
    last_used_at: z.iso.datetime().nullable().describe("Up to a minute late, as all of it"),
    from: day,
    to: day,
    days_kept: z.int().min(1).describe("Days before that are `null`: they are not known any more"),
    days: z.array(
      z.object({
        day,
        downloads: count.nullable(),
        metadata_reads: count.nullable(),
      }),
    ),
  })
  .meta({ id: "ScriptUsage" });
export type ScriptUsageAnswer = z.infer<typeof scriptUsage>;
