import { approvalList, approvalRequest, recordedApproval } from "./approvals.js";
import { auditList } from "./audit.js";
import type { Operation } from "./operation.js";
import {
  API,
  JSON_BODY,
  KEYED,
  keyed,
  NEEDS_CATALOG,
  ONE_SCRIPT,
  ONE_VERSION,
} from "./operation-members.js";
import * as parameters from "./parameters.js";

/** What reviewers do. */
export const REVIEW_OPERATIONS = {
  decideApproval: {
    method: "post",
    path: `${API}/scripts/{id}/approvals`,
    tag: "Review",
    summary: "Grant or refuse what a version asks for",
    description:
      "Holds for the version's very bytes, and for later versions of the script as far as they use no more than was decided on. " +
      "The latest decision on a thing counts. All that is named must be asked for, or nothing is recorded.",
    params: parameters.scriptPath,
    query: parameters.noQuery,
    headers: keyed,
    body: approvalRequest,
    answers: {
      201: {
        description: "The decision, and the version's state after it",
        content: { "application/json": recordedApproval },
      },
    },
    problems: [
      "not_ready",
      "not_approvable",
      "sha256_mismatch",
      "not_asked",
      "unknown_capability",
      "end_date_passed",
      ...JSON_BODY,
      ...KEYED,
      ...ONE_VERSION,
    ],
  },
  listApprovals: {
    method: "get",
    path: `${API}/scripts/{id}/approvals`,
    tag: "Review",
    summary: "List the decisions on a script's versions, newest first",
    params: parameters.scriptPath,
    query: parameters.pageQuery,
    answers: { 200: { description: "One page", content: { "application/json": approvalList } } },
    problems: ["invalid_cursor", ...ONE_SCRIPT],
  },
  listAudit: {
    method: "get",
    path: `${API}/audit`,
    tag: "Review",
    summary: "Read the audit log, newest first",
    description: "It is only ever appended to, and keeps what it says of scripts that are deleted.",
    query: parameters.auditQuery,
    answers: { 200: { description: "One page", content: { "application/json": auditList } } },
    problems: ["invalid_cursor", ...NEEDS_CATALOG],
  },
} as const satisfies Record<string, Operation>;
