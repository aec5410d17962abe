import { z } from "zod";
import type { Operation } from "./operation.js";
import {
  API,
  ETAG,
  ifNoneMatch,
  NEEDS_CATALOG,
  NOT_MODIFIED,
  POLICY_PROBLEMS,
  policyIfMatch,
} from "./operation-members.js";
import * as parameters from "./parameters.js";
import { policyDryRun, policyInForce, policyList, writtenPolicy } from "./policies.js";

/** What scripts are judged by. */
export const POLICY_OPERATIONS = {
  readPolicy: {
    method: "get",
    path: `${API}/policy`,
    tag: "Policy",
    summary: "Read the policy in force, and how far what is stored stands by it",
    query: parameters.noQuery,
    headers: z.object({ "if-none-match": ifNoneMatch }),
    answers: {
      200: {
        description: "The policy",
        headers: ETAG,
        content: { "application/json": policyInForce },
      },
      304: NOT_MODIFIED,
    },
    problems: NEEDS_CATALOG,
  },
  updatePolicy: {
    method: "put",
    path: `${API}/policy`,
    tag: "Policy",
    summary: "Put a policy in force, or see what it would change",
    description:
      "Scripts that come after the answer are judged by it; what is stored follows, and nothing is parsed again. " +
      "`dry_run=true` changes nothing and says which stored versions would change state.",
    query: parameters.policyQuery,
    headers: z.object({
      "if-match": policyIfMatch,
    }),
    body: "policy",
    answers: {
      200: { description: "What would change", content: { "application/json": policyDryRun } },
      202: {
        description: "It is in force; what is stored is being judged by it",
        headers: ETAG,
        content: { "application/json": policyInForce },
      },
    },
    problems: POLICY_PROBLEMS,
  },
  listPolicies: {
    method: "get",
    path: `${API}/policies`,
    tag: "Policy",
    summary: "List the policies that were ever in force, the latest first",
    query: parameters.pageQuery,
    answers: { 200: { description: "One page", content: { "application/json": policyList } } },
    problems: ["invalid_cursor", ...NEEDS_CATALOG],
  },
  readWrittenPolicy: {
    method: "get",
    path: `${API}/policies/{id}`,
    tag: "Policy",
    summary: "Read a policy that is or was in force, as it was written",
    params: parameters.policyPath,
    query: parameters.noQuery,
    answers: {
      200: { description: "The policy", content: { "application/json": writtenPolicy } },
    },
    problems: ["invalid_id", "policy_not_found", ...NEEDS_CATALOG],
  },
} as const satisfies Record<string, Operation>;
