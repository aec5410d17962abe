import { randomUUID } from "node:crypto";
import {
  type Catalog,
  claimOrphan,
  freeDeadLeases,
  listUnmanifested,
  releaseOrphan,
  retryFailed,
  settleStage,
} from "@sluice/catalog";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharedPostgres } from "../servers/index.js";
import {
  BACKUP_RESULT,
  DEDUP_RESULT,
  done,
  EXTRACT_RESULT,
  finish,
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
const ERROR = { code: "broken", message: "it broke" };

test("a duplicate that begins to wait while its leader starts over starts over too", async () => {
  const leader = await fresh();
  const twin = await register(catalog, upload(`late-twin-${counter}.py`, `body ${counter}`));
  await work(catalog, "dedup", [leader.versionId], done<"dedup">(DEDUP_RESULT));
  const item = {
    version_id: twin.versionId,
    sha256: sha256Of(`body ${counter}`),
    size: 1,
    key: "k",
    length: 1,
    encoding: "identity",
    analyser_version: DEDUP_RESULT.analyserVersion,
    policy_version: DEDUP_RESULT.policyVersion,
    policy_id: DEDUP_RESULT.policyId,
  };
  let restarted: Promise<unknown> = Promise.resolve();
  await catalog.transaction(async (tx) => {
    const { rows } = await tx.query<{ role: string }>("select settle_dedup($1) as role", [item]);
    expect(rows[0]?.role).toBe("waits");
    restarted = work(catalog, "validate", [leader.versionId], { kind: "restart", delayMs: 0 });
    const waitsForLock = async () =>
      (
        await catalog.query(
          "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        )
      ).rowCount;
    await expect.poll(waitsForLock).toBe(1);
  });
  await restarted;
  const { rows } = await catalog.query<{ duplicate_of: string | null }>(
    "select duplicate_of from versions where id = $1",
    [twin.versionId],
  );
  expect(rows[0]?.duplicate_of).toBeNull();
  expect(await standing(catalog, twin.scriptId)).toMatch(/dedup:pending/);
});

describe("the same bytes", () => {
  const twins = async (count: number) => {
    counter += 1;
    return Promise.all(
      Array.from({ length: count }, (_, index) =>
        register(catalog, upload(`twin-${counter}-${index}.py`, `twins ${counter}`)),
      ),
    );
  };

  test("that race are analysed once; all end alike when the one is done", async () => {
    const all = await twins(50);
    const settled = await Promise.all(
      all.map(({ versionId }) => work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT))),
    );
    const leaders = settled.flatMap(({ next }) => next.map(({ versionId }) => versionId));
    expect(leaders).toHaveLength(1);
    const [leader] = leaders as [string];
    const { rows } = await catalog.query<{ count: number }>(
      "select count(*)::int as count from blobs where sha256 = $1",
      [sha256Of(`twins ${counter}`)],
    );
    expect(rows[0]?.count).toBe(1);

    await work(catalog, "validate", [leader], done<"validate">(validateResult("refused")));
    await work(catalog, "extract", [leader], done<"extract">(EXTRACT_RESULT));
    await work(catalog, "compress", [leader], done<"compress">({}));
    await work(catalog, "backup", [leader], done<"backup">(BACKUP_RESULT));
    for (const { scriptId, versionId } of all) {
      const state = versionId === leader ? "done" : "skipped";
      expect(await standing(catalog, scriptId)).toBe(
        `rejected refused dedup:done validate:${state} extract:${state} compress:${state} backup:${state}`,
      );
    }
    expect(await listUnmanifested(catalog, 1000)).toHaveLength(49);
  });

  test("seen before reuse every result at once", async () => {
    const [first] = (await twins(1)) as [Awaited<ReturnType<typeof fresh>>];
    await finish(catalog, first.versionId, "allowed");
    const again = await register(catalog, upload("again.py", `twins ${counter}`));
    const { next } = await work(catalog, "dedup", [again.versionId], done<"dedup">(DEDUP_RESULT));
    expect(next).toEqual([]);
    expect(await standing(catalog, again.scriptId)).toBe(
      "ready allowed dedup:done validate:skipped extract:skipped compress:skipped backup:skipped",
    );
  });

  test("under another policy or analyser are analysed anew", async () => {
    const [first] = (await twins(1)) as [Awaited<ReturnType<typeof fresh>>];
    await finish(catalog, first.versionId, "allowed");
    const again = await register(catalog, upload("other-policy.py", `twins ${counter}`));
    const { next } = await work(
      catalog,
      "dedup",
      [again.versionId],
      done<"dedup">({ ...DEDUP_RESULT, policyVersion: "p2" }),
    );
    expect(next).toMatchObject([{ stage: "validate", versionId: again.versionId }]);
  });

  test("fail together, and one that is tried again leads", async () => {
    const [one, two, three] = (await twins(3)) as [
      Awaited<ReturnType<typeof fresh>>,
      Awaited<ReturnType<typeof fresh>>,
      Awaited<ReturnType<typeof fresh>>,
    ];
    for (const { versionId } of [one, two, three]) {
      await work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT));
    }
    await work(catalog, "validate", [one.versionId], { kind: "failed", error: ERROR });
    expect(await standing(catalog, two.scriptId)).toMatch(
      /^failed null dedup:done validate:failed/,
    );

    expect(await retryFailed(catalog, two.versionId)).toMatchObject({ stages: ["dedup"] });
    expect(await retryFailed(catalog, three.versionId)).toMatchObject({ stages: ["dedup"] });
    await work(catalog, "dedup", [two.versionId], done<"dedup">(DEDUP_RESULT));
    await work(catalog, "dedup", [three.versionId], done<"dedup">(DEDUP_RESULT));
    await work(
      catalog,
      "validate",
      [two.versionId],
      done<"validate">(validateResult("allowed"), true),
    );
    expect(await standing(catalog, two.scriptId)).toMatch(/^ready/);
    expect(await standing(catalog, three.scriptId)).toMatch(/^ready/);

    expect(await retryFailed(catalog, one.versionId)).toBeDefined();
    await work(catalog, "dedup", [one.versionId], done<"dedup">(DEDUP_RESULT));
    expect(await standing(catalog, one.scriptId)).toMatch(/^ready/);
  });

  test("of a blob that is being deleted as an orphan are settled only after that", async () => {
    counter += 1;
    const text = `orphan ${counter}`;
    const { versionId } = await register(catalog, upload(`orphan-${counter}.py`, text));
    expect(await claimOrphan(catalog, { sha256: sha256Of(text), key: "k" })).toBe(true);
    expect(await claimOrphan(catalog, { sha256: sha256Of(text), key: "k" })).toBe(false);
    await expect(work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT))).rejects.toThrow(
      /orphan/,
    );
    await releaseOrphan(catalog, sha256Of(text));
    const token = randomUUID();
    // Leased before the object went: what it has stored may be gone.
    await catalog.query(
      "update stages set lease_token = $2, state = 'running' where version_id = $1",
      [versionId, token],
    );
    const ending = done<"dedup">(DEDUP_RESULT);
    await expect(
      settleStage(catalog, "dedup", [{ versionId, token, durationMs: 1, ending }]),
    ).rejects.toThrow(/orphan/);
    await freeDeadLeases(catalog, { stage: "dedup", versionIds: [versionId] });
    const { next } = await work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT));
    expect(next).toHaveLength(1);
    expect(await claimOrphan(catalog, { sha256: sha256Of(text), key: "k" })).toBe(false);
  });
});
