/** How long scripts are kept: the policy as it is written, what it says of a script, and the rounds that act on it. */
export {
  type DueVersion,
  RETENTION_ACTOR,
  type RetentionActions,
  type RuleReason,
} from "./actions.js";
export { watchClock } from "./brakes.js";
export { parseRetentionPolicy, type RetentionPolicy } from "./document.js";
export { dryRun, type DryRunPage, type DryRunPosition } from "./dry-run.js";
export { type DatedVerdict, foresee } from "./evaluate.js";
export { stillArchived } from "./still-archived.js";
export { type RetentionRoundDeps, runRetention } from "./round.js";
