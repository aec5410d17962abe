import type { Limit, Policy, PolicyOverride } from "./schema.js";

const LISTS = ["allowed", "needs_approval", "refused"] as const;

type Lists = { readonly [List in (typeof LISTS)[number]]: readonly string[] };
type ListChange =
  | readonly string[]
  | { readonly add: readonly string[]; readonly remove: readonly string[] };
type ListChanges = { readonly [List in (typeof LISTS)[number]]?: ListChange | undefined };

/**
 * A policy with what an override says otherwise.
 *
 * A value that the override gives takes the place of the one there was, and so does a list, unless it says `add` and `remove`. A name
 * that the override puts into a list of decisions is in no other of them any more. Of a limit, the number and the severity are values
 * of their own.
 */
export function merge(policy: Policy, override: PolicyOverride): Policy {
  const { capabilities = {}, imports = {}, limits = {}, docstrings = {}, signatures } = override;
  return {
    ...policy,
    capabilities: {
      default: capabilities.default ?? policy.capabilities.default,
      ...mergeLists(policy.capabilities, capabilities),
    },
    imports: {
      default: imports.default ?? policy.imports.default,
      stdlib: imports.stdlib ?? policy.imports.stdlib,
      undeclared: imports.undeclared ?? policy.imports.undeclared,
      ...mergeLists(policy.imports, imports),
    },
    limits: {
      max_bytes: mergeLimit(policy.limits.max_bytes, limits.max_bytes),
      max_lines: mergeLimit(policy.limits.max_lines, limits.max_lines),
      max_functions: mergeLimit(policy.limits.max_functions, limits.max_functions),
      max_nesting: mergeLimit(policy.limits.max_nesting, limits.max_nesting),
      max_mccabe: mergeLimit(policy.limits.max_mccabe, limits.max_mccabe),
      max_cognitive: mergeLimit(policy.limits.max_cognitive, limits.max_cognitive),
    },
    docstrings: {
      required: docstrings.required ?? policy.docstrings.required,
      severity: docstrings.severity ?? policy.docstrings.severity,
    },
    signatures: signatures ?? policy.signatures,
  };
}

function mergeLists(lists: Lists, changes: ListChanges): { [List in keyof Lists]: string[] } {
  const placed = new Set(LISTS.flatMap((list) => addedBy(changes[list])));
  const merged = (list: keyof Lists): string[] => {
    const change = changes[list];
    if (isWhole(change)) return [...change];
    const removed = new Set(change?.remove);
    const inherited = lists[list].filter((name) => !placed.has(name) && !removed.has(name));
    return [...inherited, ...addedBy(change)];
  };
  return {
    allowed: merged("allowed"),
    needs_approval: merged("needs_approval"),
    refused: merged("refused"),
  };
}

function addedBy(change: ListChange | undefined): readonly string[] {
  return isWhole(change) ? change : (change?.add ?? []);
}

function isWhole(change: ListChange | undefined): change is readonly string[] {
  return Array.isArray(change);
}

function mergeLimit(
  { limit, severity }: Limit,
  change: {
    readonly limit?: number | null | undefined;
    readonly severity?: Limit["severity"] | undefined;
  } = {},
): Limit {
  return {
    limit: change.limit === undefined ? limit : change.limit,
    severity: change.severity ?? severity,
  };
}
