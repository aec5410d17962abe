import { createHash } from "node:crypto";
import { decision, MAX_JSON_BYTES, severity } from "@sluice/contracts";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { capabilityMap } from "../capabilities/map.js";

/** What a policy may say of something that it can also leave alone. */
const attention = z.enum([...severity.options, "off"]);

const moduleName = z
  .string()
  .max(200)
  .regex(/^(?:\.|[\p{ID_Start}_][\p{ID_Continue}]*(?:\.[\p{ID_Start}_][\p{ID_Continue}]*)*)$/u, {
    error: "must be a module such as `numpy` or `google.cloud`, or `.` for relative imports",
  });

const capabilityName = z.string().refine(isCapability, {
  error: (issue) =>
    `${JSON.stringify(issue.input)} is no capability; there are ${knownCapabilities()}, and groups such as filesystem.*`,
});

/** Lists that sort names by decision; no name may be in two of them. */
function sorted(name: z.ZodType<string, string>) {
  return {
    allowed: z.array(name).default([]),
    needs_approval: z.array(name).default([]),
    refused: z.array(name).default([]),
  };
}

function inOneListOnly(lists: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  const seen = new Map<string, string>();
  for (const list of ["allowed", "needs_approval", "refused"]) {
    const given = lists[list] as string[] | { readonly add: string[] } | undefined;
    const [names, path] = Array.isArray(given) ? [given, [list]] : [given?.add, [list, "add"]];
    for (const [i, name] of (names ?? []).entries()) {
      const other = seen.get(name);
      if (other)
        context.addIssue({
          code: "custom",
          path: [...path, i],
          message: `${name} is in ${other} too`,
        });
      else seen.set(name, list);
    }
  }
}

const limit = (fallback: number, level: z.infer<typeof severity>) =>
  z
    .union(
      [
        z
          .int()
          .min(0)
          .transform((most) => ({ limit: most as number | null, severity: level })),
        z.null().transform(() => ({ limit: null, severity: level })),
        z.strictObject({ limit: z.int().min(0).nullable(), severity: severity.default(level) }),
      ],
      { error: "must be a whole number from 0, `null` for no limit, or {limit, severity}" },
    )
    .default({ limit: fallback, severity: level });

const signature = z.strictObject({
  name: z
    .string()
    .max(200)
    .regex(/^[\p{ID_Start}_][\p{ID_Continue}]*(?:\.[\p{ID_Start}_][\p{ID_Continue}]*)*$/u, {
      error: "must be a function of the module or a method, such as `main` or `Tool.run`",
    }),
  parameters: z
    .array(
      z.union([
        z.string().transform((name) => ({ name, annotation: undefined })),
        z.strictObject({ name: z.string(), annotation: z.string().optional() }),
      ]),
    )
    .optional()
    .describe("All parameters in order, with `*` and `**` before the names that collect the rest"),
  returns: z.string().optional(),
  is_async: z.boolean().optional(),
  severity: severity.default("error"),
});

const capabilities = {
  default: decision.default("needs_approval"),
  ...sorted(capabilityName),
};
const imports = {
  default: decision.default("needs_approval").describe("For a module that no list names"),
  stdlib: decision.default("allowed"),
  undeclared: attention
    .default("warning")
    .describe("A package that the script's own dependency block leaves out"),
  ...sorted(moduleName),
};
const limits = {
  max_bytes: limit(10_485_760, "error"),
  max_lines: limit(5_000, "warning"),
  max_functions: limit(300, "warning"),
  max_nesting: limit(6, "warning"),
  max_mccabe: limit(20, "warning"),
  max_cognitive: limit(50, "warning"),
};
const docstrings = {
  required: z.enum(["none", "public", "all"]).default("none"),
  severity: severity.default("warning"),
};
const policy = {
  name: z
    .string("must be there, as text")
    .min(1, "must not be empty")
    .max(100, "must have at most 100 characters"),
  version: z.union(
    [
      z.string().min(1, "must not be empty").max(50, "must have at most 50 characters"),
      z.number().transform(String),
    ],
    { error: 'must be there, as a number or a text of at most 50 characters, such as "1"' },
  ),
  capabilities: z.strictObject(capabilities).superRefine(inOneListOnly).prefault({}),
  imports: z.strictObject(imports).superRefine(inOneListOnly).prefault({}),
  limits: z.strictObject(limits).prefault({}),
  docstrings: z.strictObject(docstrings).prefault({}),
  signatures: z.array(signature).default([]),
};

export const policySchema = z.strictObject(policy);

/** What there is to set in each part of a policy … */
const PARTS: Readonly<Record<string, object | null>> = {
  capabilities,
  imports,
  limits,
  docstrings,
  signatures: null,
};
/** … and in a policy as a whole. */
const WHOLE = { ...policy, namespaces: null };

/** A list that replaces the one it overrides, or says what to add to that and to take away. */
function changed(name: z.ZodType<string, string>) {
  const list = z.array(name);
  return z
    .union([list, z.strictObject({ add: list.default([]), remove: list.default([]) })], {
      error: "must be a list, or {add: [...], remove: [...]}",
    })
    .optional();
}

function sortedChanges(name: z.ZodType<string, string>) {
  return { allowed: changed(name), needs_approval: changed(name), refused: changed(name) };
}

const limitChange = z
  .union(
    [
      z
        .int()
        .min(0)
        .nullable()
        .transform((most) => ({ limit: most })),
      z.strictObject({
        limit: z.int().min(0).nullable().optional(),
        severity: severity.optional(),
      }),
    ],
    { error: "must be a whole number from 0, `null` for no limit, or {limit, severity}" },
  )
  .optional();

