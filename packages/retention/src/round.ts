/**
 * Rounds over all scripts. A round first counts what would go, holds that against the policy's brakes, and only then acts; each
 * decision is made again in the transaction that acts, on what is locked there, by the database's clock. The cursor says how far it has
 * come, so that whoever runs it next goes on there; a step that is taken twice finds nothing left to do.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Catalog,
  holdRetentionPolicy,
  listRetained,
  lockRetained,
  moveToTrash,
  noteRetentionRound,
  noteRetentionStep,
  readClock,
  readRetentionPolicyInForce,
  type RetainedScript,
} from "@sluice/catalog";
import { z } from "zod";
import {
  type DueVersion,
  RETENTION_ACTOR,
  type RetentionActions,
  type RuleReason,
} from "./actions.js";
import { fatesOfBlobs } from "./blob-fates.js";
import { allowedRemovals, pause, watchClock } from "./brakes.js";
import { parseRetentionPolicy, type RetentionPolicy, type RetentionRule } from "./document.js";
import { decide, effectOf } from "./evaluate.js";

export interface RetentionRoundDeps {
  readonly catalog: Catalog;
  readonly actions: RetentionActions;
  /** Time from the end of a round to the beginning of the next, in milliseconds. */
  readonly intervalMs: number;
  /** Scripts that are acted on in a second, at most. */
  readonly perSecond: number;
  /** How long what goes can be brought back, in milliseconds. */
  readonly trashMs: number;
  /** The janitor's clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** Told of what was done. */
  readonly onActed: (action: "trash" | "delete" | "archive", count: number) => void;
}

interface Progress {
  readonly policyId: number;
  readonly startedAt: string;
  readonly phase: "count" | "act";
  /** The last script that was looked at. */
  readonly after?: string | undefined;
  readonly versions: number;
  /** Versions that would go, as counted; those of scripts included. */
  readonly removals: number;
  readonly archivals: number;
  readonly allowed: number;
  /** Versions that went in this round. */
  readonly removed: number;
  readonly scriptsDeleted: number;
  readonly versionsDeleted: number;
  readonly versionsArchived: number;
  readonly left: number;
}

const whole = z.int().min(0);
const progressSchema: z.ZodType<Progress> = z.object({
  policyId: whole,
  startedAt: z.string(),
  phase: z.enum(["count", "act"]),
  after: z.string().optional(),
  versions: whole,
  removals: whole,
  archivals: whole,
  allowed: whole,
  removed: whole,
  scriptsDeleted: whole,
  versionsDeleted: whole,
  versionsArchived: whole,
  left: whole,
});

interface Round {
  readonly deps: RetentionRoundDeps;
  readonly signal: AbortSignal;
  readonly save: (progress: Progress | undefined) => Promise<void>;
  readonly policyId: number;
  readonly policy: RetentionPolicy;
}

const BATCH = 200;
/** Scripts that one transaction acts on: uploads of their names wait for it. */
const AT_ONCE = 20;

/**
 * Goes on with the round under way, or begins one where it is time.
 *
 * @param cursor - what `save` was last called with
 * @throws where the backup store does not answer: nothing goes then, and the round goes on at the next run
 */
export async function runRetention(
  deps: RetentionRoundDeps,
  {
    cursor,
    save,
    signal,
  }: { readonly cursor: unknown; readonly save: Round["save"]; readonly signal: AbortSignal },
): Promise<void> {
  const { catalog, now, intervalMs } = deps;
  const { state, database } = await watchClock(catalog, now());
  if (state.pause !== undefined) return;
  await noteRetentionStep(catalog);
  const stored = await readRetentionPolicyInForce(catalog);
  if (stored === undefined) return;
  const policy = parseRetentionPolicy(stored.source);
  const round: Round = { deps, signal, save, policyId: stored.id, policy };

  const known = progressSchema.safeParse(cursor).data;
  let progress = known?.policyId === stored.id ? known : undefined;
  if (progress === undefined) {
    const last = state.lastRound;
    const rested = database.getTime() - Date.parse(last?.finishedAt ?? "1970-01-01");
    if (last?.policyId === stored.id && state.confirmation === undefined && rested < intervalMs)
      return;
    progress = begin(stored.id, database);
  }
  if (progress.phase === "count") {
    const counted = await count(round, progress);
    if (counted === undefined) return;
    const { removals, versions } = counted;
    const allowed = allowedRemovals(policy, versions, state.confirmation);
    if (removals > allowed) {
      await pause(
        catalog,
        {
          reason: "too_many",
          message: `Nothing is removed: by the policy ${policy.name} ${removals} of ${versions} versions would go, and its brakes allow ${allowed} in one round.`,
          removals,
          of: versions,
        },
        database,
      );
      await save(undefined);
      return;
    }
    progress = { ...counted, allowed, phase: "act", after: undefined };
    await save(progress);
  }
  const done = progress.removals + progress.archivals > 0 ? await act(round, progress) : progress;
  if (done === undefined) return;
  const { policyId, startedAt, versions, scriptsDeleted, versionsDeleted, versionsArchived, left } =
    done;
  const finishedAt = (await readClock(catalog)).toISOString();
  await noteRetentionRound(catalog, {
    policyId,
    startedAt,
    finishedAt,
    versions,
    scriptsDeleted,
    versionsDeleted,
    versionsArchived,
    left,
  });
  await save(undefined);
}

