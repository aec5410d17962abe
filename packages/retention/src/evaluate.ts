/**
 * What a policy says of one script and each of its versions at a moment. Of a version the first rule that matches it counts; a rule of
 * scripts matches all versions of a script that it matches. A script goes as a whole by the first rule of scripts that matches it,
 * unless an earlier rule keeps one of its versions. Pure: whoever asks brings the facts and the time.
 */
import type { RetainedScript, RetainedVersion } from "@sluice/catalog";
import type { RetentionProtection } from "@sluice/contracts";
import { isFinal } from "@sluice/pipeline";
import {
  matchesNamespace,
  type RetentionAction,
  type RetentionPolicy,
  type RetentionRule,
} from "./document.js";

/** Uses are noted a minute late at most; a rule waits longer than that, so that none is overlooked. */
export const USE_SLACK_MS = 2 * 60_000;

/** What a rule does to a version, or to the script as a whole. */
export interface Verdict {
  /** `undefined` where no rule matches: it is kept. */
  readonly rule: RetentionRule | undefined;
  readonly action: RetentionAction;
  /** The whole script goes, by a rule of scripts. */
  readonly whole: boolean;
  /** Why it does not happen all the same; empty where it does. */
  readonly protectedBy: readonly RetentionProtection[];
}

export interface Decision {
  /** Of the script as a whole, by the first rule of scripts that matches it. */
  readonly script: Verdict;
  /** The rule that deletes the script; `undefined` where none does, or something protects it. */
  readonly trash: RetentionRule | undefined;
  /** By version, in the order of the script's. */
  readonly verdicts: readonly Verdict[];
}

/** What happens at a moment, in milliseconds since 1970. */
export function decide(policy: RetentionPolicy, script: RetainedScript, now: number): Decision {
  const totals = totalsOf(script);
  const matches = (rule: RetentionRule, index: number) => dueAt(rule, script, index, totals) <= now;
  const winners = script.versions.map((_, index) =>
    policy.rules.find((rule) => matches(rule, index)),
  );
  const kept = winners.some((rule) => rule?.action === "keep");
  const ofScript = policy.rules.find((rule) => rule.of === "scripts" && matches(rule, 0));
  const whole: Verdict = {
    rule: ofScript,
    action: ofScript?.action ?? "keep",
    whole: ofScript?.action === "delete",
    protectedBy: ofScript?.action === "delete" ? protectionsOfScript(ofScript, script, kept) : [],
  };
  if (whole.whole && whole.protectedBy.length === 0)
    return { script: whole, trash: ofScript, verdicts: script.versions.map(() => whole) };
  const verdicts = script.versions.map((version, index): Verdict => {
    const rule = winners[index];
    if (rule !== undefined && rule === ofScript && whole.whole) return whole;
    const action = rule?.action ?? "keep";
    const protectedBy =
      rule === undefined || action === "keep"
        ? []
        : protectionsOfVersion(rule, script, version, index);
    return { rule, action, whole: false, protectedBy };
  });
  return { script: whole, trash: undefined, verdicts };
}

/** A verdict that holds from a moment on, in milliseconds since 1970; -Infinity where time has no part in it. */
export interface DatedVerdict extends Verdict {
  readonly from: number;
}

/**
 * What becomes of a version, or of the script as a whole, if nobody touches the script any more: what holds, and what will take its place.
 *
 * @param index - of the version among the script's; `script` for the script as a whole
 */
export function foresee(
  policy: RetentionPolicy,
  script: RetainedScript,
  index: number | "script",
  now: number,
): readonly DatedVerdict[] {
  const totals = totalsOf(script);
  // What keeps one version keeps the script, so that all dates count where a rule of scripts has a say.
  const indexes =
    index === "script" ||
    policy.rules.some(({ of, action }) => of === "scripts" && action === "delete")
      ? script.versions.keys()
      : [index];
  const moments = new Set<number>();
  for (const each of indexes) {
    for (const rule of policy.rules) {
      const due = dueAt(rule, script, each, totals);
      if (due > now && due !== Infinity) moments.add(due);
    }
  }
  const dated: DatedVerdict[] = [];
  for (const moment of [now, ...[...moments].toSorted((a, b) => a - b).slice(0, MOST_MOMENTS)]) {
    const decision = decide(policy, script, moment);
    const verdict = index === "script" ? decision.script : decision.verdicts[index];
    if (verdict === undefined) break;
    const last = dated.at(-1);
    if (last !== undefined && isSame(last, verdict)) continue;
    const { rule } = verdict;
    const since = rule ? dueAt(rule, script, index === "script" ? 0 : index, totals) : -Infinity;
    dated.push({ ...verdict, from: moment === now ? since : moment });
    // Nothing comes after that.
    if (effectOf(verdict) === "delete") break;
  }
  return dated;
}

