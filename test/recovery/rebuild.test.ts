import { PackBuilder, readBlob } from "@sluice/blobs";
import {
  deleteScript,
  HalfRestoredError,
  listVersions,
  migrate,
  readScript,
  readVersion,
} from "@sluice/catalog";
import {
  metadataKey,
  packKey,
  type ObjectStore,
  REGISTERS,
  StoreFullError,
  uploadKey,
} from "@sluice/object-store";
import {
  DamagedExportError,
  listExports,
  readChain,
  rebuild,
  type RebuildDeps,
} from "@sluice/recovery";
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { sha256Of } from "../catalog/fixture.js";
import { describeWith } from "../servers/index.js";
import { Stores, storeWith } from "./fixture.js";

function remake(target: Stores, overrides: Partial<RebuildDeps> = {}) {
  const { catalogUrl, objects } = target;
  return rebuild({
    catalogUrl,
    objects,
    backup: undefined,
    ignoreRegister: false,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...overrides,
  });
}

/** A new catalog beside the same objects; the backup store is another one. */
const beside = ({ objects }: Stores): Promise<Stores> => Stores.open({ objects, migrated: false });

const HELD = [
  "trash",
  "scripts",
  "metadata_changes",
  "legal_holds",
  "approvals",
  "approval_items",
  "audit_log",
];

async function held(stores: Stores): Promise<object> {
  const rows = await stores.rows();
  return Object.fromEntries(HELD.map((table) => [table, rows[table]]));
}

/** Names, numbers and hashes of all versions, with what is to be done with them. */
async function versionsOf({ catalog }: Stores): Promise<object[]> {
  const { rows } = await catalog.query(
    `select s.filename, v.number, v.sha256, v.size, v.created_at, v.state, st.stage, st.state as stage_state
     from versions v join scripts s on s.id = v.script_id left join stages st on st.version_id = v.id
     order by s.filename, v.number, st.stage`,
  );
  return rows;
}

