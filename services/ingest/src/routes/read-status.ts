import type { StatusRef } from "@sluice/catalog";
import type { Status } from "@sluice/contracts";
import { isFinal } from "@sluice/pipeline";
import type { Request, Response } from "express";
import type { Dependencies } from "../dependencies.js";
import { entityTag, isKnown } from "../http/entity-tag.js";
import { ClientGoneError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { sendTagged } from "../http/send-json.js";
import { notFound } from "./find.js";

export function readStatus(deps: Dependencies): Route {
  return route("readStatus", ({ params, query, req, res }) =>
    sendStatus(deps, { scriptId: params.id, version: query.version }, query.wait, req, res),
  );
}

export function readVersionStatus(deps: Dependencies): Route {
  return route("readVersionStatus", ({ params, query, req, res }) =>
    sendStatus(deps, { scriptId: params.id, version: params.n }, query.wait, req, res),
  );
}

async function sendStatus(
  { catalog, statuses, watch }: Dependencies,
  ref: StatusRef,
  waitSeconds: number,
  req: Request,
  res: Response,
): Promise<void> {
  Object.assign(res.locals.about, { script_id: ref.scriptId, version: ref.version });
  const now = await statuses.read(ref);
  if (now === undefined) throw await notFound(catalog, ref);

  const known = req.get("if-none-match");
  const isNews = (status: Status): boolean =>
    known === undefined
      ? isFinal(status.state)
      : !isKnown(known, entityTag(JSON.stringify(status)));
  const status = waitSeconds === 0 || isNews(now) ? now : await waitForNews(now);
  if (status === undefined) throw await notFound(catalog, ref);
  sendTagged(req, res, status);

  async function waitForNews(latest: Status): Promise<Status | undefined> {
    const gone = new AbortController();
    const abort = (): void => gone.abort();
    res.once("close", abort);
    const news = await watch.wait(ref, latest, isNews, {
      timeoutMs: waitSeconds * 1000,
      signal: gone.signal,
    });
    res.off("close", abort);
    if (gone.signal.aborted) throw new ClientGoneError();
    return news;
  }
}
