import type { Catalog } from "@sluice/catalog";
import { type Clamd, ClamdUnavailableError } from "@sluice/clamav";
import {
  blobKey,
  type BlobPlace,
  isPackKey,
  type ObjectStore,
  quarantineKey,
} from "@sluice/object-store";
import { advance, isQuarantined, restart, snooze, stop } from "@sluice/pipeline";
import type { EffectivePolicies } from "@sluice/policies";
import { type Analysers, infected, judge } from "@sluice/python-analysis";
import { type Handler, readSource } from "@sluice/worker";

export interface ValidateDeps {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly analysers: Pick<Analysers, "facts">;
  readonly policies: Pick<EffectivePolicies, "read">;
  /** Of {@link analysers}. */
  readonly analyserVersion: string;
  /** Asked first, where there is one: nothing passes without its word. */
  readonly scanner?: Pick<Clamd, "scan"> | undefined;
}

/** How long dedup is given to be replaced by one of this worker's version, in milliseconds. */
const RESTART_DELAY_MS = 5_000;
/** How long a scanner that is down is given to come back, in milliseconds. */
const SCANNER_DELAY_MS = 10_000;

/**
 * Judges a script: is it Python, what can it do, does the policy allow that. What is no Python, or is
 * malware, goes to quarantine and no further; what the policy forbids goes on, so that a changed policy
 * finds it ready.
 */
export const validate: Handler<"validate", ValidateDeps> = async (script, deps, { signal }) => {
  const { objects, analysers, policies, analyserVersion } = deps;
  if (script.analyserVersion !== analyserVersion) return restart(RESTART_DELAY_MS);
  // The one that it was settled for, whatever is in force by now: the janitor judges it again if it must.
  const policy = await policies.read(script.policyVersion ?? "");
  if (policy === undefined) return restart(RESTART_DELAY_MS);
  const { bytes, place } = await readSource(deps, script);
  let signature: string | undefined;
  try {
    const scan = await deps.scanner?.scan(bytes, signal);
    if (scan?.kind === "infected") ({ signature } = scan);
  } catch (error) {
    if (error instanceof ClamdUnavailableError) return snooze(SCANNER_DELAY_MS, error.message);
    throw error;
  }
  const analysed = { ...(await analysers.facts(bytes)), analyser_version: analyserVersion };
  const facts = signature === undefined ? analysed : infected(analysed, signature);
  const report = judge(facts, policy);

  const quarantined = isQuarantined(report.verdict);
  const moved = await moveTo(
    quarantined ? quarantineKey(script.sha256) : blobKey(script.sha256, place.encoding),
    place,
    objects,
  );
  const garbage = moved === undefined ? [] : [place.key];
  const result = moved === undefined ? { report, facts } : { report, facts, place: moved };
  return quarantined ? stop(result, garbage) : advance(result, garbage);
};

/** @returns the new place, or `undefined` where the blob is there already */
async function moveTo(
  key: string,
  place: BlobPlace,
  objects: ObjectStore,
): Promise<BlobPlace | undefined> {
  const inQuarantine = place.key.startsWith("quarantine/");
  if (inQuarantine === key.startsWith("quarantine/")) return undefined;
  if (!isPackKey(place.key)) {
    await objects.copy(place.key, key);
    return { ...place, key };
  }
  // Others share that object: this one's part of it becomes one of its own.
  await objects.put(key, await objects.get(place.key, place));
  return { ...place, key, offset: 0 };
}
