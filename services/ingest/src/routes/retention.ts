import {
  activateRetentionPolicy,
  confirmRetention as confirm,
  type HistoricPolicy,
  listRetentionPolicies as queryPolicies,
  readClock,
  readRetentionPolicy,
  readRetentionPolicyInForce,
  readRetentionState,
} from "@sluice/catalog";
import {
  type Retention,
  retentionConfirmation,
  type RetentionDryRun,
  type RetentionPolicyList,
  type WrittenRetentionPolicy,
} from "@sluice/contracts";
import { dryRun, parseRetentionPolicy, type RetentionPolicy } from "@sluice/retention";
import type { Response } from "express";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { ProblemError } from "../http/problem-error.js";
import { readJson } from "../http/read-json.js";
import { readPolicyBody } from "../http/read-policy.js";
import { check, route, type Route } from "../http/route.js";
import { sendTagged } from "../http/send-json.js";
import { namesRevision, revisionTag } from "../revision.js";

type RetentionDependencies = Pick<Dependencies, "catalog">;

export function readRetention(deps: RetentionDependencies): Route {
  return route("readRetention", async ({ req, res }) => {
    const { id, body } = await standing(deps);
    sendTagged(req, res, body, { tag: revisionTag(id) });
  });
}

export function listRetentionPolicies({ catalog }: RetentionDependencies): Route {
  return route("listRetentionPolicies", async ({ query, res }) => {
    const of = { list: "retention_policies" };
    const page = await queryPolicies(catalog, {
      before:
        query.cursor === undefined
          ? undefined
          : decodeCursor(query.cursor, of, z.int().min(1).max(2_147_483_647)),
      limit: query.limit,
    });
    const body: RetentionPolicyList = {
      items: page.items.map(toHistoric),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}

export function readWrittenRetentionPolicy({ catalog }: RetentionDependencies): Route {
  return route("readWrittenRetentionPolicy", async ({ params: { id }, res }) => {
    const policy = await readRetentionPolicy(catalog, id);
    if (policy === undefined)
      throw new ProblemError("policy_not_found", `There never was a retention policy ${id} here.`);
    const body: WrittenRetentionPolicy = { ...toHistoric(policy), source: policy.source };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}

export function updateRetention(deps: RetentionDependencies): Route {
  return route("updateRetention", async ({ query, req, res }) => {
    const ifMatch = req.get("if-match");
    if (!query.dry_run && ifMatch === undefined) {
      throw new ProblemError(
        "if_match_required",
        "Send `If-Match` with the ETag of the retention policy that you read, or `dry_run=true`.",
      );
    }
    const { document, source } = await readPolicyBody(req, res, parseRetentionPolicy);
    if (query.dry_run) {
      const body = await tryOut(deps, document, query, res);
      res.set("Cache-Control", "no-store").json(body);
      return;
    }
    const { name, version } = document;
    let expected = false;
    const { activated } = await activateRetentionPolicy(
      deps.catalog,
      { name, version, source, activatedBy: res.locals.actor },
      (current) => {
        expected = namesRevision(ifMatch ?? "", current?.id ?? 0);
        return expected && (current?.version !== version || current.source !== source);
      },
    );
    if (!expected) {
      throw new ProblemError(
        "revision_mismatch",
        "Another retention policy has come into force since you read it. Read it again, and send its ETag.",
      );
    }
    const { id, body } = await standing(deps);
    if (activated) {
      const { log } = res.locals;
      log.info({ retention: version, policy_id: id }, "a retention policy came into force");
    }
    const text = JSON.stringify(body);
    res
      .status(202)
      .set("ETag", revisionTag(id)(text))
      .set("Cache-Control", "private, no-cache")
      .set("Content-Type", "application/json")
      .send(Buffer.from(text));
  });
}

export function confirmRetention(deps: RetentionDependencies): Route {
  return route("confirmRetention", async ({ req, res }) => {
    const request = check(retentionConfirmation, await readJson(req, res), "body");
    const { actor } = res.locals;
    const ended = await confirm(deps.catalog, {
      pauseId: request.pause_id,
      actor,
      reason: request.reason,
    });
    if (ended === undefined)
      throw new ProblemError("not_paused", "Clean-up is not paused, or for another reason by now.");
    const { body } = await standing(deps);
    res.set("Cache-Control", "no-store").json(body);
  });
}

const position = z.strictObject({
  /** The moment that the first page looked at. */
  now: z.int().min(0),
  script: z.uuid(),
  item: z.int().min(1).optional(),
});

async function tryOut(
  { catalog }: RetentionDependencies,
  policy: RetentionPolicy,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  res: Response,
): Promise<RetentionDryRun> {
  const of = { retention: policy.version };
  const from = cursor === undefined ? undefined : decodeCursor(cursor, of, position);
  const now = from?.now ?? (await readClock(catalog)).getTime();
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  const { counts, items, next } = await dryRun(catalog, {
    policy,
    now,
    after: from,
    limit,
    signal: gone.signal,
  });
  return {
    version: policy.version,
    at: new Date(now).toISOString(),
    counts: {
      scripts: counts.scripts,
      versions: counts.versions,
      scripts_deleted: counts.scriptsDeleted,
      versions_deleted: counts.versionsDeleted,
      versions_archived: counts.versionsArchived,
      freed_bytes: counts.freedBytes,
      archived_bytes: counts.archivedBytes,
    },
    items: items.map((item) => ({
      script_id: item.scriptId,
      namespace: item.namespace,
      filename: item.filename,
      version: item.version ?? null,
      action: item.action,
      rule: item.rule,
    })),
    next_cursor: next === undefined ? null : encodeCursor({ now, ...next }, of),
  };
}

async function standing({
  catalog,
}: RetentionDependencies): Promise<{ readonly id: number; readonly body: Retention }> {
  const policy = await readRetentionPolicyInForce(catalog);
  const { pause, lastRound: round } = await readRetentionState(catalog);
  const body: Retention = {
    policy: policy ? { ...toHistoric(policy), source: policy.source } : null,
    pause: pause
      ? {
          id: pause.id,
          at: pause.at,
          reason: pause.reason,
          message: pause.message,
          removals: pause.removals ?? null,
          of: pause.of ?? null,
        }
      : null,
    last_round: round
      ? {
          policy_id: round.policyId,
          started_at: round.startedAt,
          finished_at: round.finishedAt,
          versions: round.versions,
          scripts_deleted: round.scriptsDeleted,
          versions_deleted: round.versionsDeleted,
          versions_archived: round.versionsArchived,
          left: round.left,
        }
      : null,
  };
  return { id: policy?.id ?? 0, body };
}

function toHistoric(policy: HistoricPolicy): RetentionPolicyList["items"][number] {
  return {
    id: policy.id,
    name: policy.name,
    version: policy.version,
    activated_at: policy.activatedAt.toISOString(),
    activated_by: policy.activatedBy,
  };
}
