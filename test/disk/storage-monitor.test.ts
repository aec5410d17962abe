import { type Catalog, listEvents, migrate, openCatalog, readStorageStates } from "@sluice/catalog";
import { StorageMonitor } from "@sluice/disk";
import { createLog, createMetrics } from "@sluice/runtime";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openFreshCatalog } from "../catalog/fixture.js";
import {
  createDatabase,
  describeWith,
  type SmallDisk,
  sharedPostgres,
  startPostgres,
  mountSmallDisk,
  temporaryDirectory,
} from "../servers/index.js";

const MB = 1024 * 1024;
const LOG = createLog("test", { logLevel: "silent" });
const SETTINGS = {
  diskLow: { percent: 50, bytes: undefined },
  diskLowUntil: { percent: 75, bytes: undefined },
  diskFull: { percent: 25, bytes: undefined },
  diskFullUntil: { percent: 37.5, bytes: undefined },
  diskCheckMs: 1_000,
};

describeWith(["postgres", "mount"], "the monitor of stores on a disk of 16 MB", () => {
  let disk: SmallDisk;
  let catalog: Catalog;
  let count = 0;
  let name: string;
  beforeAll(async () => {
    disk = await mountSmallDisk(16);
    catalog = await openFreshCatalog(sharedPostgres());
  });
  afterAll(async () => {
    await catalog.close();
    await disk.remove();
  });
  beforeEach(() => {
    count += 1;
    name = `store-${count}`;
    disk.leave(15 * MB);
  });

  function monitor({
    db = catalog,
    directory = disk.seenFromHere,
    holdsIntake = true,
    probe,
  }: {
    db?: Catalog;
    directory?: string | undefined;
    holdsIntake?: boolean;
    probe?: () => Promise<void>;
  } = {}): StorageMonitor {
    const store = { name, description: "a disk", directory, isFull: isNoRoom, holdsIntake, probe };
    return new StorageMonitor({
      stores: [store],
      catalog: db,
      settings: SETTINGS,
      log: LOG,
      metrics: createMetrics("test"),
    });
  }
  /** Begins as a process does, without its timer. */
  async function begun(options: Parameters<typeof monitor>[0] = {}): Promise<StorageMonitor> {
    const made = monitor(options);
    await made.start();
    await made.close();
    return made;
  }
  const stateIn = (of: StorageMonitor) => of.stores.find((store) => store.name === name)?.state;
  async function told(db = catalog): Promise<string[]> {
    const { items } = await listEvents(db, { filter: {}, limit: 200 });
    return items
      .filter(({ details }) => "store" in details && details.store === name)
      .map(({ kind, details }) => `${kind} ${"state" in details ? String(details.state) : ""}`)
      .toReversed();
  }

  test("tells each change once, however many look at the same time", async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => begun()));
    for (const [left, expected] of [
      [7, "low"],
      [1, "full"],
      [5, "full"],
      [7, "low"],
      [11, "low"],
      [15, "ok"],
    ] as const) {
      disk.leave(left * MB);
      // Twice: one may have looked before another's change was in the catalog.
      await Promise.all(all.map((each) => each.look()));
      await Promise.all(all.map((each) => each.look()));
      expect(all.map(stateIn)).toEqual(all.map(() => expected));
    }
    expect(await told()).toEqual([
      "disk.low low",
      "disk.full full",
      "disk.recovered low",
      "disk.recovered ok",
    ]);
  });

  test("goes on between two levels from where the process before it was", async () => {
    disk.leave(1 * MB);
    expect(stateIn(await begun())).toBe("full");
    disk.leave(5 * MB);
    const next = await begun();
    expect(stateIn(next)).toBe("full");
    expect(next.closedBy.map((store) => store.name)).toEqual([name]);
    expect(await told()).toEqual(["disk.full full"]);
  });

  test("counts inodes like bytes", async () => {
    const crowded = await mountSmallDisk(16, { inodes: 20 });
    try {
      const watched = await begun({ directory: crowded.seenFromHere });
      expect(stateIn(watched)).toBe("ok");
      crowded.crowd(16);
      await watched.look();
      expect(stateIn(watched)).toBe("full");
      expect((await listEvents(catalog, { filter: {}, limit: 1 })).items[0]?.message).toMatch(
        /is full.* [1-4] of 20 inodes/,
      );
      crowded.crowd(0);
      await watched.look();
      expect(stateIn(watched)).toBe("ok");
    } finally {
      await crowded.remove();
    }
  });

  test("closes no intake for a store that uploads can do without", async () => {
    disk.leave(1 * MB);
    const watched = await begun({ holdsIntake: false });
    expect([stateIn(watched), watched.closedBy.some((store) => store.name === name)]).toEqual([
      "full",
      false,
    ]);
  });

  test("leaves a store in its state whose directory is gone, and says why", async () => {
    const gone = `${temporaryDirectory()}/gone`;
    const watched = await begun({ directory: gone });
    expect(stateIn(watched)).toBe("ok");
    const [row] = (await readStorageStates(catalog)).filter(({ store }) => store === name);
    expect(row?.seen.error).toMatch(/ENOENT/);
    expect(row?.seen.freeBytes).toBeUndefined();
  });

  test("takes a store for full that has refused a write, until a probe finds room", async () => {
    let room = false;
    const probe = () => (room ? Promise.resolve() : Promise.reject(new NoRoomError("refused")));
    const watched = await begun({ directory: undefined, probe });
    expect(stateIn(watched)).toBe("ok");
    watched.refused(name, new NoRoomError("the quota is used up"));
    expect(stateIn(watched)).toBe("full");
    await watched.look();
    await watched.look();
    expect(stateIn(watched)).toBe("full");
    room = true;
    await watched.look();
    expect(stateIn(watched)).toBe("ok");
    await watched.look();
    expect(await told()).toEqual(["disk.full full", "disk.recovered ok"]);
  });

  test("tells of a write that found no room without the room that there was before", async () => {
    disk.leave(15 * MB);
    const watched = await begun();
    watched.refused(name, new NoRoomError("no space left"));
    await watched.look();
    const { items } = await listEvents(catalog, { filter: {}, limit: 10 });
    const full = items.find(
      ({ kind, details }) => kind === "disk.full" && "store" in details && details.store === name,
    );
    expect(full?.message).toContain("it takes no writes");
    expect(full?.details).toMatchObject({ free_bytes: null, total_bytes: null });
  });

  test("knows of others' stores through the catalog, for as long as they are looked at", async () => {
    disk.leave(1 * MB);
    await begun();
    const others = new StorageMonitor({
      stores: [],
      catalog,
      settings: SETTINGS,
      log: LOG,
      metrics: createMetrics("test"),
    });
    await others.look();
    expect(others.closedBy.map((store) => store.name)).toContain(name);
    await catalog.query(
      "update storage_states set checked_at = now() - interval '1 minute' where store = $1",
      [name],
    );
    await others.look();
    expect(others.closedBy.map((store) => store.name)).not.toContain(name);
    expect(others.stores.find((store) => store.name === name)).toMatchObject({
      state: "full",
      stale: true,
    });
  });

  test("closes and opens while the catalog does not answer, and tells it afterwards, once", async () => {
    const postgres = await startPostgres();
    const url = await createDatabase(postgres);
    await migrate(url);
    const dbs = [1, 2].map(() => openCatalog(url, { log: LOG }));
    try {
      const both = await Promise.all(dbs.map((db) => begun({ db })));
      await postgres.kill();
      for (const [left, expected] of [
        [1, "full"],
        [15, "ok"],
      ] as const) {
        disk.leave(left * MB);
        await Promise.all(both.map((each) => each.look()));
        expect(both.map(stateIn)).toEqual([expected, expected]);
        expect(both.map(({ closedBy }) => closedBy.length)).toEqual(
          expected === "full" ? [1, 1] : [0, 0],
        );
      }
      await postgres.start();
      await expect
        .poll(async () => {
          await Promise.all(both.map((each) => each.look()));
          return told(dbs[0]).catch(() => []);
        })
        .toEqual(["disk.full full", "disk.recovered ok"]);
      await Promise.all(both.map((each) => each.look()));
      expect(await told(dbs[0])).toHaveLength(2);
    } finally {
      await Promise.all(dbs.map((db) => db.close()));
      await postgres.stop();
    }
  });
});

class NoRoomError extends Error {}

function isNoRoom(error: unknown): boolean {
  return error instanceof NoRoomError;
}