describeWith(["postgres"], "a rebuild from the object store alone", () => {
  /** Everything there can be, by a base and an increment of the register. */
  async function registered(): Promise<Stores> {
    const stores = await Stores.open();
    const { catalog } = stores;
    const mine = await stores.ready("mine.py", "import os\n");
    await stores.export();
    await stores.ready("mine.py", "import sys\n", 2, mine.scriptId);
    await stores.settle(await stores.upload("twin.py", "import os\n"), "import os\n");
    await stores.invalid("invalid.py", "def (\n");
    await stores.upload("queued.py", "queued = 1\n");
    const deleted = await stores.ready("deleted.py", "import re\n");
    await deleteScript(catalog, { scriptId: deleted.scriptId, actor: "x", trashMs: 86_400_000 });
    await catalog.query(
      "update scripts set title = 'Mine', tags = '{a}', revision = 2 where id = $1",
      [mine.scriptId],
    );
    await catalog.query(
      "insert into metadata_changes (script_id, revision, actor, changes) values ($1, 2, 'who', '[]')",
      [mine.scriptId],
    );
    await catalog.query(
      "insert into legal_holds (script_id, reason, actor) values ($1, 'r', 'a')",
      [mine.scriptId],
    );
    await catalog.query(
      `insert into approvals (id, script_id, version, sha256, bytes_since, decision, reason, actor)
       values (gen_random_uuid(), $1, 1, $2, 1, 'granted', 'why', 'who')`,
      [mine.scriptId, sha256Of("import os\n")],
    );
    const purged = await stores.upload("purged.py", "import os\n");
    await stores.export();
    await catalog.query("delete from stages where version_id = $1", [purged.versionId]);
    await catalog.query("delete from versions where id = $1", [purged.versionId]);
    await catalog.query("delete from scripts where id = $1", [purged.scriptId]);
    await stores.objects.delete(purged.rawKey ?? "");
    await stores.export();
    return stores;
  }

  test("gives names, versions and what people said again, and lets all of it be analysed anew", async () => {
    const stores = await registered();
    const target = await beside(stores);
    expect(await remake(target)).toMatchObject({
      scripts: 5,
      versions: 6,
      queued: 6,
      found: 0,
      lost: [],
    });
    expect(await held(target)).toEqual(await held(stores));
    const before = await versionsOf(stores);
    const names = (all: object[]) => [
      ...new Set(all.map((one) => JSON.stringify({ ...one, state: 0, stage: 0, stage_state: 0 }))),
    ];
    expect(names(await versionsOf(target))).toEqual(names(before));
    for (const one of await versionsOf(target))
      expect(one).toMatchObject({ state: "queued", stage: "dedup", stage_state: "pending" });
    await target.catalog.check();
    const { rows } = await target.catalog.query(
      "select kind, severity from events where kind ~ '^catalog'",
    );
    expect(rows).toEqual([{ kind: "catalog.rebuilt", severity: "info" }]);
    // The work finds the bytes where they are.
    const { rows: places } = await target.catalog.query<{ sha256: string; key: string | null }>(
      `select v.sha256, coalesce(b.key, v.raw_key) as key from versions v left join blobs b on b.sha256 = v.sha256`,
    );
    for (const { sha256, key } of places)
      expect(sha256Of((await target.objects.get(key ?? "")).toString())).toBe(sha256);
    expect(
      (
        await listVersions(target.catalog, {
          scriptId: String(await idOf(target, "mine.py")),
          limit: 5,
        })
      ).items,
    ).toHaveLength(2);
  });

  test("names what came after the register by what lies beside it, and keeps what has no name", async () => {
    const stores = await registered();
    const id = randomUUID();
    const texts = ["late = 1\n", "late = 2\n", "nameless = 1\n", "raw = 1\n"];
    const [first = "", second = "", nameless = "", raw = ""] = texts;
    for (const [index, text] of [first, second, nameless].entries()) {
      const sha256 = sha256Of(text);
      await stores.objects.put(
        `blobs/sha256/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`,
        Buffer.from(text),
      );
      const head = {
        script_id: id,
        namespace: "team",
        filename: "late.py",
        version: index + 1,
        sha256,
      };
      if (text !== nameless)
        await stores.objects.put(metadataKey(sha256), Buffer.from(JSON.stringify(head)));
    }
    await stores.objects.put(uploadKey(new Date(), randomUUID(), 1, "a"), Buffer.from(raw));
    const damaged = sha256Of("never\n");
    await stores.objects.put(
      `blobs/sha256/${damaged.slice(0, 2)}/${damaged.slice(2, 4)}/${damaged}`,
      Buffer.from("x"),
    );
    const target = await beside(stores);
    expect(await remake(target)).toMatchObject({ found: 4, lost: [] });
    expect(await readScript(target.catalog, id)).toMatchObject({
      namespace: "team",
      filename: "late.py",
      version: 2,
    });
    const { rows } = await target.catalog.query<{ sha256: string }>(
      "select v.sha256 from versions v join scripts s on s.id = v.script_id where s.namespace = 'recovered'",
    );
    expect(rows.map(({ sha256 }) => sha256).toSorted()).toEqual(
      [sha256Of(nameless), sha256Of(raw)].toSorted(),
    );
  });

  test("makes do without a register", async () => {
    const stores = await registered();
    const sha256 = sha256Of("import sys\n");
    const head = { script_id: randomUUID(), filename: "mine.py", version: 2 };
    await stores.objects.put(metadataKey(sha256), Buffer.from(JSON.stringify(head)));
    const target = await beside(stores);
    const rebuilt = await remake(target, { ignoreRegister: true });
    expect(rebuilt).toMatchObject({ versions: 5, queued: 5, found: 5, registeredAt: undefined });
    expect(await readScript(target.catalog, head.script_id)).toMatchObject({
      filename: "mine.py",
      version: 2,
      sha256,
    });
  });

  test("finds what lies in packs, and names a pack that does not say what it holds", async () => {
    const stores = await registered();
    const sha256 = sha256Of("import sys\n");
    const head = { script_id: randomUUID(), filename: "packed.py", version: 1 };
    const unnamed = "packed = 1\n";
    const pack = new PackBuilder();
    await pack.add(sha256, Buffer.from("import sys\n"));
    await pack.add(sha256Of(unnamed), Buffer.from(unnamed), Buffer.from(JSON.stringify(head)));
    const [id, damaged] = [randomUUID(), packKey(randomUUID())];
    await stores.objects.put(packKey(id), await pack.finish());
    await stores.objects.put(damaged, Buffer.from("not a pack"));
    for (const key of (await stores.contents()).keys())
      if (key.startsWith("blobs/") && key.includes(sha256)) await stores.objects.delete(key);
    const target = await beside(stores);
    const rebuilt = await remake(target);
    expect(rebuilt).toMatchObject({
      lost: [],
      found: 1,
      damaged: [expect.stringContaining(damaged)],
    });
    expect(await readScript(target.catalog, head.script_id)).toMatchObject({
      filename: "packed.py",
    });
    const scriptId = String(await idOf(target, "mine.py"));
    const packed = await readVersion(target.catalog, { scriptId, version: 2 });
    expect(packed?.blob?.key).toBe(packKey(id));
    const content = await readBlob(target.objects, packed!.blob!, sha256);
    expect(content.toString()).toBe("import sys\n");
    const { rows } = await target.catalog.query("select id, state from packs");
    expect(rows).toContainEqual({ id, state: "ready" });
  });

  test("goes on where it was stopped, and nothing is served meanwhile", async () => {
    const stores = await registered();
    const target = await beside(stores);
    let runs = 0;
    for (let stopAt = 1, over = false; !over; stopAt += 2) {
      const abort = new AbortController();
      let steps = 0;
      const onProgress = (phase: string): void => {
        if (phase !== "checking the export" && ++steps === stopAt) abort.abort();
      };
      over = await remake(target, { signal: abort.signal, onProgress }).then(
        () => true,
        (error: unknown) => {
          expect(abort.signal.aborted, String(error)).toBe(true);
          return false;
        },
      );
      runs += 1;
      if (over) break;
      await expect(migrate(target.catalogUrl)).rejects.toThrow(HalfRestoredError);
      await expect(target.restore({ from: stores.backup })).rejects.toThrow(/sluice rebuild/);
    }
    expect(runs).toBeGreaterThan(2);
    expect(await held(target)).toEqual(await held(stores));
  });

  test("names bytes that are lost, and takes them from the backup store where it has them", async () => {
    const stores = await registered();
    const [lost, copied] = [sha256Of("queued = 1\n"), sha256Of("import sys\n")];
    const early = [...(await stores.contents(stores.backup)).keys()].find((key) =>
      key.includes(lost),
    );
    await stores.backup.delete(early ?? "");
    for (const key of (await stores.contents()).keys())
      if (key.includes(copied) || key.startsWith("uploads/") || key.startsWith("quarantine/"))
        await stores.objects.delete(key);
    const target = await beside(stores);
    const rebuilt = await remake(target, { backup: stores.backup });
    expect(rebuilt.lost).toEqual([{ sha256: lost, why: "there is no copy" }]);
    const states = (await versionsOf(target)) as {
      filename: string;
      number: number;
      state: string;
    }[];
    const stateOf = (name: string, number = 1) =>
      states.find((one) => one.filename === name && one.number === number)?.state;
    expect([stateOf("queued.py"), stateOf("mine.py", 2), stateOf("twin.py")]).toEqual([
      "failed",
      "queued",
      "queued",
    ]);
    // What was kept for a while only stays rejected.
    expect(stateOf("invalid.py")).toBe("rejected");
  });

  test("refuses a catalog that is not empty, and a store with nothing in it", async () => {
    const stores = await registered();
    await expect(remake(stores)).rejects.toThrow(/not empty.* rows in scripts/s);
    await expect(remake(await Stores.open())).rejects.toThrow(/nothing in .* to rebuild from/);
  });

  test("names the object of the register that is damaged, and has written nothing", async () => {
    const stores = await registered();
    const newest = (await listExports(stores.objects, REGISTERS)).at(-1) as string;
    const chain = await readChain(stores.objects, newest, REGISTERS);
    const key = chain.flatMap(({ index }) => index.segments)[0]!.key;
    const whole = await stores.objects.get(key);
    await stores.objects.put(key, whole.subarray(1));
    const target = await Stores.open({ objects: stores.objects });
    await expect(remake(target)).rejects.toThrow(DamagedExportError);
    await expect(remake(target)).rejects.toThrow(key);
    expect(await target.rows()).toMatchObject({ scripts: [], versions: [] });
    expect((await remake(target, { ignoreRegister: true })).versions).toBe(5);
  });

  test("rests on registers that a full object store delays, but no export", async () => {
    const stores = await registered();
    const put = async (key: string, bytes: Buffer): Promise<void> => {
      if (key.startsWith(REGISTERS)) throw new StoreFullError("no room");
      await stores.objects.put(key, bytes);
    };
    const full: ObjectStore = storeWith(stores.objects, { put });
    await stores.upload("first.py", "first = 1\n");
    expect(await stores.export({ objects: full })).toMatchObject({
      kind: "exported",
      unregistered: { message: "no room" },
    });
    await stores.upload("second.py", "second = 1\n");
    expect(await stores.export()).toMatchObject({
      kind: "exported",
      index: { kind: "increment" },
      unregistered: undefined,
    });
    const target = await beside(stores);
    await remake(target);
    expect(await idOf(target, "first.py")).toBe(await idOf(stores, "first.py"));
    expect(await idOf(target, "second.py")).toBe(await idOf(stores, "second.py"));
    // One base is all there is.
    const ids = await listExports(stores.objects, REGISTERS);
    expect(ids).toHaveLength(1);
  });
});

async function idOf({ catalog }: Stores, filename: string): Promise<string | undefined> {
  const { rows } = await catalog.query<{ id: string }>(
    "select id from scripts where filename = $1",
    [filename],
  );
  return rows[0]?.id;
}
