import {
  countOutdated,
  listPolicies as queryPolicies,
  readPolicyInForce,
  readStoredPolicy,
  type StoredPolicy,
} from "@sluice/catalog";
import type {
  PolicyDryRun,
  PolicyInForce,
  PolicyList,
  PolicySummary,
  WrittenPolicy,
} from "@sluice/contracts";
import { dryRun, EffectivePolicies, ensurePolicy, putInForce } from "@sluice/policies";
import { parsePolicyDocument, type PolicyDocument } from "@sluice/python-analysis";
import type { Response } from "express";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { ProblemError } from "../http/problem-error.js";
import { readPolicyBody } from "../http/read-policy.js";
import { route, type Route } from "../http/route.js";
import { sendTagged } from "../http/send-json.js";
import { namesRevision, revisionTag } from "../revision.js";

type PolicyDependencies = Pick<Dependencies, "catalog" | "policyFile">;

export function readPolicy(deps: PolicyDependencies): Route {
  return route("readPolicy", async ({ req, res }) => {
    const policy = await inForce(deps);
    sendTagged(req, res, await toPolicy(deps, policy), { tag: revisionTag(policy.id) });
  });
}

export function listPolicies({ catalog }: Dependencies): Route {
  return route("listPolicies", async ({ query, res }) => {
    const of = { list: "policies" };
    const page = await queryPolicies(catalog, {
      before:
        query.cursor === undefined
          ? undefined
          : decodeCursor(query.cursor, of, z.int().min(1).max(2_147_483_647)),
      limit: query.limit,
    });
    const body: PolicyList = {
      items: page.items.map(toSummary),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}

export function readWrittenPolicy({ catalog }: Dependencies): Route {
  return route("readWrittenPolicy", async ({ params: { id }, res }) => {
    const policy = await readStoredPolicy(catalog, id);
    if (policy === undefined)
      throw new ProblemError("policy_not_found", `There never was a policy ${id} here.`);
    const body: WrittenPolicy = { ...toSummary(policy), source: policy.source };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}

export function updatePolicy(deps: Dependencies): Route {
  const effective = new EffectivePolicies(deps.catalog);
  return route("updatePolicy", async ({ query, req, res }) => {
    const ifMatch = req.get("if-match");
    if (!query.dry_run && ifMatch === undefined) {
      throw new ProblemError(
        "if_match_required",
        "Send `If-Match` with the ETag of the policy that you read, or `dry_run=true`.",
      );
    }
    const { document, source } = await readPolicyBody(req, res, parsePolicyDocument);
    await inForce(deps);
    if (query.dry_run) {
      const body = await tryOut(deps, effective, document, query, res);
      res.set("Cache-Control", "no-store").json(body);
      return;
    }
    const { kind, policy } = await putInForce(deps.catalog, {
      document,
      source,
      by: res.locals.actor,
      isExpected: (id) => namesRevision(ifMatch ?? "", id),
    });
    if (kind === "conflict") {
      throw new ProblemError(
        "revision_mismatch",
        "Another policy has come into force since you read it. Read it again, and send its ETag.",
      );
    }
    const { log } = res.locals;
    if (kind === "activated")
      log.info({ policy: policy.version, policy_id: policy.id }, "a policy came into force");
    const text = JSON.stringify(await toPolicy(deps, policy));
    res
      .status(202)
      .set("ETag", revisionTag(policy.id)(text))
      .set("Cache-Control", "private, no-cache")
      .set("Content-Type", "application/json")
      .send(Buffer.from(text));
  });
}

async function tryOut(
  { catalog }: Dependencies,
  effective: EffectivePolicies,
  document: PolicyDocument,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  res: Response,
): Promise<PolicyDryRun> {
  const of = { policy: document.version };
  const after = cursor === undefined ? undefined : decodeCursor(cursor, of, z.uuid());
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  const { counts, changes, next } = await dryRun(catalog, effective, {
    document,
    after,
    limit,
    signal: gone.signal,
  });
  return {
    version: document.version,
    counts: counts ? { ...counts, transitions: [...counts.transitions] } : null,
    items: changes.map(({ version, to, reasons }) => ({
      script_id: version.scriptId,
      version: version.version,
      namespace: version.namespace,
      filename: version.filename,
      from: version.state,
      to,
      reasons: [...reasons],
    })),
    next_cursor: next === undefined ? null : encodeCursor(next, of),
  };
}

/** Where no worker has started yet, nobody has seen to it that there is one. */
async function inForce({ catalog, policyFile }: PolicyDependencies): Promise<StoredPolicy> {
  return (await readPolicyInForce(catalog)) ?? (await ensurePolicy(catalog, policyFile));
}

async function toPolicy(
  { catalog }: PolicyDependencies,
  policy: StoredPolicy,
): Promise<PolicyInForce> {
  const { judged, underWay } = await countOutdated(catalog, policy.id);
  return { ...toSummary(policy), source: policy.source, outdated: judged, under_way: underWay };
}

function toSummary(policy: StoredPolicy): PolicySummary {
  return {
    id: policy.id,
    name: policy.name,
    version: policy.version,
    activated_at: policy.activatedAt.toISOString(),
    activated_by: policy.activatedBy,
    applied_at: policy.appliedAt?.toISOString() ?? null,
    judged: policy.judged,
    changed: policy.changed,
  };
}
