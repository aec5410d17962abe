/** `Idempotency-Key`: draft-ietf-httpapi-idempotency-key-header. */
import { createHash } from "node:crypto";
import { idempotencyKey } from "@sluice/contracts";
import type { Request, Response } from "express";
import { ProblemError } from "./http/problem-error.js";
import { check } from "./http/route.js";
import type { KeyClaims } from "./key-claims.js";

/** A key with what its request was: recorded together with the answer. */
export interface KeyedRequest {
  readonly key: string;
  readonly fingerprint: string;
}

/** The request's key, checked; `undefined` where it has none. @throws {@link ProblemError} */
export function readIdempotencyKey(req: Request): string | undefined {
  const header = req.get("idempotency-key");
  return header === undefined
    ? undefined
    : check(idempotencyKey, header, "header", "Idempotency-Key");
}

/**
 * Does the work once for each key. Work that succeeds records its answer in its own transaction, by
 * the keyed request it is given; work that fails gives the key back.
 *
 * @param identity - all that makes the request what it is
 * @param replay - makes the first result of what the work recorded
 * @throws {@link ProblemError} where the key is another request's, or its first request is under way
 */
export async function once<Result>(
  claims: KeyClaims,
  {
    key,
    identity,
    replay,
    res,
  }: {
    key: string | undefined;
    identity: readonly unknown[];
    replay: (recorded: unknown) => Result;
    res: Response;
  },
  work: (keyed: KeyedRequest | undefined) => Promise<Result>,
): Promise<Result> {
  if (key === undefined) return work(undefined);
  const fingerprint = createHash("sha256").update(JSON.stringify(identity)).digest("hex");
  const { claim, release } = await claims.claim({ key, fingerprint });
  switch (claim.kind) {
    case "mismatch":
      throw new ProblemError(
        "idempotency_key_reused",
        "The first request with this Idempotency-Key was another one. Use a new key for each request that is not a retry.",
      );
    case "in_progress":
      throw new ProblemError(
        "idempotency_key_in_use",
        "The first request with this Idempotency-Key is still under way. Try again in a moment.",
        { headers: { "Retry-After": "1" } },
      );
    case "replay":
      res.set("Idempotency-Replayed", "true");
      return replay(claim.recorded);
    case "new":
      break;
  }
  try {
    return await work({ key, fingerprint });
  } catch (error) {
    await release();
    throw error;
  }
}
