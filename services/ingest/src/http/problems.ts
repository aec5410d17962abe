import { isCatalogFull, isUnavailable } from "@sluice/catalog";
import { MAX_JSON_BYTES, type Problem, PROBLEMS } from "@sluice/contracts";
import { StoreFullError, StoreUnavailableError } from "@sluice/object-store";
import type { ErrorRequestHandler, Request, Response } from "express";
import { ClientGoneError, ProblemError } from "./problem-error.js";

const RETRY_AFTER = { "Retry-After": "2" };
/** Room is made by people, or by a clean-up, and takes longer than a restart. */
export const RETRY_AFTER_FULL = { "Retry-After": "30" };

/** What a request that failed with this error is answered; `undefined` where nobody is left to answer. */
export function toProblemError(error: unknown): ProblemError | undefined {
  if (error instanceof ProblemError) return error;
  if (error instanceof ClientGoneError) return undefined;
  if (error instanceof StoreFullError) {
    return new ProblemError(
      "insufficient_storage",
      "The object store is full, and nothing was changed. Try again when the operator has made room.",
      { stores: ["objects"], headers: RETRY_AFTER_FULL, cause: error },
    );
  }
  if (error instanceof StoreUnavailableError) {
    return new ProblemError(
      "object_store_unavailable",
      "The object store does not answer, and nothing was changed. Try again in a moment.",
      { dependency: "object_store", headers: RETRY_AFTER, cause: error },
    );
  }
  if (isCatalogFull(error)) {
    return new ProblemError(
      "catalog_unavailable",
      "The catalog's disk is full, and nothing was changed. Try again when the operator has made room.",
      { dependency: "catalog", headers: RETRY_AFTER_FULL, cause: error },
    );
  }
  if (isUnavailable(error)) {
    return new ProblemError(
      "catalog_unavailable",
      "The catalog does not answer. Try again in a moment.",
      {
        dependency: "catalog",
        headers: RETRY_AFTER,
        cause: error,
      },
    );
  }
  if (isHttpError(error)) return ofHttpError(error);
  return new ProblemError(
    "internal_error",
    "The request could not be answered. Try again; if it stays, tell the operator the request_id.",
    { cause: error },
  );
}

/** What express, its router and its body parser throw. */
interface HttpError extends Error {
  readonly status: number;
  readonly type?: string;
}

function isHttpError(error: unknown): error is HttpError {
  return error instanceof Error && "status" in error && typeof error.status === "number";
}

function ofHttpError(error: HttpError): ProblemError | undefined {
  switch (error.type) {
    case "entity.too.large":
      return new ProblemError(
        "body_too_large",
        `The body may have at most ${MAX_JSON_BYTES} bytes.`,
        {
          cause: error,
        },
      );
    case "encoding.unsupported":
      return unsupportedContentEncoding();
    case "request.aborted":
      return undefined;
    default:
      return new ProblemError(
        error.status < 500 ? "malformed_request" : "internal_error",
        error.status < 500
          ? "The path or the body could not be decoded."
          : "The request could not be answered.",
        { cause: error },
      );
  }
}

/** RFC 9110, 15.5.16: `Accept-Encoding` tells which codings would have been taken. */
export function unsupportedContentEncoding(): ProblemError {
  return new ProblemError(
    "unsupported_content_encoding",
    "Send the body without Content-Encoding.",
    {
      headers: { "Accept-Encoding": "identity" },
    },
  );
}

function toProblem(error: ProblemError, req: Request, requestId: string): Problem {
  const { status, title } = PROBLEMS[error.code];
  return {
    type: `/docs/problems#${error.code}`,
    title,
    status,
    detail: error.message,
    instance: req.originalUrl.split("?", 1)[0] ?? "/",
    code: error.code,
    request_id: requestId,
    ...error.members,
  };
}

/** The last handler: turns whatever was thrown into a problem document. */
export const answerProblems: ErrorRequestHandler = (error: unknown, req, res, _next) => {
  const problemError = toProblemError(error);
  if (problemError === undefined || req.socket.destroyed) {
    res.locals.clientGone = true;
    res.destroy();
    return;
  }
  res.locals.problem = problemError.code;
  if (problemError.cause !== undefined) res.locals.cause = problemError.cause;
  if (res.headersSent) {
    // The client sees that the answer is cut off; a second answer would be taken for content.
    res.destroy();
    return;
  }
  sendProblem(problemError, req, res);
};

function sendProblem(error: ProblemError, req: Request, res: Response): void {
  // What the handler had set describes the answer that is not sent.
  for (const name of [
    "ETag",
    "Content-Encoding",
    "Content-Disposition",
    "Repr-Digest",
    "Vary",
    "Location",
  ]) {
    res.removeHeader(name);
  }
  const body = JSON.stringify(toProblem(error, req, res.locals.requestId));
  res
    .status(PROBLEMS[error.code].status)
    .set(error.headers)
    .set("Cache-Control", "no-store")
    .set("Content-Type", "application/problem+json")
    .send(Buffer.from(body));
}