function begin(policyId: number, at: Date): Progress {
  return {
    policyId,
    startedAt: at.toISOString(),
    phase: "count",
    versions: 0,
    removals: 0,
    archivals: 0,
    allowed: 0,
    removed: 0,
    scriptsDeleted: 0,
    versionsDeleted: 0,
    versionsArchived: 0,
    left: 0,
  };
}

/** @returns `undefined` where it was stopped on the way */
async function count(round: Round, from: Progress): Promise<Progress | undefined> {
  const { deps, signal, save, policy } = round;
  let progress = from;
  while (!signal.aborted) {
    const { scripts, next } = await listRetained(deps.catalog, {
      after: progress.after,
      limit: BATCH,
    });
    const now = (await readClock(deps.catalog)).getTime();
    for (const script of scripts) {
      const due = dueOf(round.policyId, policy, script, now);
      progress = {
        ...progress,
        versions: progress.versions + script.versions.length,
        removals: progress.removals + (due.trash ? script.versions.length : due.toDelete.length),
        archivals: progress.archivals + due.toArchive.length,
      };
    }
    if (next === undefined) return progress;
    progress = { ...progress, after: next };
    await save(progress);
    await noteRetentionStep(deps.catalog);
  }
  return undefined;
}

/** @returns `undefined` where it was stopped on the way, or by a brake */
async function act(round: Round, from: Progress): Promise<Progress | undefined> {
  const { deps, signal, save, policy, policyId } = round;
  const { catalog, actions } = deps;
  let progress = from;
  await actions.checkBackup();
  while (!signal.aborted) {
    const { scripts, next } = await listRetained(catalog, { after: progress.after, limit: BATCH });
    const now = (await readClock(catalog)).getTime();
    const due = scripts.filter((script) => isDue(dueOf(policyId, policy, script, now)));
    for (let start = 0; start < due.length; start += AT_ONCE) {
      if (signal.aborted) return undefined;
      const some = due.slice(start, start + AT_ONCE);
      const begun = performance.now();
      const step = await actOn(round, some, progress.allowed - progress.removed);
      if (step === undefined) {
        // Another policy has come into force: the next run begins anew.
        await save(undefined);
        return undefined;
      }
      progress = addStep(progress, step);
      await save({ ...progress, after: some.at(-1)?.scriptId });
      if (step.stopped) {
        await stopShort(catalog, policy, progress);
        await save(undefined);
        return undefined;
      }
      const atLeastMs = (some.length / deps.perSecond) * 1_000;
      await rest(atLeastMs - (performance.now() - begun), signal);
    }
    if (next === undefined) return progress;
    progress = { ...progress, after: next };
    await save(progress);
    await noteRetentionStep(catalog);
  }
  return undefined;
}

async function stopShort(
  catalog: Catalog,
  policy: RetentionPolicy,
  { removed, versions }: Progress,
): Promise<void> {
  const message = `Clean-up has stopped: by the policy ${policy.name} more has become due on the way than the ${removed} versions that went in this round.`;
  await pause(
    catalog,
    { reason: "too_many", message, removals: removed, of: versions },
    await readClock(catalog),
  );
}

interface Step {
  readonly removed: number;
  readonly scriptsDeleted: number;
  readonly versionsDeleted: number;
  readonly versionsArchived: number;
  readonly left: number;
  /** There is more to remove than may be. */
  readonly stopped: boolean;
}

