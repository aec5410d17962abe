/** A policy as it is written: one for all namespaces, and what is otherwise in some of them. */
import { namespace as namespaceSchema } from "@sluice/contracts";
import {
  PARSING,
  PolicyError,
  type PolicyProblem,
  problemsOf,
  readContent,
  versionOf,
  type WrittenContent,
} from "@sluice/policy-documents";
import { merge } from "./merge.js";
import {
  overrideSchema,
  type Policy,
  type PolicyOverride,
  policySchema,
  settingsAt,
} from "./schema.js";

export interface PolicyDocument {
  readonly name: string;
  /** The version that is written in it, with a hash of all it says. */
  readonly version: string;
  /** For namespaces that are not named. */
  readonly base: Policy;
  /** By pattern, from the most general one to namespaces as such. */
  readonly overrides: readonly NamespaceOverride[];
}

interface NamespaceOverride {
  /** A namespace, `team/*` for all below `team`, or `*` for all there are. */
  readonly pattern: string;
  readonly override: PolicyOverride;
  /** {@link base} with this override and those of all patterns that are more general. */
  readonly policy: Policy;
}

const MOST_NAMESPACES = 500;

/**
 * Reads a policy from YAML or JSON. What it leaves out gets the defaults of `data/default-policy.yaml`'s comments.
 *
 * @throws PolicyError naming every mistake with its path
 */
export function parsePolicyDocument(text: string): PolicyDocument {
  const written = readContent(text);
  const content = written.value;
  const { namespaces, ...rest } = isMapping(content) ? content : {};
  const base = policySchema.safeParse(isMapping(content) ? rest : content, PARSING);
  const problems = base.success
    ? []
    : base.error.issues.flatMap((issue) =>
        problemsOf(issue, { written, settingsAt: settingsAt([]) }),
      );
  const overrides = readOverrides(namespaces ?? {}, written, problems);
  if (!base.success || problems.length > 0) throw new PolicyError(problems);
  return withPolicies(base.data, overrides);
}

/** The policy for the scripts of a namespace, the same object each time. */
export function policyFor({ base, overrides }: PolicyDocument, namespace: string): Policy {
  return overrides.findLast(({ pattern }) => matches(pattern, namespace))?.policy ?? base;
}

/** Every policy that a namespace can have by a document. */
export function policiesOf({ base, overrides }: PolicyDocument): readonly Policy[] {
  return [base, ...overrides.map(({ policy }) => policy)];
}

function readOverrides(
  namespaces: unknown,
  written: WrittenContent,
  problems: PolicyProblem[],
): ReadonlyMap<string, PolicyOverride> {
  const overrides = new Map<string, PolicyOverride>();
  if (!isMapping(namespaces)) {
    problems.push({
      path: "namespaces",
      message: "must map namespaces to what is otherwise there",
      ...written.placeOf(["namespaces"]),
    });
    return overrides;
  }
  const entries = Object.entries(namespaces);
  if (entries.length > MOST_NAMESPACES)
    problems.push({
      path: "namespaces",
      message: `must be at most ${MOST_NAMESPACES}`,
      ...written.placeOf(["namespaces"]),
    });
  for (const [key, value] of entries.slice(0, MOST_NAMESPACES)) {
    const pattern = key.normalize("NFC");
    const named = namespaceSchema.safeParse(pattern === "*" ? "all" : pattern.replace(/\/\*$/, ""));
    const path = ["namespaces", key];
    const place = written.placeOfKey(path);
    for (const { message } of named.error?.issues ?? [])
      problems.push({ path: `namespaces.${key}`, message: `a namespace ${message}`, ...place });
    if (/\*(?!$)|[^/]\*$/.test(pattern))
      problems.push({
        path: `namespaces.${key}`,
        message:
          "`*` must stand alone or behind the last slash, as in `team/*`; it is no wildcard elsewhere",
        ...place,
      });
    if (overrides.has(pattern))
      problems.push({ path: `namespaces.${key}`, message: "is there twice", ...place });
    const parsed = overrideSchema.safeParse(value, PARSING);
    if (parsed.success) overrides.set(pattern, parsed.data);
    else
      problems.push(
        ...parsed.error.issues.flatMap((issue) =>
          problemsOf(issue, { written, outer: path, settingsAt: settingsAt(path) }),
        ),
      );
  }
  return overrides;
}

function withPolicies(
  base: Policy,
  overrides: ReadonlyMap<string, PolicyOverride>,
): PolicyDocument {
  const found: NamespaceOverride[] = [];
  const ordered = [...overrides].toSorted(
    ([a], [b]) => Number(!isGeneral(a)) - Number(!isGeneral(b)) || a.length - b.length,
  );
  for (const [pattern, override] of ordered) {
    const outer = found.findLast(
      (each) => isGeneral(each.pattern) && covers(each.pattern, pattern),
    );
    found.push({ pattern, override, policy: merge(outer?.policy ?? base, override) });
  }
  const said = found.map(({ pattern, override }) => [pattern, override]);
  // Without namespaces, the version is that of the one policy there is.
  const content = said.length === 0 ? base : { ...base, namespaces: Object.fromEntries(said) };
  return {
    name: base.name,
    version: versionOf(base.version, content),
    base,
    overrides: found,
  };
}

function isGeneral(pattern: string): boolean {
  return pattern === "*" || pattern.endsWith("/*");
}

function matches(pattern: string, namespace: string): boolean {
  return isGeneral(pattern) ? covers(pattern, namespace) : pattern === namespace;
}

/** Whether all that one pattern or namespace stands for is below a general pattern. */
function covers(general: string, other: string): boolean {
  return other.startsWith(general.slice(0, -1));
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
