import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";
import { ProblemError } from "./problem-error.js";

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;

/**
 * Lets those through who send one of the keys (RFC 6750). Every key is compared, hash against hash, so
 * that the time it takes tells nothing about them.
 */
export function requireApiKey(keys: readonly string[]): RequestHandler {
  const digests = keys.map(digest);
  return (req, _res, next) => {
    const sent = BEARER.exec(req.get("authorization") ?? "")?.[1];
    const sentDigest = digest(sent ?? "");
    let known = false;
    for (const key of digests) known = timingSafeEqual(key, sentDigest) || known;
    if (known && sent !== undefined) return next();
    throw new ProblemError(
      "unauthorized",
      sent === undefined
        ? "Send `Authorization: Bearer KEY`."
        : "The API key that was sent is not known.",
      {
        headers: {
          "WWW-Authenticate": `Bearer realm="sluice"${sent === undefined ? "" : ', error="invalid_token"'}`,
        },
      },
    );
  };
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
