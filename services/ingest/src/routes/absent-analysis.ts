import type { Version } from "@sluice/catalog";
import { isFinal, type StageName } from "@sluice/pipeline";
import { ProblemError } from "../http/problem-error.js";
import { statusUrl } from "./shapes.js";

/** Why a version has no report or no metadata: not yet, or never. */
export function absentAnalysis(
  never: "no_metadata" | "no_report",
  stage: StageName,
  { scriptId, version, state }: Version,
): ProblemError {
  if (!isFinal(state)) {
    return new ProblemError(
      "not_ready",
      `Version ${version} is ${state} and has not been through ${stage} yet. Wait with GET ${statusUrl(scriptId, version)}?wait=20.`,
      { headers: { "Retry-After": "1" } },
    );
  }
  return new ProblemError(
    never,
    `Version ${version} is ${state}, and ${stage} has left nothing of it.`,
  );
}
