import {
  type Catalog,
  listOutdated,
  noteApplied,
  recordJudgements,
  type Reevaluated,
  startOver,
} from "@sluice/catalog";
import type { InForce } from "./in-force.js";
import { judgeStored } from "./judge-stored.js";

export interface ReevaluatedBatch {
  /** How many versions stand by the policy now. */
  readonly judged: number;
  readonly changed: readonly Reevaluated[];
  /** Versions that go through the pipeline once more, pending in dedup. */
  readonly startedOver: readonly { readonly versionId: string; readonly size: number }[];
  /** `all` where nothing is left to do, `none` where another policy is in force by now. */
  readonly left: "some" | "all" | "none";
}

const BATCH = 100;

/**
 * Lets the oldest versions that stand by another policy stand by this one. What is done is done for good: whoever is killed in between
 * goes on where they were.
 */
export async function reevaluateBatch(
  catalog: Catalog,
  { id, document }: InForce,
): Promise<ReevaluatedBatch> {
  const versions = await listOutdated(catalog, { policyId: id, limit: BATCH });
  if (versions.length === 0) {
    await noteApplied(catalog, id);
    return { judged: 0, changed: [], startedOver: [], left: "all" };
  }
  const { judgements, unknown } = await judgeStored(catalog, versions, document);
  const changed = await recordJudgements(catalog, { policyId: id, judgements });
  if (changed === undefined) return { judged: 0, changed: [], startedOver: [], left: "none" };
  const startedOver =
    unknown.length === 0 ? [] : await startOver(catalog, { policyId: id, versions: unknown });
  return { judged: judgements.length, changed, startedOver, left: "some" };
}
