import {
  DERIVED_TABLES,
  type ExportOutcome,
  listExports,
  NOT_OF_ONE_SCRIPT,
  OF_A_SCRIPT,
  readChain,
  readTables,
} from "@sluice/recovery";
import { randomBytes } from "node:crypto";
import { backupKey } from "@sluice/recovery";
import { expect, test } from "vitest";
import { describeWith } from "../servers/index.js";
import { Stores, storeWith } from "./fixture.js";

/** The rows and deletions of an export, by table. */
function told(outcome: ExportOutcome): Record<string, number> {
  if (outcome.kind !== "exported") throw new Error(outcome.kind);
  return Object.fromEntries(
    outcome.index.segments.map(({ table, kind, rows }) => [
      kind === "rows" ? table : `-${table}`,
      rows,
    ]),
  );
}

function kindOf(outcome: ExportOutcome): string {
  return outcome.kind === "exported" ? outcome.index.kind : outcome.kind;
}

describeWith(["postgres"], "an export of the catalog", () => {
  test("has every table that is not named as derived with a reason", async () => {
    const { catalog } = await Stores.open();
    const { rows } = await catalog.query<{ table_name: string }>(
      `select table_name from information_schema.tables
       where table_schema = 'public' and table_type = 'BASE TABLE'`,
    );
    const exported = (await readTables(catalog)).map(({ name }) => name);
    const all = [...exported, ...DERIVED_TABLES.keys()];
    expect(all.toSorted()).toEqual(rows.map(({ table_name }) => table_name).toSorted());
    for (const reason of DERIVED_TABLES.values()) expect(reason).not.toBe("");
  });

  test("says of every table whether its rows come back with one script", async () => {
    const { catalog } = await Stores.open();
    const naming = (await readTables(catalog)).filter(({ columns }) =>
      columns.some(({ name }) => /^(script_id|version_id|sha256)$/.test(name)),
    );
    const decided = (name: string): boolean => OF_A_SCRIPT.has(name) || NOT_OF_ONE_SCRIPT.has(name);
    expect(naming.map(({ name }) => name).filter((name) => !decided(name))).toEqual([]);
    for (const name of NOT_OF_ONE_SCRIPT.keys()) expect(OF_A_SCRIPT.has(name), name).toBe(false);
  });

  test("is a base first, then what has changed, and nothing where nothing has", async () => {
    const stores = await Stores.open();
    const { scriptId } = await stores.upload("a.py", "a = 1\n");
    await stores.upload("b.py", "b = 1\n");
    const base = await stores.export();
    expect(kindOf(base)).toBe("base");
    expect(told(base)).toMatchObject({ scripts: 2, versions: 2, stages: 2, early_copies: 2 });
    await stores.export();
    expect(kindOf(await stores.export())).toBe("unchanged");
    await stores.catalog.query("update scripts set title = 'A' where id = $1", [scriptId]);
    const changed = await stores.export();
    expect(kindOf(changed)).toBe("increment");
    expect(told(changed)).toEqual({ scripts: 1 });
  });

  test("has what a transaction wrote that was under way at the one before", async () => {
    const stores = await Stores.open();
    const { scriptId } = await stores.upload("a.py", "a = 1\n");
    await stores.export();
    await stores.catalog.transaction(async (tx) => {
      await tx.query("update scripts set title = 'slow' where id = $1", [scriptId]);
      await stores.upload("b.py", "b = 1\n");
      expect(told(await stores.export())).toMatchObject({ scripts: 1, versions: 1 });
    });
    const { scripts } = told(await stores.export());
    expect(scripts).toBe(2);
  });

  test("says what was deleted, unless it is there again", async () => {
    const stores = await Stores.open();
    const insert =
      "insert into idempotency_keys (key, fingerprint) values ('gone', ''), ('back', '') on conflict do nothing";
    await stores.catalog.query(insert);
    await stores.export();
    await stores.catalog.query("delete from idempotency_keys");
    await stores.catalog.query(
      "insert into idempotency_keys (key, fingerprint) values ('back', '')",
    );
    expect(told(await stores.export())).toEqual({ "-idempotency_keys": 1, idempotency_keys: 1 });
    await stores.export();
    expect(kindOf(await stores.export())).toBe("unchanged");
  });

  test("begins anew where the newest is not this catalog's own, is damaged, or has another key", async () => {
    const stores = await Stores.open();
    await stores.upload("a.py", "a = 1\n");
    const kind = async (keys = [] as ReturnType<typeof backupKey>[]) =>
      kindOf(await stores.export({ keys }));
    expect(await kind()).toBe("base");
    expect(await kind([backupKey(randomBytes(32))])).toBe("base");
    expect(await kind()).toBe("base");
    const newest = (await listExports(stores.backup)).at(-1);
    await stores.backup.put(`backups/catalog/indexes/${newest}.json`, Buffer.from("{}"));
    expect(await kind()).toBe("base");
    const other = await Stores.open({ backup: stores.backup });
    expect(kindOf(await other.export())).toBe("base");
    expect(await kind()).toBe("base");
  });

  test("is made by one of two that try at once, and always whole", async () => {
    const stores = await Stores.open();
    await Promise.all(Array.from({ length: 20 }, (_, i) => stores.upload(`${i}.py`, `x = ${i}\n`)));
    const kinds = (await Promise.all([1, 2, 3, 4].map(() => stores.export()))).map(kindOf);
    expect(kinds.filter((kind) => kind === "base")).toHaveLength(1);
    for (const id of await listExports(stores.backup)) await readChain(stores.backup, id);
  });

  test("that is stopped in the middle leaves the one before it", async () => {
    const stores = await Stores.open();
    await stores.upload("a.py", "a = 1\n");
    await stores.export();
    await stores.upload("b.py", "b = 1\n");
    const abort = new AbortController();
    const { backup } = stores;
    const stopping = storeWith(backup, {
      put: async (key: string, bytes: Buffer) => {
        await backup.put(key, bytes);
        if (key.includes("segments")) abort.abort();
      },
    });
    await expect(stores.export({ backup: stopping, signal: abort.signal })).rejects.toThrow(
      /aborted/,
    );
    expect(await listExports(stores.backup)).toHaveLength(1);
    expect(told(await stores.export())).toMatchObject({ scripts: 1, versions: 1 });
  });

  test("goes when it is old, with all of it, but never the last two bases", async () => {
    const stores = await Stores.open();
    for (let i = 0; i < 4; i++) {
      await stores.upload(`${i}.py`, `x = ${i}\n`);
      await stores.export({ keepMs: -1 });
      // What another database seems to have exported is not gone on from.
      await stores.catalog.query("delete from export_state");
    }
    const ids = await listExports(stores.backup);
    expect(ids).toHaveLength(2);
    const segments = [...(await stores.contents(stores.backup)).keys()].filter((key) =>
      key.includes("/segments/"),
    );
    expect(new Set(segments.map((key) => key.split("/")[3]))).toEqual(new Set(ids));
  });

  test("has copies made early replaced by those of the backup stage", async () => {
    const stores = await Stores.open();
    await stores.upload("a.py", "a = 1\n");
    await stores.export();
    const early = [...(await stores.contents(stores.backup)).keys()].filter((key) =>
      key.startsWith("backups/blobs/"),
    );
    expect(early).toHaveLength(1);
    await stores.catalog.query(
      `insert into blobs (sha256, size, key, length, encoding, backup_key)
       select sha256, size, 'blobs/x', 1, 'zstd', 'backups/blobs/other.zst' from versions`,
    );
    await stores.export();
    expect(await stores.backup.stat(early[0] as string)).toBeUndefined();
  });
});
