import {
  type Condition,
  healBlob,
  type HealDeps,
  inspectBlob,
  inspectCopy,
  isEmpty,
  type NoCopy,
} from "@sluice/backup";
import {
  beginScrubPass,
  countScrubbed,
  finishScrubPass,
  haltScrubPass,
  listBlobsToScrub,
  readScrubPass,
  recordEvents,
  type ScrubbedBlob,
  type ScrubPass,
} from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import type { Logger, ServiceSettings } from "@sluice/runtime";
import pMap from "p-map";
import { z } from "zod";
import type { MaintenanceTask, TaskRun } from "../maintenance/task.js";
import { Pace } from "./pace.js";

export interface ScrubDeps extends HealDeps {
  readonly settings: Pick<
    ServiceSettings,
    "scrubIntervalMs" | "scrubObjectsPerSecond" | "scrubBytesPerSecond"
  >;
  readonly log: Logger;
  /** Told what each batch has found and done. */
  readonly onScrubbed: (batch: Readonly<Record<ScrubCount, number>>) => void;
}

/** What the scrub counts: of blobs and of their copies, but for `checked` and `unrepairable`, which are blobs. */
export type ScrubCount = "checked" | "bytes" | "damaged" | "missing" | "repaired" | "unrepairable";

/** One run goes on for so long, so that a newer pass, and a stop, come through. */
const RUN_MS = 60_000;
const EVERY_MS = 10_000;
const BATCH = 100;
const AT_ONCE = 8;
/** So many bad ones in a batch, and more than half of it, are no accident of single objects. */
const SUSPICIOUS = 20;

const cursorOf = z.object({ pass: z.number(), after: z.string() });

/**
 * Reads every blob and its copy again, at a set rate, holds both against the hash, and repairs either from the other. Where a store has
 * lost so much at once that it seems to be the wrong one, nothing is marked or written, and the scrub waits until the store is itself
 * again or an operator has asked for a pass that trusts it.
 */
export function scrubTask(deps: ScrubDeps): MaintenanceTask {
  const { scrubObjectsPerSecond, scrubBytesPerSecond } = deps.settings;
  const pace = new Pace({
    objectsPerSecond: scrubObjectsPerSecond,
    bytesPerSecond: scrubBytesPerSecond,
  });
  return { name: "scrub", everyMs: EVERY_MS, run: (run) => scrubSome(deps, pace, run) };
}

async function scrubSome(deps: ScrubDeps, pace: Pace, run: TaskRun): Promise<void> {
  const { catalog, log } = deps;
  const pass = await passToGoOnWith(deps);
  if (pass === undefined) return;
  const saved = cursorOf.safeParse(run.cursor);
  let after = saved.success && saved.data.pass === pass.id ? saved.data.after : "";
  const until = performance.now() + RUN_MS;
  while (!run.signal.aborted && performance.now() < until) {
    const blobs = await listBlobsToScrub(catalog, { after, limit: BATCH });
    const last = blobs.at(-1);
    if (last === undefined) {
      await finishScrubPass(catalog, pass.id);
      log.info({ pass: pass.id }, "a scrub has come to its end");
      return;
    }
    if (!(await scrubBatch(blobs, pass, deps, pace, run.signal))) return;
    after = last.sha256;
    await run.save({ pass: pass.id, after });
  }
}

async function passToGoOnWith({ catalog, settings }: ScrubDeps): Promise<ScrubPass | undefined> {
  const newest = await readScrubPass(catalog);
  if (newest !== undefined && newest.finishedAt === undefined) return newest;
  if (newest !== undefined && Date.now() - newest.startedAt.getTime() < settings.scrubIntervalMs)
    return undefined;
  return beginScrubPass(catalog, { askedBy: "janitor", trusted: false });
}

interface Inspected {
  readonly blob: ScrubbedBlob;
  readonly found: Condition["state"];
  readonly copy: Condition["state"] | undefined;
  readonly bytes: number;
}

/** @returns whether the pass goes on */
async function scrubBatch(
  blobs: readonly ScrubbedBlob[],
  pass: ScrubPass,
  deps: ScrubDeps,
  pace: Pace,
  signal: AbortSignal,
): Promise<boolean> {
  const inspected = await pMap(blobs, (blob) => inspect(blob, deps, pace, signal), {
    concurrency: AT_ONCE,
  });
  const bad = inspected.filter(({ found, copy }) => found !== "good" || isBad(copy));
  if (!pass.trusted) {
    const why =
      (await suspicion("object store", statesOfObjects(inspected), deps.objects)) ??
      (await suspicion(
        "backup store",
        inspected.map(({ copy }) => copy),
        deps.backup,
      ));
    if (why !== undefined) {
      await halt(pass, why, deps);
      return false;
    }
  }
  const counts = {
    checked: blobs.length,
    bytes: inspected.reduce((sum, { bytes }) => sum + bytes, 0),
    damaged: 0,
    missing: 0,
    repaired: 0,
    unrepairable: 0,
  };
  for (const { blob } of bad) {
    if (signal.aborted) return false;
    const healed = await healBlob(deps, blob.sha256);
    if (healed === undefined) continue;
    for (const state of [healed.blob, healed.copy]) if (state !== undefined) counts[state] += 1;
    counts.repaired += healed.repaired;
    if (healed.unrepairable) counts.unrepairable += 1;
    if (healed.blob !== undefined || healed.copy !== undefined)
      deps.log.error({ sha256: blob.sha256, ...healed }, "bytes were damaged or missing");
  }
  await countScrubbed(deps.catalog, pass.id, counts);
  deps.onScrubbed(counts);
  return true;
}

/** By object: many blobs may be part of the same one, which is lost once. */
function statesOfObjects(inspected: readonly Inspected[]): readonly Condition["state"][] {
  const states = new Map<string, Condition["state"]>();
  for (const { blob, found } of inspected) {
    const { key } = blob.place;
    if (found !== "good" || !states.has(key)) states.set(key, found);
  }
  return [...states.values()];
}

async function inspect(
  blob: ScrubbedBlob,
  deps: ScrubDeps,
  pace: Pace,
  signal: AbortSignal,
): Promise<Inspected> {
  const found = await inspectBlob(deps.objects, blob);
  const copy = await inspectCopy(deps.backup, blob);
  const bytes = sizeOf(found) + sizeOf(copy);
  await pace.spend(copy === undefined ? 1 : 2, bytes, signal);
  return { blob, found: found.state, copy: copy?.state, bytes };
}

function sizeOf(found: Condition | undefined): number {
  return found !== undefined && "stored" in found ? found.stored.length : 0;
}

function isBad(state: Condition["state"] | undefined): state is NoCopy["state"] {
  return state !== undefined && state !== "good";
}

/** Why a store seems not to be the one that it should be. */
export async function suspicion(
  name: string,
  states: readonly (Condition["state"] | undefined)[],
  store: ObjectStore,
): Promise<string | undefined> {
  const bad = states.filter(isBad).length;
  const asked = states.filter((state) => state !== undefined).length;
  if (bad >= SUSPICIOUS && bad * 2 > asked)
    return `${bad} of ${asked} objects in a row are damaged or missing in the ${name}`;
  if (states.includes("missing") && (await isEmpty(store))) return `the ${name} is empty`;
  return undefined;
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
