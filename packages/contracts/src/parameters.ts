import { STAGE_NAMES, VERSION_STATES } from "@sluice/pipeline";
import { z } from "zod";
import { AUDIT_ACTIONS } from "./audit.js";
import { EVENT_KINDS, EVENT_SEVERITIES } from "./events.js";
import { TOOL_PROFILES } from "./metadata.js";
import { instant } from "./instant.js";
import { SEARCH_PLACES } from "./search.js";
import { line } from "./text.js";
import { labelName, labelValue, tag } from "./user-metadata.js";

// Each of these checks a string as it stands in a path, a query or a header, and is what the OpenAPI
// document is generated from.

export const DEFAULT_NAMESPACE = "default";

function wholeNumber(min: number, max: number, description: string) {
  return z
    .string()
    .regex(/^\d{1,10}$/, "must be a whole number")
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))
    .meta({ type: "integer", minimum: min, maximum: max, description });
}

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, `must be one of ${values.join(", ")}`);
}

function flag(description: string) {
  return z
    .enum(["true", "false"], "must be true or false")
    .default("false")
    .transform((text) => text === "true")
    .meta({ type: "boolean", default: false, description });
}

/**
 * A namespace: segments between slashes. None is empty, `.` or `..`, or begins or ends with a blank;
 * there are no backslashes.
 */
export const namespace = line(512)
  .min(1, "must not be empty")
  .refine(
    (text) =>
      !text.includes("\\") &&
      text
        .split("/")
        .every((part) => part !== "" && part !== "." && part !== ".." && part === part.trim()),
    "must be segments between slashes, none of them empty, `.` or `..`, without backslashes",
  )
  .transform((text) => text.normalize("NFC"))
  .meta({ type: "string", description: "Names are unique in a namespace; such as `team/jobs`" });

const uuid = z
  .string()
  .regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, "must be a UUID")
  .transform((text) => text.toLowerCase());

const scriptId = uuid.meta({ type: "string", format: "uuid", description: "The script" });
const versionNumber = wholeNumber(1, 2_147_483_647, "Number of a version; the newest if not said");

export const ON_CONFLICT = ["version", "reject", "keep_both"] as const;

export const scriptPath = z.strictObject({ id: scriptId });
export const versionPath = z.strictObject({
  id: scriptId,
  n: versionNumber.meta({ type: "integer", minimum: 1, description: "Number of the version" }),
});

export const comparisonPath = z.strictObject({
  id: scriptId,
  a: versionNumber.meta({
    type: "integer",
    minimum: 1,
    description: "Number of the version to begin with",
  }),
  b: versionNumber.meta({
    type: "integer",
    minimum: 1,
    description: "Number of the version to end with",
  }),
});

export const changePath = z.strictObject({
  id: uuid.meta({ type: "string", format: "uuid", description: "The bulk change" }),
});

export const policyPath = z.strictObject({
  id: z
    .string()
    .regex(/^[1-9]\d{0,9}$/, "must be a whole number from 1")
    .transform(Number)
    .refine((id) => id <= 2_147_483_647, "must be 2147483647 at most")
    .meta({ type: "integer", minimum: 1, description: "Id of the policy" }),
});

export const stagePath = z.strictObject({
  stage: z
    .string()
    .meta({ type: "string", enum: [...STAGE_NAMES], description: "Name of the stage" }),
});

export const noQuery = z.strictObject({});

export const uploadQuery = z.strictObject({
  namespace: namespace.default(DEFAULT_NAMESPACE).meta({ default: DEFAULT_NAMESPACE }),
  on_conflict: oneOf(ON_CONFLICT)
    .default("version")
    .describe(
      "Where the name exists: a new version of that script, a refusal (409), or a new script named `name (2).py`. " +
        "The same bytes as the newest version's make nothing new, whatever this says.",
    ),
});
export type UploadQuery = z.infer<typeof uploadQuery>;

export const versionQuery = z.strictObject({ version: versionNumber.optional() });

export const LONGEST_WAIT_SECONDS = 60;

export const versionStatusQuery = z.strictObject({
  wait: wholeNumber(
    0,
    LONGEST_WAIT_SECONDS,
    "Seconds to wait for news: until the status differs from `If-None-Match`, or, without that header, until it is final",
  )
    .default(0)
    .meta({ default: 0 }),
});

