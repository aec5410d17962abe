import type { HealDeps } from "@sluice/backup";
import {
  advanceScrubPass,
  currentScrubPass,
  haltScrubPass,
  recordEvents,
  type ScrubCounts,
  type ScrubPass,
  type ScrubPosition,
} from "@sluice/catalog";
import { SCRUB_PARTS, type ScrubPart } from "@sluice/contracts";
import type { Logger, ServiceSettings } from "@sluice/runtime";
import type { MaintenanceTask, TaskRun } from "../maintenance/task.js";
import { scrubBlobs, scrubUploads } from "./bytes.js";
import { scrubDescriptions, scrubManifests } from "./documents.js";
import { scrubNames } from "./names.js";
import { Pace } from "./pace.js";
import { scrubPacks } from "./packs.js";
import type { StepOf } from "./part.js";

export interface ScrubDeps extends HealDeps {
  readonly settings: Pick<
    ServiceSettings,
    "scrubIntervalMs" | "scrubObjectsPerSecond" | "scrubBytesPerSecond"
  >;
  readonly log: Logger;
  /** Told what each step has found and done. */
  readonly onScrubbed: (counts: Partial<ScrubCounts>) => void;
}

/** One run goes on for so long, so that a newer pass, and a stop, come through. */
const RUN_MS = 60_000;
const EVERY_MS = 10_000;

const STEPS: Readonly<Record<ScrubPart, StepOf>> = {
  blobs: scrubBlobs,
  uploads: scrubUploads,
  packs: scrubPacks,
  descriptions: scrubDescriptions,
  manifests: scrubManifests,
  object_names: scrubNames("objects"),
  backup_names: scrubNames("backup"),
};

/**
 * Reads all that is stored again, at a set rate, holds it against its hash or against the catalog, and repairs what is not right: blobs
 * and copies from each other, documents from the catalog. Where a store has lost so much at once that it seems to be the wrong one,
 * nothing is marked or written, and the scrub waits until the store is itself again or an operator has asked for a pass that trusts it.
 */
export function scrubTask(deps: ScrubDeps): MaintenanceTask {
  const { scrubObjectsPerSecond, scrubBytesPerSecond } = deps.settings;
  const pace = new Pace({
    objectsPerSecond: scrubObjectsPerSecond,
    bytesPerSecond: scrubBytesPerSecond,
  });
  return { name: "scrub", everyMs: EVERY_MS, run: (run) => scrubSome(deps, pace, run) };
}

async function scrubSome(deps: ScrubDeps, pace: Pace, { signal }: TaskRun): Promise<void> {
  const { catalog, log, settings, onScrubbed } = deps;
  const current = await currentScrubPass(catalog, {
    everyMs: settings.scrubIntervalMs,
    askedBy: "janitor",
  });
  if (current === undefined) return;
  let pass: ScrubPass = current;
  const until = performance.now() + RUN_MS;
  while (!signal.aborted && performance.now() < until) {
    const { id, position: from } = pass;
    const begun = performance.now();
    const step = await STEPS[from.part]({ ...deps, pace, signal }, pass);
    if (step.kind === "stopped") return;
    if (step.kind === "halted") {
      await halt(pass, step.why, deps);
      return;
    }
    const to = following(from, step.after);
    const workedMs = performance.now() - begun;
    const { counts } = step;
    // Where another janitor has taken the pass over, the step was done twice, and is counted once.
    if (!(await advanceScrubPass(catalog, id, { from, to, counts, workedMs }))) return;
    onScrubbed(counts);
    if (to === undefined) {
      log.info({ pass: id }, "a scrub has come to its end");
      return;
    }
    pass = { ...pass, position: to };
  }
}

function following({ part }: ScrubPosition, after: string | undefined): ScrubPosition | undefined {
  if (after !== undefined) return { part, after };
  const next = SCRUB_PARTS[SCRUB_PARTS.indexOf(part) + 1];
  return next && { part: next, after: "" };
}

async function halt(pass: ScrubPass, why: string, { catalog, log }: ScrubDeps): Promise<void> {
  log.error({ pass: pass.id, why }, "the scrub does not go on: is the right volume mounted?");
  if (!(await haltScrubPass(catalog, pass.id, why))) return;
  await recordEvents(catalog, [
    {
      severity: "critical",
      kind: "scrub.halted",
      message: `The scrub marks and repairs nothing, because ${why}. Is the right volume mounted?`,
      details: { pass: pass.id },
    },
  ]);
}
