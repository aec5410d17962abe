import { MERGE_PATCH_TYPE } from "@sluice/contracts";
import express, { type Express, type RequestHandler, Router } from "express";
import type { Dependencies } from "./dependencies.js";
import { docsRouter } from "./docs/router.js";
import { requireApiKey } from "./http/api-keys.js";
import { begin } from "./http/begin.js";
import { ProblemError } from "./http/problem-error.js";
import { answerProblems } from "./http/problems.js";
import type { Route } from "./http/route.js";
import { createRoutes } from "./routes/index.js";

/** The HTTP API: every operation of the contracts, the page that shows them, and problems for the rest. */
export function createApp(deps: Dependencies): Express {
  const app = express();
  app.disable("x-powered-by");
  // Entity tags are set where they mean something.
  app.disable("etag");
  app.set("query parser", "simple");
  app.set("case sensitive routing", true);

  const routes = createRoutes(deps);
  const open = routes.filter(({ operation }) => operation.open === true);
  const guarded = routes.filter(({ operation }) => operation.open !== true);

  app.use(begin(deps.log, deps.counters));
  app.use(setHeaders);
  app.use(docsRouter());
  app.use(toRouter(open));
  if (deps.apiKeys.length > 0) app.use(requireApiKey(deps.apiKeys));
  app.use(toRouter(guarded));
  app.use((req) => {
    throw new ProblemError(
      "not_found",
      `There is nothing at ${req.path.slice(0, 200)}. See /openapi.json.`,
    );
  });
  app.use(answerProblems);
  return app;
}

/** What is served is data: no browser is to run or guess at any of it. `/docs` has a policy of its own. */
const setHeaders: RequestHandler = (_req, res, next) => {
  res
    .set("X-Content-Type-Options", "nosniff")
    .set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
    .set("Referrer-Policy", "no-referrer");
  next();
};

function toRouter(routes: readonly Route[]): Router {
  const router = Router({ caseSensitive: true });
  for (const path of new Set(routes.map(({ operation }) => operation.path))) {
    const ofPath = routes.filter(({ operation }) => operation.path === path);
    const at = router.route(path.replaceAll(/\{(\w+)\}/g, ":$1"));
    at.all((_req, res, next) => {
      res.locals.route = path;
      next();
    });
    for (const { operation, handle } of ofPath) at[operation.method](handle);
    const allowed = allowedMethods(ofPath);
    const patched = ofPath.some(({ operation }) => operation.method === "patch");
    at.options((_req, res) => {
      if (patched) res.set("Accept-Patch", MERGE_PATCH_TYPE);
      res.status(204).set("Allow", allowed).end();
    });
    at.all((req) => {
      throw new ProblemError(
        "method_not_allowed",
        `${req.method} is not a method of ${path}; ${allowed} are.`,
        {
          headers: { Allow: allowed },
        },
      );
    });
  }
  return router;
}

function allowedMethods(routes: readonly Route[]): string {
  const methods = routes.map(({ operation }) => operation.method.toUpperCase());
  return [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
}
