import { randomUUID } from "node:crypto";
import {
  type Catalog,
  freeDeadLeases,
  leaseStage,
  readAnalysis,
  releaseLeases,
  renewLeases,
  retryFailed,
  settleStage,
  takeLostWork,
  withSupersededForm,
} from "@sluice/catalog";
import type { Finding } from "@sluice/contracts";
import { finalState, STAGE_NAMES, VERDICTS } from "@sluice/pipeline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharedPostgres } from "../servers/index.js";
import {
  BACKUP_RESULT,
  DEDUP_RESULT,
  done,
  EXTRACT_RESULT,
  openFreshCatalog,
  register,
  sha256Of,
  standing,
  upload,
  validateResult,
  work,
} from "./fixture.js";

let catalog: Catalog;

beforeAll(async () => {
  catalog = await openFreshCatalog(sharedPostgres());
});
afterAll(async () => {
  await catalog.close();
});

let counter = 0;
/** A new version of bytes that nobody else has. */
const fresh = () => {
  counter += 1;
  return register(catalog, upload(`script-${counter}.py`, `body ${counter}`));
};
const lease = (
  versionId: string,
  options: { takeOver?: boolean; leaseMs?: number; token?: string } = {},
) =>
  leaseStage(catalog, {
    stage: "dedup",
    versionIds: [versionId],
    token: options.token ?? randomUUID(),
    leaseMs: options.leaseMs ?? 60_000,
    takeOver: options.takeOver ?? false,
  });
const ERROR = { code: "broken", message: "it broke" };

describe("a lease", () => {
  test("is one worker's, and moves the version from queued to processing", async () => {
    const { versionId, scriptId } = await fresh();
    expect(await lease(versionId)).toMatchObject([{ versionId, scriptId, deaths: 0, failures: 0 }]);
    expect(await lease(versionId)).toEqual([]);
    expect(await standing(catalog, scriptId)).toBe(
      "processing null dedup:running validate:pending extract:pending compress:pending backup:pending",
    );
  });

  test("of many at once is one's", async () => {
    const { versionId } = await fresh();
    const leases = await Promise.all(Array.from({ length: 20 }, () => lease(versionId)));
    expect(leases.flat()).toHaveLength(1);
  });

  test("that has run out is anybody's; its old holder writes nothing", async () => {
    const { versionId, scriptId } = await fresh();
    const old = randomUUID();
    await lease(versionId, { token: old, leaseMs: 0 });
    expect(await lease(versionId)).toHaveLength(1);
    const { versionIds, next } = await settleStage(catalog, "dedup", [
      { versionId, token: old, durationMs: 1, ending: done<"dedup">(DEDUP_RESULT) },
    ]);
    expect([...versionIds]).toEqual([]);
    expect(next).toEqual([]);
    expect(await standing(catalog, scriptId)).toMatch(/^processing null dedup:running/);
  });

  test("that was renewed has not run out", async () => {
    const { versionId } = await fresh();
    const token = randomUUID();
    await lease(versionId, { token, leaseMs: 0 });
    await renewLeases(catalog, {
      stage: "dedup",
      token,
      leaseMs: 60_000,
      versionIds: [versionId],
    });
    expect(await lease(versionId)).toEqual([]);
  });

  test("is taken over where the queue says that its holder is gone, and the death is counted", async () => {
    const { versionId } = await fresh();
    await lease(versionId);
    expect(await lease(versionId, { takeOver: true })).toMatchObject([{ deaths: 1 }]);
  });

  test("that is given back leaves no trace", async () => {
    const { versionId, scriptId } = await fresh();
    const token = randomUUID();
    await lease(versionId, { token });
    expect(
      await releaseLeases(catalog, { stage: "dedup", token, versionIds: [versionId] }),
    ).toEqual([versionId]);
    expect(await standing(catalog, scriptId)).toMatch(/dedup:pending/);
    expect(await lease(versionId)).toMatchObject([{ deaths: 0 }]);
  });

  test("of a dead worker can be freed for others", async () => {
    const { versionId } = await fresh();
    await lease(versionId);
    expect(await freeDeadLeases(catalog, { stage: "dedup", versionIds: [versionId] })).toEqual([
      versionId,
    ]);
    expect(await lease(versionId)).toHaveLength(1);
  });
});

