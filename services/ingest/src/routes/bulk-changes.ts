import { createHash } from "node:crypto";
import {
  type BulkChangeRow,
  cancelBulkChange as cancel,
  listBulkChangeFailures as queryFailures,
  listBulkChanges as queryChanges,
  previewBulkChange,
  readBulkChange as queryChange,
  type Selection,
  startBulkChange as start,
} from "@sluice/catalog";
import {
  type BulkChange,
  type BulkChangeFailures,
  type BulkChangeList,
  type BulkChangePreview,
  type BulkChangeRequest,
  bulkChangeRequest,
  whyNotInChange,
} from "@sluice/contracts";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { ProblemError } from "../http/problem-error.js";
import { readJson } from "../http/read-json.js";
import { check, route, type Route } from "../http/route.js";
import { once, readIdempotencyKey } from "../idempotency.js";

const EXAMINED = 1_000;
const SAMPLE = 20;

export function startBulkChange({ catalog, claims }: Dependencies): Route {
  return route("startBulkChange", async ({ query, req, res }) => {
    const key = readIdempotencyKey(req);
    const body = await readJson(req, res);
    const request = check(bulkChangeRequest, body, "body", undefined, whyNotInChange);
    if (query.dry_run) {
      const { selection, outlooks } = await previewBulkChange(catalog, request, EXAMINED);
      const failing = outlooks.filter(({ failure }) => failure !== undefined);
      const changing = outlooks.filter(({ changes }) => changes.length > 0);
      const preview: BulkChangePreview = {
        selected: selection.count,
        examined: outlooks.length,
        would_change: changing.length,
        unchanged: outlooks.length - changing.length - failing.length,
        would_fail: failing.length,
        sample: [...failing.slice(0, SAMPLE / 2), ...changing].slice(0, SAMPLE).map((item) => ({
          script_id: item.scriptId,
          namespace: item.namespace,
          filename: item.filename,
          changes: [...item.changes],
          failure: item.failure ?? null,
        })),
      };
      res.set("ETag", toTag(selection, request)).set("Cache-Control", "no-store").json(preview);
      return;
    }

    const ifMatch = req.get("if-match");
    if (ifMatch === undefined) {
      throw new ProblemError(
        "if_match_required",
        "Send the request with `dry_run=true` first, then send the ETag of its answer in `If-Match`.",
      );
    }
    const { actor } = res.locals;
    const changeId = await once(
      claims,
      {
        key,
        identity: ["startBulkChange", request, ifMatch, actor],
        replay: (recorded) => (recorded as { change_id: string }).change_id,
        res,
      },
      async (idempotency) => {
        const selection = fromTag(ifMatch, request);
        const begun =
          selection && (await start(catalog, { request, selection, actor, idempotency }));
        if (begun) return begun.changeId;
        throw new ProblemError(
          "preview_outdated",
          "What the filter selects, or what is to be changed, is not what that dry run was about. Make another one.",
        );
      },
    );
    const answer = toBody(await find({ catalog }, changeId));
    res
      .status(202)
      .set("Location", answer.status_url)
      .set("Cache-Control", "no-store")
      .json(answer);
  });
}

export function listBulkChanges({ catalog }: Dependencies): Route {
  return route("listBulkChanges", async ({ query, res }) => {
    const of = { list: "bulk changes" };
    const { cursor, limit } = query;
    const before = cursor === undefined ? undefined : decodeCursor(cursor, of, z.uuid());
    const page = await queryChanges(catalog, { before, limit });
    const body: BulkChangeList = {
      items: page.items.map(toBody),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}

export function readBulkChange(deps: Dependencies): Route {
  return route("readBulkChange", async ({ params, res }) => {
    res.set("Cache-Control", "private, no-cache").json(toBody(await find(deps, params.id)));
  });
}

export function listBulkChangeFailures(deps: Dependencies): Route {
  return route("listBulkChangeFailures", async ({ params, query, res }) => {
    const of = { failures: params.id };
    const { cursor, limit } = query;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, of, z.uuid());
    await find(deps, params.id);
    const page = await queryFailures(deps.catalog, { changeId: params.id, after, limit });
    const body: BulkChangeFailures = {
      items: page.items.map(({ scriptId, reason, message }) => ({
        script_id: scriptId,
        reason,
        message,
      })),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}

export function cancelBulkChange({ catalog }: Dependencies): Route {
  return route("cancelBulkChange", async ({ params, res }) => {
    const change = await cancel(catalog, { changeId: params.id, actor: res.locals.actor });
    if (change === undefined) throw notFound(params.id);
    if (change.state !== "cancelled") {
      throw new ProblemError(
        "change_over",
        `It is ${change.state}, and changed ${change.changed}.`,
      );
    }
    res.set("Cache-Control", "no-store").json(toBody(change));
  });
}

async function find(
  { catalog }: Pick<Dependencies, "catalog">,
  id: string,
): Promise<BulkChangeRow> {
  const change = await queryChange(catalog, id);
  if (change === undefined) throw notFound(id);
  return change;
}

function notFound(id: string): ProblemError {
  return new ProblemError("change_not_found", `There is no bulk change ${id}.`);
}

function toTag({ at, count, digest }: Selection, request: BulkChangeRequest): string {
  return `"${at};${count};${digest};${hashOf(request)}"`;
}

const TAG = /^\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z);(\d{1,9});(-?\d{1,20});([\w-]+)"\s*$/;

/** What was selected; `undefined` where the tag is none of these, or another request's. */
function fromTag(ifMatch: string, request: BulkChangeRequest): Selection | undefined {
  const [, at = "", count = "", digest = "", hash] = TAG.exec(ifMatch) ?? [];
  if (hash !== hashOf(request) || !z.iso.datetime().safeParse(at).success) return undefined;
  return { at, count: Number(count), digest };
}

function hashOf(request: BulkChangeRequest): string {
  return createHash("sha256").update(JSON.stringify(request)).digest("base64url").slice(0, 22);
}

function toBody(row: BulkChangeRow): BulkChange {
  return {
    change_id: row.changeId,
    state: row.state,
    request: row.request,
    selected: row.selected,
    changed: row.changed,
    unchanged: row.unchanged,
    failed: row.failed,
    left: row.selected - row.changed - row.unchanged - row.failed,
    created_by: row.createdBy,
    created_at: row.createdAt.toISOString(),
    cancelled_by: row.cancelledBy ?? null,
    finished_at: row.finishedAt?.toISOString() ?? null,
    status_url: `/api/v1/metadata/changes/${row.changeId}`,
  };
}
