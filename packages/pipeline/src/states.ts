/** Where a version stands. The last four are final. */
export const VERSION_STATES = [
  "queued",
  "processing",
  "ready",
  "needs_approval",
  "rejected",
  "failed",
] as const;
export type VersionState = (typeof VERSION_STATES)[number];

/** Where one stage of a version stands. */
export const STAGE_STATES = ["pending", "running", "done", "skipped", "failed"] as const;
export type StageState = (typeof STAGE_STATES)[number];

/**
 * What validation decided: `invalid` is not Python (or a bomb), `malicious` is malware whatever the
 * policy says, `refused` is Python that the policy forbids. Work goes on for all but the first two,
 * which are kept in quarantine.
 */
export const VERDICTS = ["allowed", "needs_approval", "refused", "malicious", "invalid"] as const;
export type Verdict = (typeof VERDICTS)[number];

const STATE_OF_VERDICT: Readonly<Record<Verdict, VersionState>> = {
  allowed: "ready",
  needs_approval: "needs_approval",
  refused: "rejected",
  malicious: "rejected",
  invalid: "rejected",
};

/** The state a version ends in once its work is done. */
export function finalState(verdict: Verdict): VersionState {
  return STATE_OF_VERDICT[verdict];
}

/** Says whether a script goes to quarantine instead of on through the pipeline. */
export function isQuarantined(verdict: Verdict): boolean {
  return verdict === "invalid" || verdict === "malicious";
}

/** Says whether a version's work is over. */
export function isFinal(state: VersionState): boolean {
  return state !== "queued" && state !== "processing";
}
