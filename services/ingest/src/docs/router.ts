import { fileURLToPath } from "node:url";
import { Router } from "express";
import { API_PAGE, PROBLEMS_PAGE, START_SCRIPT } from "./pages.js";

const FILES = {
  "swagger-ui.css": import.meta.resolve("swagger-ui-dist/swagger-ui.css"),
  "swagger-ui-bundle.js": import.meta.resolve("swagger-ui-dist/swagger-ui-bundle.js"),
  "favicon-32x32.png": import.meta.resolve("swagger-ui-dist/favicon-32x32.png"),
};

/** Scripts, styles and requests of this server only, and no inline script. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** `/docs`: the API to read and to try, and what its problems mean. */
export function docsRouter(): Router {
  const router = Router({ caseSensitive: true });
  router.use("/docs", (_req, res, next) => {
    res.locals.route = "/docs";
    res.set("Content-Security-Policy", POLICY).set("Cache-Control", "no-cache");
    next();
  });
  router.get("/docs", (_req, res) => void res.type("html").send(API_PAGE));
  router.get("/docs/problems", (_req, res) => void res.type("html").send(PROBLEMS_PAGE));
  router.get("/docs/start.js", (_req, res) => void res.type("js").send(START_SCRIPT));
  for (const [file, url] of Object.entries(FILES)) {
    const path = fileURLToPath(url);
    router.get(`/docs/${file}`, (_req, res, next) => {
      res.sendFile(path, (error?: Error) => {
        // A client that went away in the middle is no error of ours.
        if (error !== undefined && !res.headersSent) next(error);
      });
    });
  }
  return router;
}
