import { z } from "zod";
import { MAINTENANCE_OPERATIONS } from "./maintenance-operations.js";
import { BULK_CHANGE_OPERATIONS } from "./bulk-change-operations.js";
import { COMPARISON_OPERATIONS } from "./comparison-operations.js";
import { METADATA_OPERATIONS } from "./metadata-operations.js";
import { type Operation, SARIF_TYPE } from "./operation.js";
import {
  ACCEPTED_HEADERS,
  API,
  ETAG,
  ifNoneMatch,
  KEYED,
  keyed,
  NEEDS_CATALOG,
  NOT_MODIFIED,
  ONE_SCRIPT,
  ONE_VERSION,
} from "./operation-members.js";
import * as parameters from "./parameters.js";
import { POLICY_OPERATIONS } from "./policy-operations.js";
import { report } from "./report.js";
import { RETENTION_OPERATIONS } from "./retention-operations.js";
import { REVIEW_OPERATIONS } from "./review-operations.js";
import {
  scriptDetails,
  scriptList,
  uploadedScript,
  versionDetails,
  versionList,
} from "./scripts.js";
import { SCRUB_OPERATIONS } from "./scrub-operations.js";
import { SEARCH_OPERATIONS } from "./search-operations.js";
import { SERVICE_OPERATIONS } from "./service-operations.js";
import { STATISTICS_OPERATIONS } from "./statistics-operations.js";
import { status } from "./status.js";
import { TRASH_OPERATIONS } from "./trash-operations.js";

