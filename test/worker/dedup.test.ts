import { randomUUID } from "node:crypto";
import { encode, readBlob } from "@sluice/blobs";
import {
  type Catalog,
  leaseStage,
  markDamaged,
  readBlobPlace,
  settleStage,
  type StageScript,
} from "@sluice/catalog";
import { type ObjectStore, openObjectStore } from "@sluice/object-store";
import { DEFAULT_POLICY_DOCUMENT } from "@sluice/python-analysis";
import { createLog } from "@sluice/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dedup } from "../../services/dedup/src/dedup.js";
import { openFreshCatalog, register, sha256Of, upload } from "../catalog/fixture.js";
import { describeWith, sharedPostgres, temporaryDirectory } from "../servers/index.js";

describeWith(["postgres"], "dedup onto a blob that is there already", () => {
  let catalog: Catalog;
  let objects: ObjectStore;
  let backup: ObjectStore;
  beforeAll(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    objects = await openObjectStore(`file://${temporaryDirectory()}/objects`);
    backup = await openObjectStore(`file://${temporaryDirectory()}/backup`);
  });
  afterAll(async () => {
    await catalog.close();
    await objects.close();
    await backup.close();
  });

  const settings = {
    signal: new AbortController().signal,
    log: createLog("dedup", { logLevel: "silent" }),
  };

  async function leased(text: string): Promise<{ script: StageScript; token: string }> {
    const item = upload(`${randomUUID()}.py`, text);
    const { versionId } = await register(catalog, item);
    await objects.put(item.rawKey as string, Buffer.from(text));
    const token = randomUUID();
    const [script] = await leaseStage(catalog, {
      stage: "dedup",
      versionIds: [versionId],
      token,
      leaseMs: 60_000,
      takeOver: false,
    });
    return { script: script as StageScript, token };
  }

  /** Runs the stage on a new upload of that text, and commits it. */
  async function run(
    text: string,
    before: (script: StageScript) => Promise<void> = async () => {},
  ) {
    const { script, token } = await leased(text);
    await before(script);
    const outcome = await dedup(
      script,
      {
        catalog,
        objects,
        backup,
        analyserVersion: "1",
        policies: { current: async () => ({ id: 0, document: DEFAULT_POLICY_DOCUMENT }) },
      },
      settings,
    );
    if (outcome.kind !== "advance") throw new Error(outcome.kind);
    const ending = { kind: "done", result: outcome.result, stop: false } as const;
    await settleStage(catalog, "dedup", [
      { versionId: script.versionId, token, durationMs: 1, ending },
    ]);
    return outcome.result.place;
  }

  async function content(text: string): Promise<string> {
    const place = await readBlobPlace(catalog, sha256Of(text));
    if (place === undefined) throw new Error("no blob");
    return String(await readBlob(objects, place, sha256Of(text)));
  }

  const marks = async (text: string): Promise<number | null> =>
    (await catalog.query("select from damaged_blobs where sha256 = $1", [sha256Of(text)])).rowCount;

  test("takes it as it is where it is whole", async () => {
    const text = "whole = 1\n".repeat(50);
    const { key } = await run(text);
    const packed = await encode(Buffer.from(text), "zstd");
    await objects.put(`${key}.zst`, packed);
    await objects.delete(key);
    await catalog.query(
      "update blobs set key = $2, encoding = 'zstd', length = $3 where sha256 = $1",
      [sha256Of(text), `${key}.zst`, packed.length],
    );
    expect(await run(text)).toMatchObject({ key: `${key}.zst`, encoding: "zstd" });
    expect(await objects.stat(key)).toBeUndefined();
  });

  test.each([
    ["missing", undefined],
    ["edited", (whole: Buffer) => Buffer.alloc(whole.length, "x")],
    ["cut", (whole: Buffer) => whole.subarray(0, 3)],
  ] as const)("puts it back where it is %s, and takes the mark away", async (how, harm) => {
    const text = `${how} = 1\n`.repeat(50);
    const { key } = await run(text);
    if (harm === undefined) await objects.delete(key);
    else await objects.put(key, harm(await objects.get(key)));
    await markDamaged(catalog, sha256Of(text), { state: "missing", detail: "test" });
    await run(text);
    expect(await content(text)).toBe(text);
    expect(await marks(text)).toBe(0);
  });

  test("takes the mark of lost bytes away that never were a blob", async () => {
    const text = "never = 1\n";
    await markDamaged(catalog, sha256Of(text), { state: "missing", detail: "test" });
    await run(text);
    expect(await content(text)).toBe(text);
    expect(await marks(text)).toBe(0);
  });

  test("brings an upload that is damaged back from its early copy", async () => {
    const text = "early = 1\n".repeat(20);
    const backupKey = `backups/blobs/sha256/${sha256Of(text).slice(0, 2)}/${sha256Of(text).slice(2, 4)}/${sha256Of(text)}`;
    await run(text, async ({ rawKey, sha256 }) => {
      await objects.put(rawKey as string, Buffer.from("edited"));
      await backup.put(backupKey, Buffer.from(text));
      await catalog.query("insert into early_copies (sha256, key) values ($1, $2)", [
        sha256,
        backupKey,
      ]);
    });
    expect(await content(text)).toBe(text);
  });

  test("lets nothing go where the upload and the blob are both damaged", async () => {
    const text = "both = 1\n".repeat(20);
    const { key } = await run(text);
    await objects.put(key, Buffer.from("bad"));
    let rawKey = "";
    await expect(
      run(text, async (script) => {
        rawKey = script.rawKey as string;
        await objects.put(rawKey, Buffer.from("bad"));
      }),
    ).rejects.toThrow(/does not hold the bytes/);
    expect(String(await objects.get(rawKey))).toBe("bad");
    expect(await marks(text)).toBe(1);
  });
});
