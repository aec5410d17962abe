import type { Logger } from "@sluice/runtime";
import type { RequestHandler } from "express";
import type { IngestMetrics } from "../metrics.js";
import { NOBODY_ASKED } from "./api-keys.js";
import { requestId } from "./request-id.js";
import "./locals.js";

const INSUFFICIENT_STORAGE = 507;

// Asked for every few seconds by machines, or by the dozen for one page; their lines would drown the others.
const QUIET = new Set(["/livez", "/readyz", "/metrics", "/docs"]);

/**
 * Gives the request its id and its log, and when it is over writes its one line and its metrics. What
 * was sent and what was answered are in neither.
 */
export function begin(log: Logger, metrics: IngestMetrics): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    const id = requestId(req.get("x-request-id"));
    res.locals.requestId = id;
    res.locals.log = log.child({ request_id: id });
    res.locals.route = "unknown";
    res.locals.actor = NOBODY_ASKED;
    res.locals.about = {};
    res.set("X-Request-Id", id);

    res.once("close", () => {
      const seconds = (performance.now() - startedAt) / 1000;
      const { route, problem, cause, about, clientGone } = res.locals;
      const gone = clientGone === true || !res.writableFinished;
      const status = gone ? "gone" : String(res.statusCode);
      metrics.requestSeconds.observe({ method: req.method, route, status }, seconds);

      const line = {
        method: req.method,
        path: req.path,
        ...(gone ? { client_gone: true } : { status: res.statusCode }),
        duration_ms: Math.round(seconds * 1000),
        ...(problem !== undefined && { problem }),
        ...about,
      };
      if (!gone && res.statusCode === INSUFFICIENT_STORAGE) {
        // The store itself is told of as an error, once.
        res.locals.log.warn(line, "request refused");
      } else if (!gone && res.statusCode >= 500) {
        res.locals.log.error({ ...line, err: cause }, "request failed");
      } else {
        res.locals.log[QUIET.has(route) ? "debug" : "info"](line, "request");
      }
    });
    next();
  };
}
