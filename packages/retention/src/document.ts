/** A retention policy as it is written. */
import { namespace as namespaceSchema } from "@sluice/contracts";
import { VERSION_STATES } from "@sluice/pipeline";
import {
  documentName,
  documentVersion,
  PARSING,
  PolicyError,
  type PolicyProblem,
  problemsOf,
  readContent,
  versionOf,
  type WrittenContent,
} from "@sluice/policy-documents";
import { z } from "zod";
import { duration, share, size } from "./quantities.js";

export const RETENTION_ACTIONS = ["keep", "archive", "delete"] as const;
export type RetentionAction = (typeof RETENTION_ACTIONS)[number];

/** What a rule leaves alone unless it says `even`. */
const OVERRIDABLE = ["pinned", "needs_approval", "newest_version"] as const;

const MOST_RULES = 200;
const MOST_NAMES = 100;

const namespacePattern = z
  .string()
  .max(514)
  .superRefine((pattern, context) => {
    const named = namespaceSchema.safeParse(pattern === "*" ? "all" : pattern.replace(/\/\*$/, ""));
    for (const { message } of named.error?.issues ?? [])
      context.addIssue({ code: "custom", message: `a namespace ${message}` });
    if (/\*(?!$)|[^/]\*$/.test(pattern))
      context.addIssue({
        code: "custom",
        message: "`*` must stand alone or behind the last slash, as in `team/*`",
      });
  })
  .transform((pattern) => pattern.normalize("NFC"));

/** One, or several in a list: any of them will do. */
function anyOf<Item extends z.ZodType<string>>(item: Item) {
  return z.preprocess(
    (written) => (Array.isArray(written) ? (written as unknown[]) : [written]),
    z.array(item).min(1, "must not be empty").max(MOST_NAMES, `may be ${MOST_NAMES} at most`),
  );
}

const count = z
  .int({ error: "must be a whole number from 1" })
  .min(1, "must be a whole number from 1")
  .max(2_147_483_647, "must be at most 2147483647");

const rule = {
  name: z
    .string("must be there, as text")
    .min(1, "must not be empty")
    .max(100, "must have at most 100 characters")
    .refine((text) => !/\p{Cc}/u.test(text), "must be one line"),
  of: z.enum(["versions", "scripts"]).default("versions"),
  namespace: anyOf(namespacePattern).optional(),
  tag: anyOf(z.string().min(1, "must not be empty").max(64)).optional(),
  state: anyOf(z.enum(VERSION_STATES)).optional(),
  age: duration.optional(),
  unused: duration.optional(),
  beyond_versions: count.optional(),
  beyond_size: size.optional(),
  action: z.enum(RETENTION_ACTIONS),
  even: z.array(z.enum(OVERRIDABLE)).default([]),
};

const ruleSchema = z.strictObject(rule).superRefine((written, context) => {
  const { of, action, even } = written;
  if (action === "keep" && even.length > 0)
    context.addIssue({
      code: "custom",
      path: ["even"],
      message: "says nothing where the action is keep",
    });
  if (of === "scripts" && even.includes("newest_version"))
    context.addIssue({
      code: "custom",
      path: ["even", even.indexOf("newest_version")],
      message: "says nothing: a rule of scripts takes in their newest version",
    });
  if (of === "versions" && action === "delete" && even.includes("newest_version"))
    context.addIssue({
      code: "custom",
      path: ["even", even.indexOf("newest_version")],
      message: "the newest version goes only with its script: say `of: scripts`",
    });
});

const brakes = {
  max_share: share.default(0.05),
  max_removals: z
    .int({ error: "must be a whole number from 0" })
    .min(0, "must be a whole number from 0")
    .max(2_147_483_647, "must be at most 2147483647")
    .default(10_000),
};

const policy = {
  name: documentName,
  version: documentVersion,
  rules: z.array(ruleSchema).max(MOST_RULES, `may be ${MOST_RULES} at most`).default([]),
  brakes: z.strictObject(brakes).prefault({}),
};

const policySchema = z.strictObject(policy);

/** A rule, durations in milliseconds and sizes in bytes. */
export type RetentionRule = z.output<typeof ruleSchema>;

export interface RetentionPolicy {
  readonly name: string;
  /** The version that is written in it, with a hash of all it says. */
  readonly version: string;
  /** The first one that matches wins. */
  readonly rules: readonly RetentionRule[];
  /** A round that would remove more than both allow stops until somebody confirms it. */
  readonly brakes: { readonly max_share: number; readonly max_removals: number };
}

/**
 * Reads a retention policy from YAML or JSON.
 *
 * @throws PolicyError naming every mistake with its path, line and column
 */
export function parseRetentionPolicy(text: string): RetentionPolicy {
  const written = readContent(text);
  const parsed = policySchema.safeParse(written.value, PARSING);
  const problems = [
    ...(parsed.error?.issues.flatMap((issue) => problemsOf(issue, { written, settingsAt })) ?? []),
    ...repeatedNames(written),
  ];
  if (!parsed.success || problems.length > 0) throw new PolicyError(problems.toSorted(byPlace));
  const { name, version, ...content } = parsed.data;
  return { name, version: versionOf(version, parsed.data), ...content };
}

function byPlace(a: PolicyProblem, b: PolicyProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** The answer to "by which rule" names it. */
function repeatedNames(written: WrittenContent): PolicyProblem[] {
  const { value } = written;
  const rules = isMapping(value) && Array.isArray(value["rules"]) ? value["rules"] : [];
  const seen = new Map<unknown, number>();
  return rules.flatMap((each: unknown, index) => {
    const name = isMapping(each) ? each["name"] : undefined;
    if (typeof name !== "string") return [];
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, index);
      return [];
    }
    const place = written.placeOf(["rules", index, "name"]);
    return [
      { path: `rules[${index}].name`, message: `is the name of rules[${first}] too`, ...place },
    ];
  });
}

function settingsAt(path: readonly PropertyKey[]): readonly string[] | undefined {
  if (path.length === 0) return Object.keys(policy);
  if (path[0] === "brakes") return Object.keys(brakes);
  return path[0] === "rules" && path.length === 2 ? Object.keys(rule) : undefined;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a namespace is one that a pattern of a rule stands for. */
export function matchesNamespace(pattern: string, namespace: string): boolean {
  if (pattern === "*") return true;
  return pattern.endsWith("/*")
    ? namespace.startsWith(pattern.slice(0, -1))
    : pattern === namespace;
}