export const statusQuery = versionStatusQuery.extend({ version: versionNumber.optional() });

export const metadataQuery = z.strictObject({
  version: versionNumber.optional(),
  profile: oneOf(TOOL_PROFILES)
    .default("fastmcp")
    .describe("The runtime whose tool schemas are given"),
});

export const comparisonQuery = z.strictObject({
  context: wholeNumber(0, 100, "Lines that are shown around each difference")
    .default(3)
    .meta({ default: 3 }),
  profile: metadataQuery.shape.profile,
});

export const deleteQuery = z.strictObject({
  confirm: z
    .string()
    .optional()
    .describe("The id of the script once more; without it the answer is 428"),
  reason: line(2_000)
    .min(1, "must not be empty")
    .optional()
    .describe("For whoever wonders later why it is gone"),
});

export const undeleteQuery = z.strictObject({
  filename: line(255)
    .min(1, "must not be empty")
    .optional()
    .describe("The name that it comes back under, where its own has been taken"),
});

export const LIST_ORDERS = [
  "upload_time",
  "-upload_time",
  "name",
  "-name",
  "size",
  "-size",
] as const;
export type ListOrder = (typeof LIST_ORDERS)[number];

/** A parameter that may be there several times. */
function repeated<Item extends z.ZodType>(item: Item, description: string) {
  return z
    .preprocess(
      (sent) => (typeof sent === "string" ? [sent] : sent),
      z.array(item).max(20, "must be there 20 times at most"),
    )
    .optional()
    .meta({ type: "array", items: { type: "string" }, description });
}

const labelWithValue = z
  .string()
  .regex(/^[^=]+=/, "must be a label's name, `=` and its value")
  .transform((text): [string, string] => {
    const at = text.indexOf("=");
    return [text.slice(0, at), text.slice(at + 1)];
  })
  .pipe(z.tuple([labelName, labelValue]));

export const listQuery = z.strictObject({
  limit: wholeNumber(1, 200, "Items on a page, at most").default(50).meta({ default: 50 }),
  cursor: z.string().max(2_000).optional().describe("`next_cursor` of the page before"),
  sort: oneOf(LIST_ORDERS).default("-upload_time").describe("Order; `-` turns it round"),
  state: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(oneOf(VERSION_STATES)))
    .meta({
      type: "string",
      description: `State of the newest version, or several with commas between: ${VERSION_STATES.join(", ")}`,
    })
    .optional(),
  name: line(255)
    .min(1, "must not be empty")
    .optional()
    .describe("Part of the file name, upper and lower case alike"),
  namespace: namespace.optional(),
  batch: uuid
    .meta({ type: "string", format: "uuid", description: "The batch it was uploaded with" })
    .optional(),
  since: instant
    .meta({ type: "string", format: "date-time", description: "Uploaded then or later" })
    .optional(),
  until: instant
    .meta({ type: "string", format: "date-time", description: "Uploaded before then" })
    .optional(),
  tag: repeated(tag, "A tag that it has; given several times, it has all of them"),
  label: repeated(
    labelWithValue,
    "A label that it has, as `name=value`; given several times, it has all of them",
  ),
  owner: line(200).min(1, "must not be empty").optional().describe("Whose it is, exactly"),
  pinned: z
    .enum(["true", "false"], "must be true or false")
    .transform((text) => text === "true")
    .optional()
    .meta({ type: "boolean", description: "Whether it is pinned" }),
});
export type ListQuery = z.infer<typeof listQuery>;

export const pageQuery = z.strictObject({
  limit: wholeNumber(1, 200, "Items on a page, at most").default(50).meta({ default: 50 }),
  cursor: z.string().max(2_000).optional().describe("`next_cursor` of the page before"),
});

export const dryRunQuery = z.strictObject({
  dry_run: flag("Change nothing, and say what would change"),
});

export const scrubQuery = z.strictObject({
  trusted: flag("Repair and mark whatever is found, however much it is"),
});

export const policyQuery = pageQuery.extend(dryRunQuery.shape);
export const retentionQuery = pageQuery.extend({
  version: versionNumber
    .meta({ type: "integer", minimum: 1, description: "Only of that version; all if not said" })
    .optional(),
});

