/** What many operations have in common. */
import { z } from "zod";
import type { Answer } from "./operation.js";
import { idempotencyKey } from "./parameters.js";

export const API = "/api/v1";
export const NEEDS_CATALOG = ["catalog_unavailable"] as const;
export const ONE_SCRIPT = ["invalid_id", "script_not_found", ...NEEDS_CATALOG] as const;
export const ONE_VERSION = [...ONE_SCRIPT, "version_not_found"] as const;
export const KEYED = [
  "invalid_header",
  "idempotency_key_in_use",
  "idempotency_key_reused",
] as const;
export const JSON_BODY = [
  "malformed_json",
  "invalid_body",
  "body_too_large",
  "unsupported_media_type",
  "unsupported_content_encoding",
] as const;

/** Of operations that put a policy in force or try it out. */
export const POLICY_PROBLEMS = [
  "invalid_policy",
  "invalid_cursor",
  "malformed_text",
  "body_too_large",
  "unsupported_media_type",
  "unsupported_content_encoding",
  "if_match_required",
  "revision_mismatch",
  ...NEEDS_CATALOG,
] as const;

export const policyIfMatch = z
  .string()
  .optional()
  .describe("ETag of the policy that the change is based on; required but for a dry run");
export const ifNoneMatch = z
  .string()
  .optional()
  .describe("ETag of an earlier answer; 304 where it still holds");
export const ifMatch = z
  .string()
  .optional()
  .describe("ETag of the metadata or the details that the change is based on; required");
export const keyed = z.object({ "idempotency-key": idempotencyKey.optional() });

export const ETAG = { ETag: "Changes with the answer" };
export const NOT_MODIFIED: Answer = { description: "Nothing has changed" };
export const ACCEPTED_HEADERS = { Location: "Path of the status" };
