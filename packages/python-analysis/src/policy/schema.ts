import { decision, severity } from "@sluice/contracts";
import {
  documentName,
  documentVersion,
  PARSING,
  PolicyError,
  problemsOf,
  readContent,
  versionOf,
} from "@sluice/policy-documents";
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
  name: documentName,
  version: documentVersion,
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

/**
 * Reads a policy without namespaces from YAML or JSON. What it leaves out gets the defaults of `data/default-policy.yaml`'s comments.
 *
 * @throws PolicyError naming every mistake with its path
 */
export function parsePolicy(text: string): Policy {
  const written = readContent(text);
  const parsed = policySchema.safeParse(written.value, PARSING);
  if (parsed.success) return parsed.data;
  throw new PolicyError(
    parsed.error.issues.flatMap((issue) =>
      problemsOf(issue, { written, settingsAt: settingsAt([]) }),
    ),
  );
}

/** Says what there is to set where a policy, or what is otherwise in a namespace (`outer`), has a setting that there is not. */
export function settingsAt(
  outer: readonly PropertyKey[],
): (path: readonly PropertyKey[]) => readonly string[] | undefined {
  return (path) => {
    const whole = outer.length === 0 ? WHOLE : PARTS;
    const settings = path.length === 0 ? whole : PARTS[path.join()];
    return settings ? Object.keys(settings) : undefined;
  };
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