/** What a verdict comes to. */
export function effectOf({ action, protectedBy }: Verdict): RetentionAction {
  return protectedBy.length === 0 ? action : "keep";
}

/** Of a script with very many versions and rules the near future is enough. */
const MOST_MOMENTS = 200;

function isSame(a: Verdict, b: Verdict): boolean {
  return a.rule === b.rule && a.protectedBy.join() === b.protectedBy.join();
}

/**
 * From when on a rule matches a version if nothing but time passes: -Infinity where time has no part in it, Infinity for never.
 *
 * @param totals - of {@link totalsOf}
 */
function dueAt(
  rule: RetentionRule,
  script: RetainedScript,
  index: number,
  totals: readonly number[],
): number {
  const ofScript = rule.of === "scripts";
  // A rule of scripts goes by the newest version.
  const version = script.versions[ofScript ? 0 : index];
  if (version === undefined) return Infinity;
  const { namespace, tag, state, age, unused } = rule;
  const matches =
    (namespace?.some((pattern) => matchesNamespace(pattern, script.namespace)) ?? true) &&
    (tag?.some((each) => script.tags.includes(each)) ?? true) &&
    (state?.includes(version.state) ?? true) &&
    (rule.beyond_versions ?? 0) <= (ofScript ? script.versions.length - 1 : index) &&
    (rule.beyond_size ?? -1) < (totals[ofScript ? totals.length - 1 : index] ?? 0);
  if (!matches) return Infinity;
  const uploaded = version.uploadedAt.getTime();
  const used = Math.max(uploaded, script.lastUsedAt?.getTime() ?? -Infinity);
  return Math.max(
    age === undefined ? -Infinity : uploaded + age,
    unused === undefined ? -Infinity : used + unused + USE_SLACK_MS,
  );
}

/** By version, the bytes of it and all that are newer. */
function totalsOf({ versions }: RetainedScript): readonly number[] {
  let total = 0;
  return versions.map(({ size }) => (total += size));
}

function protectionsOfScript(
  rule: RetentionRule,
  script: RetainedScript,
  kept: boolean,
): RetentionProtection[] {
  const some = (test: (version: RetainedVersion) => boolean) => script.versions.some(test);
  return [
    ...protectionsOfAny(rule, script),
    ...(some(({ state }) => state === "needs_approval") && !rule.even.includes("needs_approval")
      ? (["needs_approval"] as const)
      : []),
    ...(some(({ state }) => !isFinal(state)) ? (["unfinished"] as const) : []),
    ...(kept ? (["version_kept"] as const) : []),
  ];
}

function protectionsOfVersion(
  rule: RetentionRule,
  script: RetainedScript,
  { state }: RetainedVersion,
  index: number,
): RetentionProtection[] {
  const takesNewest =
    rule.of === "scripts" || (rule.action === "archive" && rule.even.includes("newest_version"));
  return [
    ...protectionsOfAny(rule, script),
    ...(state === "needs_approval" && !rule.even.includes("needs_approval")
      ? (["needs_approval"] as const)
      : []),
    ...(index === 0 && !takesNewest ? (["newest_version"] as const) : []),
    ...(isFinal(state) ? [] : (["unfinished"] as const)),
  ];
}

function protectionsOfAny(
  rule: RetentionRule,
  { held, pinned }: RetainedScript,
): RetentionProtection[] {
  return [
    ...(held ? (["legal_hold"] as const) : []),
    ...(pinned && !rule.even.includes("pinned") ? (["pinned"] as const) : []),
  ];
}