export const OPERATIONS = {
  uploadScript: {
    method: "post",
    path: `${API}/upload_script`,
    tag: "Upload",
    summary: "Upload a script",
    description:
      "One file, at most 10 MB, named *.py or *.pyw. It is stored and recorded when the answer comes; the pipeline then takes it on.",
    query: parameters.uploadQuery,
    headers: keyed,
    body: "form",
    answers: {
      202: {
        description: "A new version, which the pipeline will process",
        headers: ACCEPTED_HEADERS,
        content: { "application/json": uploadedScript },
      },
      200: {
        description: "The newest version of that name has these very bytes; nothing new was made",
        headers: ACCEPTED_HEADERS,
        content: { "application/json": uploadedScript },
      },
    },
    problems: [
      "malformed_multipart",
      "missing_file",
      "repeated_file",
      "unexpected_field",
      "file_too_large",
      "unsupported_media_type",
      "unsupported_content_encoding",
      "unsupported_file_type",
      "name_taken",
      "upload_contended",
      "overloaded",
      "object_store_unavailable",
      "insufficient_storage",
      ...KEYED,
      ...NEEDS_CATALOG,
    ],
  },
  listScripts: {
    method: "get",
    path: `${API}/scripts`,
    tag: "Scripts",
    summary: "List scripts, each by its newest version",
    query: parameters.listQuery,
    answers: {
      200: { description: "One page", content: { "application/json": scriptList } },
    },
    problems: ["invalid_cursor", ...NEEDS_CATALOG],
  },
  readScript: {
    method: "get",
    path: `${API}/scripts/{id}`,
    tag: "Scripts",
    summary: "Read a script's details",
    params: parameters.scriptPath,
    query: parameters.noQuery,
    headers: z.object({ "if-none-match": ifNoneMatch }),
    answers: {
      200: {
        description: "The script and its newest version",
        headers: ETAG,
        content: { "application/json": scriptDetails },
      },
      304: NOT_MODIFIED,
    },
    problems: ONE_SCRIPT,
  },
  readContent: {
    method: "get",
    path: `${API}/scripts/{id}/content`,
    tag: "Scripts",
    summary: "Download a script",
    description:
      "Sent as it is stored where `Accept-Encoding` takes that coding, else decoded. Ranges count in decoded bytes and are sent decoded. " +
      "Every byte is held against the version's hash before the first is sent; what is damaged or missing comes from its backup, and is repaired. " +
      "Rejected scripts can be downloaded too, as `application/octet-stream`.",
    params: parameters.scriptPath,
    query: parameters.versionQuery,
    headers: z.object({
      range: z.string().optional().describe("One range of bytes (RFC 9110); several are ignored"),
      "if-range": z.string().optional().describe("ETag; the range holds only where it matches"),
      "if-none-match": ifNoneMatch,
    }),
    answers: {
      200: {
        description: "The bytes",
        headers: {
          ETag: "The sha256; with the coding's name behind it where there is one",
          "Repr-Digest":
            "sha-256 of the bytes as they are sent (RFC 9530); with a range, of the whole",
          "Content-Encoding": "As stored, where accepted: zstd or gzip",
          "Content-Disposition": "attachment, with the file name",
          "Sluice-Storage":
            "`archive` where the bytes came from there, which is slower; else `hot`",
        },
        content: { "text/x-python": "binary", "application/octet-stream": "binary" },
      },
      206: {
        description: "The range",
        headers: { "Content-Range": "Which bytes of how many" },
        content: { "text/x-python": "binary", "application/octet-stream": "binary" },
      },
      304: NOT_MODIFIED,
    },
    problems: [
      "not_acceptable",
      "range_not_satisfiable",
      "content_damaged",
      "content_gone",
      "object_store_unavailable",
      ...ONE_VERSION,
    ],
  },
  readStatus: {
    method: "get",
    path: `${API}/scripts/{id}/status`,
    tag: "Analysis",
    summary: "See where a script's newest version stands, or another",
    params: parameters.scriptPath,
    query: parameters.statusQuery,
    headers: z.object({ "if-none-match": ifNoneMatch }),
    answers: {
      200: {
        description: "Stage by stage",
        headers: ETAG,
        content: { "application/json": status },
      },
      304: NOT_MODIFIED,
    },
    problems: ONE_VERSION,
  },
  retryScript: {
    method: "post",
    path: `${API}/scripts/{id}/retry`,
    tag: "Analysis",
    summary: "Try a failed version again",
    params: parameters.scriptPath,
    query: parameters.versionQuery,
    answers: {
      202: {
        description: "The failed stages are pending again",
        headers: ACCEPTED_HEADERS,
        content: { "application/json": status },
      },
    },
    problems: ["not_failed", ...ONE_VERSION],
  },
  readReport: {
    method: "get",
    path: `${API}/scripts/{id}/report`,
    tag: "Analysis",
    summary: "Read what validation found",
    description: `\`Accept: ${SARIF_TYPE}\` gives it as SARIF 2.1.0, \`Accept: text/plain\` as text for people, with the places quoted.`,
    params: parameters.scriptPath,
    query: parameters.versionQuery,
    headers: z.object({ "if-none-match": ifNoneMatch }),
    answers: {
      200: {
        description: "Findings and capabilities",
        headers: ETAG,
        content: { "application/json": report, [SARIF_TYPE]: "text", "text/plain": "text" },
      },
      304: NOT_MODIFIED,
    },
    problems: [
      "not_acceptable",
      "not_ready",
      "no_report",
      "content_damaged",
      "content_gone",
      "object_store_unavailable",
      ...ONE_VERSION,
    ],
  },
  listVersions: {
    method: "get",
    path: `${API}/scripts/{id}/versions`,
    tag: "Scripts",
    summary: "List a script's versions, newest first",
    params: parameters.scriptPath,
    query: parameters.pageQuery,
    answers: { 200: { description: "One page", content: { "application/json": versionList } } },
    problems: ["invalid_cursor", ...ONE_SCRIPT],
  },
  readVersion: {
    method: "get",
    path: `${API}/scripts/{id}/versions/{n}`,
    tag: "Scripts",
    summary: "Read one version",
    params: parameters.versionPath,
    query: parameters.noQuery,
    headers: z.object({ "if-none-match": ifNoneMatch }),
    answers: {
      200: {
        description: "The version",
        headers: ETAG,
        content: { "application/json": versionDetails },
      },
      304: NOT_MODIFIED,
    },
    problems: ONE_VERSION,
  },
  readVersionStatus: {
    method: "get",
    path: `${API}/scripts/{id}/versions/{n}/status`,
    tag: "Analysis",
    summary: "See where one version stands",
    description: "The same as the script's status, of this version whatever came after it.",
    params: parameters.versionPath,
    query: parameters.versionStatusQuery,
    headers: z.object({ "if-none-match": ifNoneMatch }),
    answers: {
      200: {
        description: "Stage by stage",
        headers: ETAG,
        content: { "application/json": status },
      },
      304: NOT_MODIFIED,
    },
    problems: ONE_VERSION,
  },
  restoreVersion: {
    method: "post",
    path: `${API}/scripts/{id}/versions/{n}/restore`,
    tag: "Scripts",
    summary: "Bring an old version back",
    description: "Makes a new version of the same bytes; nothing is overwritten.",
    params: parameters.versionPath,
    query: parameters.noQuery,
    headers: keyed,
    answers: {
      202: {
        description: "A new version, which the pipeline will process",
        headers: ACCEPTED_HEADERS,
        content: { "application/json": uploadedScript },
      },
      200: {
        description: "The newest version has these very bytes; nothing new was made",
        headers: ACCEPTED_HEADERS,
        content: { "application/json": uploadedScript },
      },
    },
    problems: [
      "not_ready",
      "content_gone",
      "upload_contended",
      "insufficient_storage",
      ...KEYED,
      ...ONE_VERSION,
    ],
  },
  ...COMPARISON_OPERATIONS,
  ...METADATA_OPERATIONS,
  ...BULK_CHANGE_OPERATIONS,
  ...TRASH_OPERATIONS,
  ...SEARCH_OPERATIONS,
  ...REVIEW_OPERATIONS,
  ...POLICY_OPERATIONS,
  ...RETENTION_OPERATIONS,
  ...STATISTICS_OPERATIONS,
  ...MAINTENANCE_OPERATIONS,
  ...SCRUB_OPERATIONS,
  ...SERVICE_OPERATIONS,
} as const satisfies Record<string, Operation>;

export type OperationId = keyof typeof OPERATIONS;
