import { type Catalog, foresee, type JudgedVersion, listJudged } from "@sluice/catalog";
import type { VersionState } from "@sluice/pipeline";
import { judge, type PolicyDocument } from "@sluice/python-analysis";
import { reasonsOf, type StateChange } from "./changes.js";
import type { EffectivePolicies } from "./effective.js";
import { judgeStored } from "./judge-stored.js";

export interface DryRunRequest {
  readonly document: PolicyDocument;
  /** The last version of the page before, whose end this goes on from. */
  readonly after?: string | undefined;
  /** Changes that are listed at most. */
  readonly limit: number;
  /** Stops the work between two batches. */
  readonly signal: AbortSignal;
}

export interface DryRun {
  /** How many versions would be judged, in all; of a page that goes on from another, `undefined`. */
  readonly counts: DryRunCounts | undefined;
  readonly changes: readonly StateChange[];
  /** The version to go on after; `undefined` where all changes are listed. */
  readonly next: string | undefined;
}

export interface DryRunCounts {
  readonly versions: number;
  /** How many would go from one state to another. */
  readonly transitions: readonly {
    readonly from: VersionState;
    readonly to: VersionState;
    readonly count: number;
  }[];
  /** How many would have to be analysed again before their state is known. */
  readonly unknown: number;
}

const BATCH = 200;

/** Says which stored versions would change state if a policy came into force, and changes nothing. */
export async function dryRun(
  catalog: Catalog,
  policies: EffectivePolicies,
  { document, after, limit, signal }: DryRunRequest,
): Promise<DryRun> {
  const changes: StateChange[] = [];
  const transitions = new Map<string, number>();
  let versions = 0;
  let unknown = 0;
  let next: string | undefined;
  let last = after;
  for (;;) {
    signal.throwIfAborted();
    const batch = await listJudged(catalog, { after: last, limit: BATCH });
    const judged = await judgeStored(catalog, batch, document);
    versions += batch.length;
    unknown += judged.unknown.length;
    const states = await foresee(catalog, judged.judgements);
    const changing = judged.judgements
      .filter(({ version }) => isChange(version, states.get(version.versionId)))
      .toSorted((a, b) => (a.version.versionId < b.version.versionId ? -1 : 1));
    for (const { version, report } of changing) {
      const to = states.get(version.versionId) as VersionState;
      const transition = `${version.state} ${to}`;
      transitions.set(transition, (transitions.get(transition) ?? 0) + 1);
      if (changes.length < limit) {
        const facts = judged.facts.get(version.versionId);
        const old = await policies.read(version.policyVersion);
        const reasons = facts && old && report ? reasonsOf(judge(facts, old), report) : [];
        changes.push({ version, to, reasons });
      } else next ??= changes.at(-1)?.version.versionId;
    }
    last = batch.at(-1)?.versionId;
    if (batch.length < BATCH || (after !== undefined && next !== undefined)) break;
  }
  const counts = {
    versions,
    unknown,
    transitions: [...transitions]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([transition, count]) => {
        const [from, to] = transition.split(" ") as [VersionState, VersionState];
        return { from, to, count };
      }),
  };
  return { counts: after === undefined ? counts : undefined, changes, next };
}

function isChange(version: JudgedVersion, to: VersionState | undefined): boolean {
  return to !== undefined && to !== version.state;
}
