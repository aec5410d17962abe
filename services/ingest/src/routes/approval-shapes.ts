/** What people decided on, as the API shows it. */
import {
  type Approval as Row,
  type Catalog,
  type DecisionOnItem,
  type ItemStanding,
  readStanding,
} from "@sluice/catalog";
import type { Approval, ApprovalStanding, AskedItem, ItemDecision } from "@sluice/contracts";
import type { Verdict } from "@sluice/pipeline";

export function toApproval(row: Row): Approval {
  const { items, expiresAt } = row;
  return {
    approval_id: row.approvalId,
    script_id: row.scriptId,
    version: row.version,
    sha256: row.sha256,
    decision: row.decision,
    capabilities: ofKind(items, "capability").map(({ name, references }) => ({
      capability: name,
      references: [...references],
    })),
    imports: ofKind(items, "import").map(({ name }) => name),
    reason: row.reason,
    actor: row.actor,
    created_at: row.createdAt.toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
    expired: expiresAt !== undefined && expiresAt.getTime() <= Date.now(),
  };
}

/** How what a version asks for stands; `null` where a person has nothing to say about it. */
export async function standingOf(
  catalog: Catalog,
  { versionId, verdict }: { readonly versionId: string; readonly verdict: Verdict | undefined },
): Promise<ApprovalStanding | null> {
  if (verdict !== "needs_approval") return null;
  const items = await readStanding(catalog, versionId);
  return {
    asked: {
      capabilities: undecided(items, "capability").map((item) => ({
        capability: item.name,
        references: [...item.references],
        new_references: [...item.newReferences],
        previously: toDecision(item.previous),
      })),
      imports: undecided(items, "import").map(({ name, previous }) => ({
        module: name,
        previously: toDecision(previous),
      })),
    },
    granted: decided(items, "granted"),
    refused: decided(items, "refused"),
  };
}

function ofKind<Item extends AskedItem>(items: readonly Item[], kind: AskedItem["kind"]): Item[] {
  return items.filter((item) => item.kind === kind);
}

function undecided(items: readonly ItemStanding[], kind: AskedItem["kind"]): ItemStanding[] {
  return ofKind(items, kind).filter(({ decision }) => decision === undefined);
}

function decided(
  items: readonly ItemStanding[],
  as: DecisionOnItem["decision"],
): ApprovalStanding["granted"] {
  const found = items.flatMap(({ decision, ...item }) =>
    decision?.decision === as ? [{ ...item, decision: toDecision(decision) }] : [],
  );
  return {
    capabilities: ofKind(found, "capability").map(({ name, references, decision }) => ({
      capability: name,
      references: [...references],
      decision,
    })),
    imports: ofKind(found, "import").map(({ name, decision }) => ({ module: name, decision })),
  };
}

function toDecision(decision: DecisionOnItem): ItemDecision;
function toDecision(decision: DecisionOnItem | undefined): ItemDecision | null;
function toDecision(decision: DecisionOnItem | undefined): ItemDecision | null {
  if (decision === undefined) return null;
  return {
    approval_id: decision.approvalId,
    version: decision.version,
    decision: decision.decision,
    reason: decision.reason,
    actor: decision.actor,
    created_at: decision.createdAt.toISOString(),
    expires_at: decision.expiresAt?.toISOString() ?? null,
  };
}
