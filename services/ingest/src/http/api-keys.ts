import { createHash, timingSafeEqual } from "node:crypto";
import type { ApiKey } from "@sluice/runtime";
import type { RequestHandler } from "express";
import { ProblemError } from "./problem-error.js";
import "./locals.js";

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;

/** Who acts where nobody is asked for a key. */
export const NOBODY_ASKED = "local";

/**
 * Lets those through who send one of the keys (RFC 6750), and notes whose it is. Every key is compared,
 * hash against hash, so that the time it takes tells nothing about them.
 */
export function requireApiKey(keys: readonly ApiKey[]): RequestHandler {
  const known = keys.map(({ name, key }) => ({
    digest: digest(key),
    actor: name ?? fingerprint(key),
  }));
  return (req, res, next) => {
    const sent = BEARER.exec(req.get("authorization") ?? "")?.[1];
    const sentDigest = digest(sent ?? "");
    let actor: string | undefined;
    for (const key of known) if (timingSafeEqual(key.digest, sentDigest)) actor = key.actor;
    if (actor !== undefined && sent !== undefined) {
      res.locals.actor = actor;
      return next();
    }
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

/** Tells keys without a name apart, and tells nobody the key. */
function fingerprint(key: string): string {
  return `key:${digest(key).toString("hex").slice(0, 8)}`;
}