/** What a policy says otherwise for some namespaces; what it leaves out stays as it is. */
export const overrideSchema = z.strictObject({
  capabilities: z
    .strictObject({ default: decision.optional(), ...sortedChanges(capabilityName) })
    .superRefine(inOneListOnly)
    .optional(),
  imports: z
    .strictObject({
      default: decision.optional(),
      stdlib: decision.optional(),
      undeclared: attention.optional(),
      ...sortedChanges(moduleName),
    })
    .superRefine(inOneListOnly)
    .optional(),
  limits: z
    .strictObject({
      max_bytes: limitChange,
      max_lines: limitChange,
      max_functions: limitChange,
      max_nesting: limitChange,
      max_mccabe: limitChange,
      max_cognitive: limitChange,
    })
    .optional(),
  docstrings: z
    .strictObject({
      required: z.enum(["none", "public", "all"]).optional(),
      severity: severity.optional(),
    })
    .optional(),
  signatures: z.array(signature).optional(),
});

export type PolicyOverride = z.infer<typeof overrideSchema>;

/** What scripts may do and how they must look. `data/default-policy.yaml` explains each part. */
export type Policy = z.infer<typeof policySchema>;
export type RequiredSignature = Policy["signatures"][number];
export type Limit = Policy["limits"]["max_lines"];

/** One mistake in a policy. */
export interface PolicyProblem {
  /** Where it is, such as `imports.allowed[2]`; empty for the document as a whole. */
  readonly path: string;
  readonly message: string;
}

/** A policy that cannot be used, with every mistake in it. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";

  constructor(readonly problems: readonly PolicyProblem[]) {
    super(
      problems
        .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
        .join("\n"),
    );
  }
}

/** Whatever the schema has no words of its own for is said without those of the library. */
export const PARSING = { reportInput: true, error: messageOf } as const;

const KINDS: Readonly<Record<string, string>> = {
  object: "a mapping",
  array: "a list",
  string: "text",
  boolean: "true or false",
};

function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") {
    const kind = KINDS[issue.expected] ?? issue.expected;
    return issue.input === null
      ? `must be ${kind}, and is empty; leave it out if it says nothing`
      : `must be ${kind}`;
  }
  if (issue.code === "invalid_value") return `must be one of ${issue.values.join(", ")}`;
  if (issue.code === "too_big") return `may be ${String(issue.maximum)} long at most`;
  return undefined;
}

/**
 * Reads a policy without namespaces from YAML or JSON. What it leaves out gets the defaults of `data/default-policy.yaml`'s comments.
 *
 * @throws PolicyError naming every mistake with its path
 */
export function parsePolicy(text: string): Policy {
  const parsed = policySchema.safeParse(readContent(text), PARSING);
  if (parsed.success) return parsed.data;
  throw new PolicyError(parsed.error.issues.flatMap((issue) => problemsOf(issue)));
}

/**
 * What YAML or JSON says, whatever its shape.
 *
 * @throws PolicyError where it is neither
 */
export function readContent(text: string): unknown {
  if (Buffer.byteLength(text) > MAX_JSON_BYTES) {
    const message = `a policy may have ${MAX_JSON_BYTES} bytes at most`;
    throw new PolicyError([{ path: "", message }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new PolicyError(
      document.errors.map(({ code, pos, message }) => ({
        path: `line ${lines.linePos(pos[0]).line}`,
        message:
          code === "MULTIPLE_DOCS" ? "a second document begins; a policy is a single one" : message,
      })),
    );
  }
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    throw new PolicyError([
      { path: "", message: error instanceof Error ? error.message : String(error) },
    ]);
  }
}

/** @param outer - the path of what was parsed */
export function problemsOf(
  issue: z.core.$ZodIssue,
  outer: readonly PropertyKey[] = [],
): PolicyProblem[] {
  const path = pathText([...outer, ...issue.path]);
  if (issue.code !== "unrecognized_keys") return [{ path, message: issue.message }];
  const whole = outer.length === 0 ? WHOLE : PARTS;
  const settings = issue.path.length === 0 ? whole : PARTS[issue.path.join()];
  const known = settings ? `; there are ${Object.keys(settings).join(", ")}` : "";
  return issue.keys.map((key) => ({
    path: pathText([...outer, ...issue.path, key]),
    message: `is no setting of a policy${known}`,
  }));
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

function isCapability(name: string): boolean {
  const { descriptions } = capabilityMap();
  if (descriptions.has(name)) return true;
  return (
    name.endsWith(".*") &&
    [...descriptions.keys()].some((known) => known.startsWith(name.slice(0, -1)))
  );
}

function knownCapabilities(): string {
  return [...capabilityMap().descriptions.keys()].join(", ");
}

/**
 * Identifies what a policy says: its version and a hash of its content, so that two policies never share one even when somebody
 * forgot to raise the version. A policy must not be changed once this has been asked.
 */
export function policyVersion(policy: Policy): string {
  let version = versions.get(policy);
  if (version === undefined) versions.set(policy, (version = versionOf(policy.version, policy)));
  return version;
}

/** Every report asks for the version of the same few policies. */
const versions = new WeakMap<Policy, string>();

/** A version that somebody gave to some content, and a hash of that content. */
export function versionOf(version: string, content: unknown): string {
  const hash = createHash("sha256").update(canonicalJson(content)).digest("hex");
  return `${version}+${hash.slice(0, 12)}`;
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
