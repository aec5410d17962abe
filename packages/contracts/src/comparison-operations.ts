import { z } from "zod";
import { comparison } from "./comparison.js";
import { DIFF_TYPE, type Operation } from "./operation.js";
import { API, ETAG, ifNoneMatch, NOT_MODIFIED, ONE_VERSION } from "./operation-members.js";
import * as parameters from "./parameters.js";

export const COMPARISON_OPERATIONS = {
  compareVersions: {
    method: "get",
    path: `${API}/scripts/{id}/versions/{a}...{b}`,
    tag: "Scripts",
    summary: "Compare two versions of a script",
    description:
      "What changes from version `a` to version `b`, whichever is the older: the source, and what the analysis found. " +
      `\`Accept: ${DIFF_TYPE}\` gives the unified diff alone.`,
    params: parameters.comparisonPath,
    query: parameters.comparisonQuery,
    headers: z.object({ "if-none-match": ifNoneMatch }),
    answers: {
      200: {
        description: "What changes",
        headers: ETAG,
        content: { "application/json": comparison, [DIFF_TYPE]: "text" },
      },
      304: NOT_MODIFIED,
    },
    problems: [
      "not_acceptable",
      "no_diff",
      "comparison_too_large",
      "too_many_comparisons",
      "content_damaged",
      "content_gone",
      "object_store_unavailable",
      ...ONE_VERSION,
    ],
  },
} as const satisfies Record<string, Operation>;
