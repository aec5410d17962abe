/** The policy in force: where it comes from, what it is in a namespace, and what another one would change. */
export { type Activation, activateAtStart, ensurePolicy, putInForce } from "./activate.js";
export { type DryRun, dryRun, type DryRunRequest } from "./dry-run.js";
export { EffectivePolicies } from "./effective.js";
export { PolicyInForce, type InForce } from "./in-force.js";
export type { Reason, StateChange } from "./changes.js";
export { reevaluateBatch, type ReevaluatedBatch } from "./reevaluate.js";
