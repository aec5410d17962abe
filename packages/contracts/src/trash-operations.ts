import type { Operation } from "./operation.js";
import { API, NEEDS_CATALOG, ONE_SCRIPT, ONE_VERSION } from "./operation-members.js";
import * as parameters from "./parameters.js";
import { scriptDetails, versionDetails } from "./scripts.js";
import { trashList } from "./trash.js";

/** What deletes, and what brings back until it is purged. */
export const TRASH_OPERATIONS = {
  deleteScript: {
    method: "delete",
    path: `${API}/scripts/{id}`,
    tag: "Scripts",
    summary: "Delete a script with all its versions",
    description:
      "The name is free at once; the script is in the trash then, and can be brought back until it is purged.",
    params: parameters.scriptPath,
    query: parameters.deleteQuery,
    answers: { 204: { description: "Deleted" } },
    problems: ["confirmation_required", "under_legal_hold", ...ONE_SCRIPT],
  },
  undeleteScript: {
    method: "post",
    path: `${API}/scripts/{id}/undelete`,
    tag: "Scripts",
    summary: "Bring a deleted script back with all its versions",
    description:
      "Under the name it had, or `?filename=` where another script has taken that. The policy in force judges its versions again. Of a script that is not deleted, nothing is changed.",
    params: parameters.scriptPath,
    query: parameters.undeleteQuery,
    answers: {
      200: {
        description: "The script as it is now",
        content: { "application/json": scriptDetails },
      },
    },
    problems: ["name_taken", "unsupported_file_type", "purged", ...ONE_SCRIPT],
  },
  undeleteVersion: {
    method: "post",
    path: `${API}/scripts/{id}/versions/{n}/undelete`,
    tag: "Scripts",
    summary: "Bring back a version that the retention policy has deleted",
    description:
      "The policy in force judges it again. Of a version that is not deleted, nothing is changed.",
    params: parameters.versionPath,
    query: parameters.noQuery,
    answers: {
      200: {
        description: "The version as it is now",
        content: { "application/json": versionDetails },
      },
    },
    problems: ["purged", ...ONE_VERSION],
  },
  listTrash: {
    method: "get",
    path: `${API}/trash`,
    tag: "Scripts",
    summary: "See what was deleted and can be brought back, by whom and why, and until when",
    description: "What was deleted last comes first.",
    query: parameters.trashQuery,
    answers: { 200: { description: "One page", content: { "application/json": trashList } } },
    problems: ["invalid_cursor", ...NEEDS_CATALOG],
  },
} as const satisfies Record<string, Operation>;
