import { randomUUID } from "node:crypto";
import {
  activateRetentionPolicy,
  type Catalog,
  confirmRetention,
  createRegistrar,
  liftLegalHold,
  listAudit,
  listEvents,
  placeLegalHold,
  readRetentionState,
  readScript,
} from "@sluice/catalog";
import {
  dryRun,
  type DryRunPage,
  type DueVersion,
  parseRetentionPolicy,
  type RetentionActions,
  runRetention,
} from "@sluice/retention";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeWith, sharedPostgres } from "../servers/index.js";
import { created, openFreshCatalog, sha256Of, upload } from "./fixture.js";

const HOUR_MS = 3_600_000;
const policyOf = (rules: string, brakes = "{max_share: 100%}") =>
  `name: test\nversion: 1\nrules:\n${rules}brakes: ${brakes}\n`;
const SCRIPTS_OF_A_YEAR = policyOf("  - {name: old, of: scripts, age: 1y, action: delete}\n");

describeWith(["postgres"], "retention", () => {
  let catalog: Catalog;
  /** What the actions of the last round were told. */
  let deleted: DueVersion[];
  let archived: DueVersion[];
  beforeEach(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    deleted = [];
    archived = [];
  });
  afterEach(() => catalog.close());

  const enforce = async (source: string) => {
    const { name, version } = parseRetentionPolicy(source);
    await activateRetentionPolicy(
      catalog,
      { name, version, source, activatedBy: "alice" },
      () => true,
    );
  };
  const actions: RetentionActions = {
    async deleteVersions(_tx, versions) {
      deleted.push(...versions);
      return new Set(versions.map(({ versionId }) => versionId));
    },
    async archive(versions) {
      archived.push(...versions);
      return new Set(versions.map(({ versionId }) => versionId));
    },
    checkBackup: async () => {},
  };
  /** Runs what a janitor would, until it waits for its next round. */
  const round = async (over: Partial<Parameters<typeof runRetention>[0]> = {}) => {
    let cursor: unknown;
    await runRetention(
      {
        catalog,
        actions,
        intervalMs: 0,
        perSecond: 1e9,
        trashMs: 30 * 86_400_000,
        now: Date.now,
        onActed: () => {},
        ...over,
      },
      {
        cursor,
        save: async (next) => void (cursor = next),
        signal: new AbortController().signal,
      },
    );
    return cursor;
  };
  /** A script whose versions are so many days old, the newest last. */
  const store = async (
    days: readonly number[],
    {
      texts,
      state = "ready",
      namespace = "default",
    }: { texts?: readonly string[]; state?: string; namespace?: string } = {},
  ): Promise<string> => {
    const name = `${randomUUID()}.py`;
    const scriptId = randomUUID();
    const registrar = createRegistrar(catalog, { onCommitted: () => {} });
    for (const [index, age] of days.entries()) {
      const text = texts?.[index] ?? `${name} ${index}`;
      const { versionId, sha256 } = created(
        await registrar.register(upload(name, text, { scriptId, version: index + 1, namespace })),
      );
      await catalog.query(
        `insert into blobs (sha256, size, key, length, encoding) values ($1, 10, $1, 7, 'zstd')
         on conflict do nothing`,
        [sha256],
      );
      await catalog.query(
        "update versions set created_at = now() - $2 * interval '1 day', state = $3, raw_key = null where id = $1",
        [versionId, age, state],
      );
    }
    return scriptId;
  };
  const isThere = async (scriptId: string) => (await readScript(catalog, scriptId)) !== undefined;
  const eventKinds = async () =>
    (await listEvents(catalog, { filter: {}, limit: 50 })).items.map(({ kind }) => kind);

  test("keeps everything where there is no policy, and where it has no rules", async () => {
    const old = await store([5_000]);
    await round();
    await enforce("name: empty\nversion: 1\n");
    await round();
    expect(await isThere(old)).toBe(true);
  });

  test("deletes by the first rule that matches, and says which one it was", async () => {
    await enforce(
      policyOf(
        "  - {name: releases, of: scripts, namespace: release, action: keep}\n" +
          "  - {name: old, of: scripts, age: 1y, action: delete}\n",
      ),
    );
    const [old, kept, young] = [
      await store([400]),
      await store([400], { namespace: "release" }),
      await store([300]),
    ];
    await round();
    expect(await Promise.all([old, kept, young].map(isThere))).toEqual([false, true, true]);
    const { items } = await listAudit(catalog, { filter: { scriptId: old }, limit: 10 });
    expect(items[0]).toMatchObject({
      actor: "retention",
      action: "script.deleted",
      details: {
        rule: "old",
        policy_id: 1,
        policy_version: expect.stringMatching(/^1\+/) as string,
        namespace: "default",
      },
    });
    expect((await readRetentionState(catalog)).lastRound).toMatchObject({
      versions: 3,
      scriptsDeleted: 1,
      left: 0,
    });
  });

  test("hands old versions on, and never the newest", async () => {
    await enforce(
      policyOf(
        "  - {name: many, beyond_versions: 2, action: delete}\n" +
          "  - {name: slow, age: 30d, action: archive}\n",
      ),
    );
    const scriptId = await store([90, 80, 70, 60]);
    await round();
    expect(deleted.map(({ number }) => number)).toEqual([2, 1]);
    expect(deleted[0]).toMatchObject({ scriptId, reason: { rule: "many", policy_id: 1 } });
    expect(archived.map(({ number }) => number)).toEqual([3]);
    expect(await isThere(scriptId)).toBe(true);
  });

  test("archives no bytes that a version elsewhere is kept with", async () => {
    await enforce(policyOf("  - {name: slow, age: 30d, action: archive}\n"));
    await store([90, 80], { texts: ["shared", "a"] });
    await store([70], { texts: ["shared"] });
    await store([90, 80], { texts: ["twice", "b"] });
    await store([90, 80], { texts: ["twice", "c"] });
    await round();
    expect(archived.map(({ sha256 }) => sha256)).toEqual([sha256Of("twice"), sha256Of("twice")]);
  });

  test("what is held, pinned, waits for approval or is under way stays", async () => {
    await enforce(SCRIPTS_OF_A_YEAR);
    const [held, pinned, free] = [await store([400]), await store([400]), await store([400])];
    const waiting = await Promise.all([
      store([500, 400], { state: "needs_approval" }),
      store([400], { state: "processing" }),
    ]);
    await placeLegalHold(catalog, { scriptId: held, reason: "case 7", actor: "bob" });
    await catalog.query("update scripts set pinned = true where id = $1", [pinned]);
    await round();
    expect(await isThere(free)).toBe(false);
    for (const stays of [held, pinned, ...waiting]) expect(await isThere(stays)).toBe(true);

    await liftLegalHold(catalog, { scriptId: held, actor: "bob" });
    await enforce(
      policyOf(
        "  - {name: old, of: scripts, age: 1y, action: delete, even: [pinned, needs_approval]}\n",
      ),
    );
    await round();
    for (const goes of [held, pinned, waiting[0]]) expect(await isThere(goes)).toBe(false);
    expect(await isThere(waiting[1])).toBe(true);
  });

  test("a pin, a hold, a use or a version that comes between a decision and its act wins", async () => {
    await enforce(policyOf("  - {name: old, of: scripts, age: 1y, unused: 1y, action: delete}\n"));
    const scripts = [
      await store([400]),
      await store([400]),
      await store([400]),
      await store([400]),
    ];
    const [pinned, held, used] = scripts as [string, string, string];
    let met = false;
    await round({
      catalog: {
        ...catalog,
        // The first one acts, on what was read before it.
        async transaction(work) {
          if (!met) {
            met = true;
            await catalog.query("update scripts set pinned = true where id = $1", [pinned]);
            await placeLegalHold(catalog, { scriptId: held, reason: "now", actor: "bob" });
            await catalog.query(
              "insert into script_use (script_id, last_used_at) values ($1, now() - interval '364 days')",
              [used],
            );
          }
          return catalog.transaction(work);
        },
      },
    });
    expect(met).toBe(true);
    expect(await Promise.all(scripts.map(isThere))).toEqual([true, true, true, false]);
  });

  test("waits while the backup cannot be asked, and acts once it can", async () => {
    await enforce(SCRIPTS_OF_A_YEAR);
    const scriptId = await store([400]);
    const down = { ...actions, checkBackup: () => Promise.reject(new Error("backup is down")) };
    await expect(round({ actions: down })).rejects.toThrow("backup is down");
    expect(await isThere(scriptId)).toBe(true);
    await round();
    expect(await isThere(scriptId)).toBe(false);
  });

  test("stops before it removes more than its brakes allow, until somebody confirms that", async () => {
    await enforce(
      policyOf("  - {name: old, of: scripts, age: 1y, action: delete}\n", "{max_share: 10%}"),
    );
    const scripts: string[] = [];
    for (let i = 0; i < 12; i += 1) scripts.push(await store([400]));
    for (let i = 0; i < 12; i += 1) await store([1]);
    await round();
    expect(await Promise.all(scripts.map(isThere))).toEqual(scripts.map(() => true));
    const { pause } = await readRetentionState(catalog);
    expect(pause).toMatchObject({ reason: "too_many", removals: 12, of: 24 });
    await round();
    expect(await eventKinds()).toEqual(["retention.paused"]);

    const wrong = { pauseId: randomUUID(), actor: "alice", reason: "ok" };
    expect(await confirmRetention(catalog, wrong)).toBeUndefined();
    await confirmRetention(catalog, { ...wrong, pauseId: pause?.id as string });
    await round();
    expect(await Promise.all(scripts.map(isThere))).toEqual(scripts.map(() => false));
    // It was for that once.
    const more: string[] = [];
    for (let i = 0; i < 12; i += 1) more.push(await store([400]));
    await round();
    expect(await Promise.all(more.map(isThere))).toEqual(more.map(() => true));
  });

  test("a clock that jumps a year ahead removes nothing, and is told of once", async () => {
    await enforce(SCRIPTS_OF_A_YEAR);
    const scriptId = await store([10]);
    await round();
    // To the catalog's server, all that was there before is a year older now.
    const jump = (days: number) =>
      catalog.query(
        `with s as (update retention_state set seen_at = seen_at - $1 * interval '1 day')
         update versions set created_at = created_at - $1 * interval '1 day'`,
        [days],
      );
    await jump(365);
    await round();
    await round();
    expect(await isThere(scriptId)).toBe(true);
    expect((await readRetentionState(catalog)).pause).toMatchObject({
      reason: "clock",
      message: expect.stringContaining("365 days") as string,
    });
    expect(await eventKinds()).toEqual(["retention.paused"]);
    // Right again, nobody has to say so.
    await jump(-365);
    await round();
    expect(await readRetentionState(catalog)).toMatchObject({ pause: undefined });
    expect(await eventKinds()).toEqual(["retention.resumed", "retention.paused"]);
  });

  test("two clocks that say different things remove nothing", async () => {
    await enforce(SCRIPTS_OF_A_YEAR);
    const scriptId = await store([400]);
    await round({ now: () => Date.now() + HOUR_MS });
    expect(await isThere(scriptId)).toBe(true);
    expect((await readRetentionState(catalog)).pause?.message).toContain("60 minutes ahead");
    await round();
    expect(await isThere(scriptId)).toBe(false);
  });

  test("a round that is killed anywhere goes on where it was, and two at once do no harm", async () => {
    await enforce(SCRIPTS_OF_A_YEAR);
    const scripts: string[] = [];
    for (let i = 0; i < 50; i += 1) scripts.push(await store([400]));
    let cursor: unknown;
    let trashed = 0;
    const deps = {
      catalog,
      actions,
      intervalMs: 0,
      perSecond: 1e9,
      trashMs: 30 * 86_400_000,
      now: Date.now,
      onActed: (action: string, count: number) => {
        if (action === "trash") trashed += count;
      },
    };
    // Each time it is killed after one more thing was saved.
    for (;;) {
      const killed = new AbortController();
      const run = (signal: AbortSignal) =>
        runRetention(deps, {
          cursor,
          signal,
          save: async (next) => {
            cursor = next;
            killed.abort();
          },
        });
      await Promise.all([run(killed.signal), run(killed.signal)]);
      if (cursor === undefined) break;
    }
    expect(await Promise.all(scripts.map(isThere))).toEqual(scripts.map(() => false));
    expect(trashed).toBe(50);
    const { items } = await listAudit(catalog, {
      filter: { action: "script.deleted" },
      limit: 100,
    });
    expect(items).toHaveLength(50);
  });

  test("begins anew when another policy comes into force on the way", async () => {
    await enforce(SCRIPTS_OF_A_YEAR);
    const scriptId = await store([400]);
    await round({
      actions: { ...actions, checkBackup: () => enforce("name: empty\nversion: 2\n") },
    });
    expect(await isThere(scriptId)).toBe(true);
  });

  test("a dry run says page by page what goes and what that frees, and changes nothing", async () => {
    const policy = parseRetentionPolicy(
      policyOf(
        "  - {name: many, beyond_versions: 1, age: 1d, action: delete}\n" +
          "  - {name: old, of: scripts, age: 1y, action: delete}\n",
      ),
    );
    // Bytes of their own; of another version of the script that stays; of a script that stays; of two that go.
    await store([30, 20, 10], { texts: ["own 1", "own 2", "own 3"] });
    await store([30, 20, 10], { texts: ["kept", "own 4", "kept"] });
    await store([30, 10], { texts: ["elsewhere", "own 5"] });
    await store([10], { texts: ["elsewhere"] });
    await store([400], { texts: ["both"] });
    await store([400], { texts: ["both"] });
    const run = async (limit: number): Promise<DryRunPage[]> => {
      const pages: DryRunPage[] = [];
      let after: DryRunPage["next"];
      do {
        const page = await dryRun(catalog, {
          policy,
          now: Date.now(),
          after,
          limit,
          signal: new AbortController().signal,
        });
        pages.push(page);
        after = page.next;
      } while (after !== undefined);
      return pages;
    };
    const [whole] = await run(100);
    expect(whole?.counts).toEqual({
      scripts: 6,
      versions: 11,
      scriptsDeleted: 2,
      versionsDeleted: 7,
      versionsArchived: 0,
      // own 1, own 2, own 4, both: seven bytes each.
      freedBytes: 28,
      archivedBytes: 0,
    });
    for (const limit of [1, 2, 3]) {
      const pages = await run(limit);
      expect(pages.flatMap(({ items }) => items)).toEqual(whole?.items);
      for (const name of [
        "scripts",
        "versions",
        "scriptsDeleted",
        "versionsDeleted",
        "freedBytes",
      ] as const)
        expect(pages.reduce((sum, { counts }) => sum + counts[name], 0)).toBe(whole?.counts[name]);
    }
    await round();
    expect(deleted).toEqual([]);
  });
});
