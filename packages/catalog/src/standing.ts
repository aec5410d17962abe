import type { ApprovalDecision, AskedItem } from "@sluice/contracts";
import type { Queryable } from "./catalog.js";

/** A decision as it bears on one thing that a version asks for. */
export interface DecisionOnItem {
  readonly approvalId: string;
  readonly version: number;
  readonly decision: ApprovalDecision;
  readonly reason: string;
  readonly actor: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
}

/** One thing that a version asks for, and how that stands. */
export interface ItemStanding extends AskedItem {
  /** The decision that holds; `undefined` where it is still to be made. */
  readonly decision: DecisionOnItem | undefined;
  /** Where none holds: the latest that was made on the same thing of this version or an earlier one. */
  readonly previous: DecisionOnItem | undefined;
  /** The references that the decision, or the previous one, was not about; all where there was none. */
  readonly newReferences: readonly string[];
}

/** What a version asks for, in the order of its report; empty where it asks for nothing. */
export async function readStanding(db: Queryable, versionId: string): Promise<ItemStanding[]> {
  const { rows } = await db.query<StandingRow>({
    name: "read_standing",
    text: `select asks.kind, asks.name, asks."references", asks.complete, asks.decision is not null as holds,
        p.id, p.version, p.decision, p.reason, p.actor, p.created_at, p.expires_at, p."references" as known
      from versions v join analyses a on a.sha256 = v.sha256 and a.analyser_version = v.analyser_version
          and a.policy_version = v.policy_version
        cross join lateral standing_of_asked(v.script_id, v.sha256, a.asked)
          with ordinality as asks (kind, name, "references", complete, decision, approval_id, position)
        left join lateral (
          select p.*, i."references" from approval_items i join approvals p on p.id = i.approval_id
          where i.script_id = v.script_id and i.kind = asks.kind and i.name = asks.name
            and case when asks.decision is null then p.version <= v.number or p.sha256 = v.sha256
              else p.id = asks.approval_id end
          order by i.seq desc limit 1) p on true
      where v.id = $1 and v.verdict = 'needs_approval' order by asks.position`,
    values: [versionId],
  });
  return rows.map(toStanding);
}

interface StandingRow extends AskedItem {
  holds: boolean;
  id: string | null;
  version: number;
  decision: ApprovalDecision;
  reason: string;
  actor: string;
  created_at: Date;
  expires_at: Date | null;
  known: string[] | null;
}

function toStanding({
  kind,
  name,
  references,
  complete,
  holds,
  known,
  ...row
}: StandingRow): ItemStanding {
  const decision =
    row.id === null
      ? undefined
      : {
          approvalId: row.id,
          version: row.version,
          decision: row.decision,
          reason: row.reason,
          actor: row.actor,
          createdAt: row.created_at,
          expiresAt: row.expires_at ?? undefined,
        };
  return {
    kind,
    name,
    references,
    complete,
    decision: holds ? decision : undefined,
    previous: holds ? undefined : decision,
    newReferences: references.filter((reference) => !(known ?? []).includes(reference)),
  };
}
