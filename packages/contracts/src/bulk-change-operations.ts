import { z } from "zod";
import {
  bulkChange,
  bulkChangeFailures,
  bulkChangeList,
  bulkChangePreview,
  bulkChangeRequest,
} from "./bulk-changes.js";
import type { Operation } from "./operation.js";
import {
  ACCEPTED_HEADERS,
  API,
  ETAG,
  JSON_BODY,
  KEYED,
  keyed,
  NEEDS_CATALOG,
} from "./operation-members.js";
import * as parameters from "./parameters.js";

const ONE = ["invalid_id", "change_not_found", ...NEEDS_CATALOG] as const;
const ONE_CHANGE = { description: "How far it is", content: { "application/json": bulkChange } };

/** Changes of many scripts at once. */
export const BULK_CHANGE_OPERATIONS = {
  startBulkChange: {
    method: "post",
    path: `${API}/metadata/changes`,
    tag: "Scripts",
    summary: "Change the user's fields of every script that a filter selects",
    description:
      "First with `dry_run=true`, which changes nothing and answers with an ETag; then with that in `If-Match`. " +
      "It runs in the background, and only over the very scripts that were previewed: 412 where they are others by now or were changed.",
    query: parameters.dryRunQuery,
    headers: keyed.extend({
      "if-match": z.string().optional().describe("ETag of the dry run; required but for a dry run"),
    }),
    body: bulkChangeRequest,
    answers: {
      200: {
        description: "What would change",
        headers: ETAG,
        content: { "application/json": bulkChangePreview },
      },
      202: {
        description: "It has begun",
        headers: ACCEPTED_HEADERS,
        content: { "application/json": bulkChange },
      },
    },
    problems: [...JSON_BODY, ...KEYED, "if_match_required", "preview_outdated", ...NEEDS_CATALOG],
  },
  listBulkChanges: {
    method: "get",
    path: `${API}/metadata/changes`,
    tag: "Scripts",
    summary: "List the bulk changes, newest first",
    query: parameters.pageQuery,
    answers: { 200: { description: "One page", content: { "application/json": bulkChangeList } } },
    problems: ["invalid_cursor", ...NEEDS_CATALOG],
  },
  readBulkChange: {
    method: "get",
    path: `${API}/metadata/changes/{id}`,
    tag: "Scripts",
    summary: "See how far a bulk change is",
    params: parameters.changePath,
    query: parameters.noQuery,
    answers: { 200: ONE_CHANGE },
    problems: ONE,
  },
  listBulkChangeFailures: {
    method: "get",
    path: `${API}/metadata/changes/{id}/failures`,
    tag: "Scripts",
    summary: "List the scripts that a bulk change left as they were, and why",
    params: parameters.changePath,
    query: parameters.pageQuery,
    answers: {
      200: { description: "One page", content: { "application/json": bulkChangeFailures } },
    },
    problems: ["invalid_cursor", ...ONE],
  },
  cancelBulkChange: {
    method: "post",
    path: `${API}/metadata/changes/{id}/cancel`,
    tag: "Scripts",
    summary: "Let a bulk change end where it is",
    description: "What it has changed stays changed.",
    params: parameters.changePath,
    query: parameters.noQuery,
    answers: { 200: ONE_CHANGE },
    problems: ["change_over", ...ONE],
  },
} as const satisfies Record<string, Operation>;
