import { z } from "zod";
import { metadataDocument } from "./metadata.js";
import type { Operation } from "./operation.js";
import {
  API,
  ETAG,
  ifMatch,
  ifNoneMatch,
  JSON_BODY,
  NOT_MODIFIED,
  ONE_SCRIPT,
  ONE_VERSION,
} from "./operation-members.js";
import * as parameters from "./parameters.js";
import { scriptDetails } from "./scripts.js";
import { metadataHistory, userFields, userFieldsPatch } from "./user-metadata.js";

const WRITES = {
  params: parameters.scriptPath,
  query: parameters.noQuery,
  headers: z.object({ "if-match": ifMatch }),
  answers: {
    200: {
      description: "The script as it is now; where nothing was changed, with the same revision",
      headers: ETAG,
      content: { "application/json": scriptDetails },
    },
  },
  problems: [...JSON_BODY, "if_match_required", "revision_mismatch", ...ONE_SCRIPT],
} as const satisfies Partial<Operation>;

/** What the analysis found in a script, and what users say about it. */
export const METADATA_OPERATIONS = {
  readMetadata: {
    method: "get",
    path: `${API}/scripts/{id}/metadata`,
    tag: "Analysis",
    summary: "Read functions, imports, dependencies and tools",
    description: "What users say about the script is in `user`, and nowhere else.",
    params: parameters.scriptPath,
    query: parameters.metadataQuery,
    headers: z.object({ "if-none-match": ifNoneMatch }),
    answers: {
      200: {
        description: "What the script is made of",
        headers: ETAG,
        content: { "application/json": metadataDocument },
      },
      304: NOT_MODIFIED,
    },
    problems: ["not_ready", "no_metadata", ...ONE_VERSION],
  },
  updateMetadata: {
    method: "put",
    path: `${API}/scripts/{id}/metadata`,
    tag: "Analysis",
    summary: "Replace the fields that are the user's",
    description:
      "Title, description, tags, labels, owner, pinned; what is left out is reset. What extraction found cannot be written.",
    body: userFields,
    ...WRITES,
  },
  patchMetadata: {
    method: "patch",
    path: `${API}/scripts/{id}/metadata`,
    tag: "Analysis",
    summary: "Change some of the fields that are the user's",
    description:
      "A JSON merge patch (RFC 7396) on what `user` is in the metadata: what is left out stays, `null` resets. " +
      "`application/json` is taken for one, too.",
    body: { mergePatch: userFieldsPatch },
    ...WRITES,
  },
  listMetadataHistory: {
    method: "get",
    path: `${API}/scripts/{id}/metadata/history`,
    tag: "Analysis",
    summary: "List who changed which of the user's fields, newest first",
    params: parameters.scriptPath,
    query: parameters.pageQuery,
    answers: {
      200: { description: "One page", content: { "application/json": metadataHistory } },
    },
    problems: ["invalid_cursor", ...ONE_SCRIPT],
  },
} as const satisfies Record<string, Operation>;