describe("stages", () => {
  test("follow each other as the map says, and the last one ends the version", async () => {
    const { versionId, scriptId } = await fresh();
    const ids = [versionId];
    const next = async (settled: ReturnType<typeof work>) =>
      (await settled).next.map(({ stage }) => stage);
    expect(await next(work(catalog, "dedup", ids, done<"dedup">(DEDUP_RESULT)))).toEqual([
      "validate",
    ]);
    expect(
      await next(
        work(catalog, "validate", ids, done<"validate">(validateResult("needs_approval"))),
      ),
    ).toEqual(["extract", "compress"]);
    expect(await next(work(catalog, "compress", ids, done<"compress">({})))).toEqual(["backup"]);
    expect(await next(work(catalog, "backup", ids, done<"backup">(BACKUP_RESULT)))).toEqual([]);
    expect(await standing(catalog, scriptId)).toMatch(/^processing needs_approval/);
    expect(await next(work(catalog, "extract", ids, done<"extract">(EXTRACT_RESULT)))).toEqual([]);
    expect(await standing(catalog, scriptId)).toBe(
      "needs_approval needs_approval dedup:done validate:done extract:done compress:done backup:done",
    );
  });

  test("that end both branches at the same moment end the version", async () => {
    for (let round = 0; round < 10; round += 1) {
      const { versionId, scriptId } = await fresh();
      await work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT));
      await work(catalog, "validate", [versionId], done<"validate">(validateResult("allowed")));
      await work(catalog, "compress", [versionId], done<"compress">({}));
      await Promise.all([
        work(catalog, "extract", [versionId], done<"extract">(EXTRACT_RESULT)),
        work(catalog, "backup", [versionId], done<"backup">(BACKUP_RESULT)),
      ]);
      expect(await standing(catalog, scriptId)).toMatch(/^ready allowed/);
    }
  });

  test("after one that stops are skipped", async () => {
    const { versionId, scriptId } = await fresh();
    await work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT));
    await work(catalog, "validate", [versionId], done<"validate">(validateResult("invalid"), true));
    expect(await standing(catalog, scriptId)).toBe(
      "rejected invalid dedup:done validate:done extract:skipped compress:skipped backup:skipped",
    );
  });

  test("after which a script cannot be described refuse it, and say why in its report", async () => {
    const { versionId, scriptId } = await fresh();
    const twin = await register(catalog, upload("twin-of-refused.py", `body ${counter}`));
    const ids = [versionId];
    await work(catalog, "dedup", [versionId, twin.versionId], done<"dedup">(DEDUP_RESULT));
    const { report } = validateResult("needs_approval");
    const earlier = { rule: "source.empty" } as Finding;
    const refusal = { rule: "syntax.parser-killed" } as Finding;
    await work(
      catalog,
      "validate",
      ids,
      done<"validate">({ facts: {}, report: { ...report, findings: [earlier] } }),
    );
    await work(catalog, "compress", ids, done<"compress">({}));
    await work(catalog, "backup", ids, done<"backup">(BACKUP_RESULT));
    await work(catalog, "extract", ids, done<"extract">({ refusal }));
    expect(await standing(catalog, scriptId)).toBe(
      "rejected refused dedup:done validate:done extract:done compress:done backup:done",
    );
    expect(await standing(catalog, twin.scriptId)).toMatch(/^rejected refused/);
    expect(await readAnalysis(catalog, versionId)).toEqual({
      report: { ...report, verdict: "refused", findings: [refusal, earlier] },
    });
  });

  test("that failed are tried again when they are due, with the error to be seen", async () => {
    const { versionId, scriptId } = await fresh();
    const { next } = await work(catalog, "dedup", [versionId], {
      kind: "later",
      delayMs: 60_000,
      error: ERROR,
      failure: true,
    });
    expect(next).toMatchObject([{ stage: "dedup", versionId, delayMs: 60_000 }]);
    expect(await lease(versionId)).toEqual([]);
    await catalog.query("update stages set available_at = now() where version_id = $1", [
      versionId,
    ]);
    expect(await lease(versionId)).toMatchObject([{ failures: 1 }]);
    expect(await standing(catalog, scriptId)).toMatch(/^processing/);
  });

  test("that failed for good fail the version, and go on where an operator says so", async () => {
    const { versionId, scriptId } = await fresh();
    await work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT));
    await work(catalog, "validate", [versionId], done<"validate">(validateResult("allowed")));
    await work(catalog, "extract", [versionId], done<"extract">(EXTRACT_RESULT));
    await work(catalog, "compress", [versionId], { kind: "failed", error: ERROR });
    expect(await standing(catalog, scriptId)).toBe(
      "failed allowed dedup:done validate:done extract:done compress:failed backup:pending",
    );
    expect(await retryFailed(catalog, versionId)).toMatchObject({ stages: ["compress"] });
    await work(catalog, "compress", [versionId], done<"compress">({}));
    await work(catalog, "backup", [versionId], done<"backup">(BACKUP_RESULT));
    expect(await standing(catalog, scriptId)).toMatch(/^ready allowed/);
    expect(await retryFailed(catalog, versionId)).toBeUndefined();
  });

  test("keep results that hold NUL and half a surrogate pair", async () => {
    const { versionId } = await fresh();
    await work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT));
    const { report } = validateResult("allowed");
    const odd = { ...report, python_version: "\0 \ud800" };
    await work(catalog, "validate", [versionId], done<"validate">({ facts: {}, report: odd }));
    expect((await readAnalysis(catalog, versionId)).report).toEqual(odd);
  });

  test("that were settled for another analyser start over at dedup", async () => {
    const { versionId, scriptId } = await fresh();
    const twin = await register(catalog, upload("twin-of-restart.py", `body ${counter}`));
    await work(catalog, "dedup", [versionId, twin.versionId], done<"dedup">(DEDUP_RESULT));
    const { next } = await work(catalog, "validate", [versionId], { kind: "restart", delayMs: 0 });
    expect(next.map(({ versionId: id, stage }) => `${stage} ${id}`).toSorted()).toEqual(
      [`dedup ${versionId}`, `dedup ${twin.versionId}`].toSorted(),
    );
    const newer = { ...DEDUP_RESULT, analyserVersion: "a2" };
    await work(catalog, "dedup", [versionId, twin.versionId], done<"dedup">(newer));
    await work(
      catalog,
      "validate",
      [versionId, twin.versionId],
      done<"validate">(validateResult("allowed"), true),
    );
    expect(await standing(catalog, scriptId)).toMatch(/^ready/);
    expect(await standing(catalog, twin.scriptId)).toMatch(/^ready/);
  });
});

