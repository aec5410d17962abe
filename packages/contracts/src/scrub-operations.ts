import type { Operation } from "./operation.js";
import { API, KEYED, keyed, NEEDS_CATALOG } from "./operation-members.js";
import * as parameters from "./parameters.js";
import { scrub, scrubPass } from "./scrub.js";

/** What reads all that is stored again. */
export const SCRUB_OPERATIONS = {
  readScrub: {
    method: "get",
    path: `${API}/scrub`,
    tag: "Operations",
    summary: "See how far the scrub is, how fast, and what is wrong with what is stored",
    description:
      "What was found and repaired is in `GET /events`; here is what is wrong still: blobs that no copy gives back, and what somebody else has put into the stores.",
    query: parameters.noQuery,
    answers: { 200: { description: "The scrub", content: { "application/json": scrub } } },
    problems: NEEDS_CATALOG,
  },
  startScrub: {
    method: "post",
    path: `${API}/scrub`,
    tag: "Operations",
    summary: "Read all that is stored again, now",
    description:
      "The janitor begins within ten seconds. `trusted=true` is for a store that has lost most of what it had, after a look that it is the right one: " +
      "a pass that has halted is replaced by one that repairs and marks whatever it finds.",
    query: parameters.scrubQuery,
    headers: keyed,
    answers: {
      202: {
        description: "A pass is about to begin",
        headers: { Location: "Path of the scrub" },
        content: { "application/json": scrubPass },
      },
    },
    problems: ["scrub_running", ...KEYED, ...NEEDS_CATALOG],
  },
} as const satisfies Record<string, Operation>;