export const auditQuery = pageQuery.extend({
  script_id: uuid
    .meta({ type: "string", format: "uuid", description: "About that script" })
    .optional(),
  action: oneOf(AUDIT_ACTIONS).optional().describe("What was done"),
  since: instant
    .meta({ type: "string", format: "date-time", description: "Recorded then or later" })
    .optional(),
});

export const trashQuery = pageQuery.extend({
  namespace: namespace.optional(),
  filename: line(255).min(1, "must not be empty").optional().describe("The name that it had"),
  script_id: uuid
    .meta({ type: "string", format: "uuid", description: "That script, and versions of it" })
    .optional(),
});

export const watchQuery = pageQuery.extend({
  directory: z.string().max(4_096).optional().describe("Refused in that directory only"),
});

export const eventQuery = pageQuery.extend({
  severity: oneOf(EVENT_SEVERITIES).optional().describe("How much it matters"),
  kind: oneOf(EVENT_KINDS).optional().describe("What happened"),
  script_id: uuid
    .meta({ type: "string", format: "uuid", description: "About that script" })
    .optional(),
  since: instant
    .meta({ type: "string", format: "date-time", description: "Happened then or later" })
    .optional(),
});

/** Days of the longest range that sums are asked for. */
export const MOST_DAYS = 366;

const date = z.iso.date("must be a date, such as 2026-11-23");

/** A range of days. `from` alone goes on to today. */
function ofDays<Shape extends z.ZodRawShape>(shape: Shape) {
  return z
    .strictObject({
      from: date.optional().meta({ type: "string", format: "date", description: "First day" }),
      to: date.optional().meta({
        type: "string",
        format: "date",
        description: "Last day, included; today if not said",
      }),
      ...shape,
    })
    .superRefine((query, context) => {
      const { from, to = today() } = query as { from?: string; to?: string };
      const wrong = (path: string, message: string) =>
        context.addIssue({ code: "custom", path: [path], message, input: query });
      if (from === undefined) {
        if ("to" in query && query.to !== undefined) wrong("from", "must be there where `to` is");
        return;
      }
      const days = (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1;
      if (days < 1) wrong("from", "must not be after `to`, or after today");
      if (days > MOST_DAYS) wrong("from", `must be ${MOST_DAYS - 1} days before \`to\` at most`);
    });
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

export const statisticsQuery = ofDays({ namespace: namespace.optional() });
export const namespaceStatisticsQuery = ofDays(pageQuery.shape);
export const usageQuery = ofDays({});

/** Characters of the longest query. */
const MAX_QUERY = 1_000;

export const searchQuery = z.strictObject({
  q: z
    .string()
    .min(1, "must not be empty")
    .max(MAX_QUERY, `must have at most ${MAX_QUERY} characters`)
    .refine((text) => !text.includes("\0"), "must have no NUL")
    .describe("What to search for, such as `parse_args import:requests -state:rejected`"),
  in: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(oneOf(SEARCH_PLACES)))
    .meta({
      type: "string",
      description: `Where free text is looked for, one or several with commas between: ${SEARCH_PLACES.join(", ")}; everywhere if not said`,
    })
    .optional(),
  case: flag("Upper and lower case are different"),
  word: flag(
    "Free text is found where no letter, digit or underscore is on either side of it only",
  ),
  regex: flag(
    "Free text is a regular expression in RE2's syntax; `^` and `$` are the ends of a line",
  ),
  limit: wholeNumber(1, 100, "Items on a page, at most").default(20).meta({ default: 20 }),
  cursor: z.string().max(2_000).optional().describe("`next_cursor` of the page before"),
});

/** `Idempotency-Key`, as of draft-ietf-httpapi-idempotency-key-header, with or without its quotes. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x20-\x7e]*$/, "must be of printable ASCII")
  .transform((text) => /^"(.*)"$/.exec(text)?.[1] ?? text)
  .pipe(z.string().min(1, "must not be empty").max(255, "must have at most 255 characters"))
  .meta({
    type: "string",
    minLength: 1,
    maxLength: 255,
    description:
      "Any value that is new for each request that is not a retry. The same key with the same request is answered as the first time.",
  });