describe("a form of a blob", () => {
  test("is removed only while another counts", async () => {
    const { versionId } = await fresh();
    await work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT));
    const sha256 = sha256Of(`body ${counter}`);
    const removedFor: string[] = [];
    const remove = async (current: string) => {
      removedFor.push(current);
    };
    const { key } = DEDUP_RESULT.place;
    await withSupersededForm(catalog, { sha256, key }, remove);
    expect(removedFor).toEqual([]);
    await withSupersededForm(catalog, { sha256, key: `${key}.zst` }, remove);
    expect(removedFor).toEqual([key]);
    await withSupersededForm(catalog, { sha256: sha256Of("nobody's"), key }, remove);
    expect(removedFor).toEqual([key]);
  });
});

describe("lost work", () => {
  const take = (since: Date) => takeLostWork(catalog, { stage: "backup", since, limit: 100 });
  const inBackup = async () => {
    const { versionId } = await fresh();
    await work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT));
    await work(catalog, "validate", [versionId], done<"validate">(validateResult("allowed")));
    await work(catalog, "compress", [versionId], done<"compress">({}));
    return versionId;
  };
  const later = (ms: number) => new Date(Date.now() + ms);

  test("is what was due before the queue's oldest job, and is taken once", async () => {
    const versionId = await inBackup();
    expect(await take(later(-60_000))).toEqual([]);
    expect(await take(later(60_000))).toEqual([
      { versionId, size: expect.any(Number), abandoned: false },
    ]);
    await catalog.query("update stages set state = 'done' where version_id = $1", [versionId]);
  });

  test("is not what somebody holds, but what somebody held too long", async () => {
    const versionId = await inBackup();
    const request = {
      stage: "backup",
      versionIds: [versionId],
      token: randomUUID(),
      takeOver: false,
    } as const;
    await leaseStage(catalog, { ...request, leaseMs: 60_000 });
    expect(await take(later(60_000))).toEqual([]);
    await renewLeases(catalog, { ...request, leaseMs: 0 });
    expect(await take(later(60_000))).toMatchObject([{ versionId, abandoned: true }]);
    await catalog.query("update stages set state = 'done' where version_id = $1", [versionId]);
  });

  test("is not what waits for its next try", async () => {
    const versionId = await inBackup();
    await work(catalog, "backup", [versionId], {
      kind: "later",
      delayMs: 3_600_000,
      error: ERROR,
      failure: true,
    });
    expect(await take(later(60_000))).toEqual([]);
    await catalog.query("update stages set state = 'done' where version_id = $1", [versionId]);
  });

  test("is taken by one of many janitors", async () => {
    await inBackup();
    const since = new Date();
    const taken = await Promise.all(Array.from({ length: 8 }, () => take(since)));
    expect(taken.flat()).toHaveLength(1);
  });
});

test("the catalog and the map agree on the state that follows a verdict, and on the stages", async () => {
  for (const verdict of VERDICTS) {
    const { rows } = await catalog.query<{ state: string }>(
      "select state_of_verdict($1) as state",
      [verdict],
    );
    expect(rows[0]?.state).toBe(finalState(verdict));
  }
  expect(STAGE_NAMES).toContain("dedup");
});
