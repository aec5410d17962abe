import { z } from "zod";
import { legalHold, legalHoldRequest } from "./legal-hold.js";
import type { Operation } from "./operation.js";
import {
  API,
  ETAG,
  ifNoneMatch,
  JSON_BODY,
  NEEDS_CATALOG,
  NOT_MODIFIED,
  ONE_SCRIPT,
  policyIfMatch,
  POLICY_PROBLEMS,
} from "./operation-members.js";
import * as parameters from "./parameters.js";
import {
  retention,
  retentionConfirmation,
  retentionDryRun,
  retentionPolicyList,
  scriptRetention,
  writtenRetentionPolicy,
} from "./retention.js";

/** How long scripts are kept. */
export const RETENTION_OPERATIONS = {
  readRetention: {
    method: "get",
    path: `${API}/retention`,
    tag: "Operations",
    summary: "Read the retention policy in force, and what its last round has done",
    query: parameters.noQuery,
    headers: z.object({ "if-none-match": ifNoneMatch }),
    answers: {
      200: { description: "The policy", headers: ETAG, content: { "application/json": retention } },
      304: NOT_MODIFIED,
    },
    problems: NEEDS_CATALOG,
  },
  updateRetention: {
    method: "put",
    path: `${API}/retention`,
    tag: "Operations",
    summary: "Put a retention policy in force, or see what it would remove",
    description:
      "`dry_run=true` changes nothing and says page by page what would go at this moment; a page may be empty and still not be the last. " +
      "Rules that archive can be tried out and not be put in force yet.",
    query: parameters.policyQuery,
    headers: z.object({ "if-match": policyIfMatch }),
    body: "policy",
    answers: {
      200: { description: "What would go", content: { "application/json": retentionDryRun } },
      202: {
        description: "It is in force; the next round goes by it",
        headers: ETAG,
        content: { "application/json": retention },
      },
    },
    problems: POLICY_PROBLEMS,
  },
  listRetentionPolicies: {
    method: "get",
    path: `${API}/retention_policies`,
    tag: "Operations",
    summary: "List the retention policies that were ever in force, the latest first",
    query: parameters.pageQuery,
    answers: {
      200: { description: "One page", content: { "application/json": retentionPolicyList } },
    },
    problems: ["invalid_cursor", ...NEEDS_CATALOG],
  },
  readWrittenRetentionPolicy: {
    method: "get",
    path: `${API}/retention_policies/{id}`,
    tag: "Operations",
    summary: "Read a retention policy that is or was in force, as it was written",
    params: parameters.policyPath,
    query: parameters.noQuery,
    answers: {
      200: { description: "The policy", content: { "application/json": writtenRetentionPolicy } },
    },
    problems: ["invalid_id", "policy_not_found", ...NEEDS_CATALOG],
  },
  confirmRetention: {
    method: "post",
    path: `${API}/retention/confirm`,
    tag: "Operations",
    summary: "Let the clean-up go on where it has stopped for safety",
    description: "Holds for one round, and for about as much as would have gone then.",
    query: parameters.noQuery,
    body: retentionConfirmation,
    answers: {
      200: { description: "It goes on", content: { "application/json": retention } },
    },
    problems: ["not_paused", ...JSON_BODY, ...NEEDS_CATALOG],
  },
  readScriptRetention: {
    method: "get",
    path: `${API}/scripts/{id}/retention`,
    tag: "Scripts",
    summary: "See why a script or a version of it was deleted or archived, and what becomes of it",
    description: "Also of scripts that are in the trash, or long gone.",
    params: parameters.scriptPath,
    query: parameters.retentionQuery,
    answers: {
      200: {
        description: "What was done, what will be and when, and what protects it",
        content: { "application/json": scriptRetention },
      },
    },
    problems: ["invalid_cursor", ...ONE_SCRIPT, "version_not_found"],
  },
  readLegalHold: {
    method: "get",
    path: `${API}/scripts/{id}/legal_hold`,
    tag: "Scripts",
    summary: "Read the legal hold that a script is under",
    params: parameters.scriptPath,
    query: parameters.noQuery,
    answers: { 200: { description: "The hold", content: { "application/json": legalHold } } },
    problems: ["no_legal_hold", ...ONE_SCRIPT],
  },
  placeLegalHold: {
    method: "put",
    path: `${API}/scripts/{id}/legal_hold`,
    tag: "Scripts",
    summary: "Put a script under legal hold",
    description:
      "Nothing and nobody deletes or archives it until the hold is lifted, also where it is in the trash. Again with another reason changes the reason.",
    params: parameters.scriptPath,
    query: parameters.noQuery,
    body: legalHoldRequest,
    answers: {
      200: { description: "The hold that stood", content: { "application/json": legalHold } },
      201: { description: "The hold", content: { "application/json": legalHold } },
    },
    problems: [...JSON_BODY, ...ONE_SCRIPT],
  },
  liftLegalHold: {
    method: "delete",
    path: `${API}/scripts/{id}/legal_hold`,
    tag: "Scripts",
    summary: "Lift the legal hold of a script",
    params: parameters.scriptPath,
    query: parameters.noQuery,
    answers: { 204: { description: "Lifted" } },
    problems: ["no_legal_hold", ...ONE_SCRIPT],
  },
} as const satisfies Record<string, Operation>;