/** @returns `undefined` where another policy is in force by now, and nothing was done */
async function actOn(
  { deps, policy, policyId, signal }: Round,
  met: readonly RetainedScript[],
  allowed: number,
): Promise<Step | undefined> {
  const { catalog, actions, onActed } = deps;
  const ids = met.map(({ scriptId }) => scriptId);
  const acted = await catalog.transaction(async (tx) => {
    if ((await holdRetentionPolicy(tx)) !== policyId) return undefined;
    const scripts = await lockRetained(tx, ids);
    const now = (await readClock(tx)).getTime();
    const all = scripts.map((script) => ({ script, due: dueOf(policyId, policy, script, now) }));
    let room = allowed;
    const going = all.filter(({ script, due }) => {
      const size = due.trash ? script.versions.length : due.toDelete.length;
      if (size > room) return false;
      room -= size;
      return true;
    });
    const trash = new Map(
      going.flatMap(({ script, due }) => (due.trash ? [[script.scriptId, due.trash]] : [])),
    );
    const trashed = await moveToTrash(tx, [...trash.keys()], {
      actor: RETENTION_ACTOR,
      trashMs: deps.trashMs,
      ruleOf: (scriptId) => trash.get(scriptId),
    });
    const versions = going.flatMap(({ due }) => (due.trash ? [] : due.toDelete));
    const deleted: ReadonlySet<string> =
      versions.length === 0 ? new Set() : await actions.deleteVersions(tx, versions);
    const removed = going.reduce(
      (sum, { script }) => sum + (trashed.has(script.scriptId) ? script.versions.length : 0),
      deleted.size,
    );
    return {
      toArchive: going.flatMap(({ due }) => due.toArchive),
      scripts,
      now,
      trashed: trashed.size,
      deleted: deleted.size,
      removed,
      left: versions.length - deleted.size + (trash.size - trashed.size),
      stopped: going.length < all.length,
    };
  });
  if (acted === undefined) return undefined;
  onActed("trash", acted.trashed);
  onActed("delete", acted.deleted);
  const archived = await archiveSome(acted.toArchive);
  onActed("archive", archived);
  return {
    removed: acted.removed,
    scriptsDeleted: acted.trashed,
    versionsDeleted: acted.deleted,
    versionsArchived: archived,
    left: acted.left + acted.toArchive.length - archived,
    stopped: acted.stopped,
  };

  /** Of bytes that a version elsewhere is kept with, none go to where reading is slow. */
  async function archiveSome(versions: readonly DueVersion[]): Promise<number> {
    if (versions.length === 0 || acted === undefined) return 0;
    const fates = await fatesOfBlobs(catalog, {
      policy,
      scripts: acted.scripts,
      sha256s: [...new Set(versions.map(({ sha256 }) => sha256))],
      now: acted.now,
    });
    const wanted = versions.filter(({ sha256 }) => fates.get(sha256)?.fate === "archived");
    return wanted.length === 0 ? 0 : (await actions.archive(wanted, signal)).size;
  }
}

interface Due {
  readonly trash: RuleReason | undefined;
  readonly toDelete: readonly DueVersion[];
  readonly toArchive: readonly DueVersion[];
}

function dueOf(
  policyId: number,
  policy: RetentionPolicy,
  script: RetainedScript,
  now: number,
): Due {
  const { trash, verdicts } = decide(policy, script, now);
  const reasonOf = (rule: RetentionRule): RuleReason => ({
    rule: rule.name,
    policy_id: policyId,
    policy_version: policy.version,
  });
  if (trash !== undefined) return { trash: reasonOf(trash), toDelete: [], toArchive: [] };
  const pick = (action: "delete" | "archive"): DueVersion[] =>
    script.versions.flatMap(({ versionId, number, sha256, archived }, index) => {
      const verdict = verdicts[index];
      if (verdict?.rule === undefined || effectOf(verdict) !== action) return [];
      if (action === "archive" && archived) return [];
      const reason = reasonOf(verdict.rule);
      return [{ scriptId: script.scriptId, versionId, number, sha256, reason }];
    });
  return { trash: undefined, toDelete: pick("delete"), toArchive: pick("archive") };
}

function isDue({ trash, toDelete, toArchive }: Due): boolean {
  return trash !== undefined || toDelete.length + toArchive.length > 0;
}

function addStep(progress: Progress, step: Step): Progress {
  return {
    ...progress,
    removed: progress.removed + step.removed,
    scriptsDeleted: progress.scriptsDeleted + step.scriptsDeleted,
    versionsDeleted: progress.versionsDeleted + step.versionsDeleted,
    versionsArchived: progress.versionsArchived + step.versionsArchived,
    left: progress.left + step.left,
  };
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
