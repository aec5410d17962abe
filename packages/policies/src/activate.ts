import { setTimeout as sleep } from "node:timers/promises";
import {
  activatePolicy,
  type Catalog,
  type CatalogLog,
  isConflict,
  isUnavailable,
  type NewPolicy,
  type StoredPolicy,
} from "@sluice/catalog";
import {
  loadPolicy,
  policiesOf,
  type PolicyDocument,
  policyVersion,
} from "@sluice/python-analysis";

/** How long a catalog that is away is given to come back, in milliseconds. */
const PAUSE_MS = 1_000;

/** Who put the policy in force that comes with Sluice, and one that a setting names. */
const BY_DEFAULT = "default";
const BY_FILE = "POLICY_FILE";

/**
 * Sees to it that there is a policy in force when a service starts.
 *
 * A file whose content was never in force in this catalog comes into force: it was edited since. Else what is in force stays, so that
 * a policy that was changed in the meantime is not overridden by an old file. The policy that comes with Sluice gives way to any
 * other, and follows itself only, when Sluice is brought up to date. Waits for a catalog that is away.
 *
 * @param file - of POLICY_FILE
 * @throws PolicyError, or the file system's own error
 */
export async function activateAtStart(
  catalog: Catalog,
  file: string | undefined,
  { log, signal }: { readonly log: CatalogLog; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    try {
      await ensurePolicy(catalog, file);
      return;
    } catch (error) {
      if (signal.aborted || !(isUnavailable(error) || isConflict(error))) throw error;
      log.warn({ err: error }, "the policy in force is not known yet");
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }
}

/** {@link activateAtStart}, once. */
export async function ensurePolicy(
  catalog: Catalog,
  file: string | undefined,
): Promise<StoredPolicy> {
  const { document, source } = await loadPolicy(file);
  const by = file === undefined ? BY_DEFAULT : BY_FILE;
  const { policy } = await activatePolicy(
    catalog,
    toNew(document, source, by),
    (current, wasInForce) =>
      current === undefined ||
      (!wasInForce && (file !== undefined || current.activatedBy === BY_DEFAULT)),
  );
  if (policy === undefined) throw new Error("there is no policy in the catalog");
  return policy;
}

export type Activation =
  | { readonly kind: "activated" | "unchanged"; readonly policy: StoredPolicy }
  /** Another one is in force than was expected. */
  | { readonly kind: "conflict"; readonly policy: StoredPolicy };

/**
 * Puts a policy in force over the one that the caller has seen. One that says the very same as that changes nothing.
 *
 * @param isExpected - says whether the policy in force is the one that the change is based on
 */
export async function putInForce(
  catalog: Catalog,
  {
    document,
    source,
    by,
    isExpected,
  }: {
    readonly document: PolicyDocument;
    readonly source: string;
    readonly by: string;
    readonly isExpected: (policyId: number) => boolean;
  },
): Promise<Activation> {
  let conflict = false;
  const { activated, policy } = await activatePolicy(
    catalog,
    toNew(document, source, by),
    (current) => {
      conflict = !isExpected(current?.id ?? 0);
      return !conflict && (current?.version !== document.version || current.source !== source);
    },
  );
  if (policy === undefined) throw new Error("there is no policy in the catalog");
  if (conflict) return { kind: "conflict", policy };
  return { kind: activated ? "activated" : "unchanged", policy };
}

function toNew(document: PolicyDocument, source: string, activatedBy: string): NewPolicy {
  const effective = new Map(
    policiesOf(document).map((policy): [string, object] => [policyVersion(policy), policy]),
  );
  return { name: document.name, version: document.version, source, activatedBy, effective };
}
