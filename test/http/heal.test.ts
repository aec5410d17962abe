import { randomUUID } from "node:crypto";
import { rm, symlink } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { backUpBlob } from "@sluice/backup";
import { encode, sha256Of } from "@sluice/blobs";
import { listEvents, readBlobPlace } from "@sluice/catalog";
import type { Problem, ScriptDetails, UploadedScript } from "@sluice/contracts";
import {
  type BlobEncoding,
  blobKey,
  type ObjectStore,
  openObjectStore,
} from "@sluice/object-store";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith, type S3Server, startS3, temporaryDirectory } from "../servers/index.js";
import { call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";
import { pass } from "./stages.js";

for (const kind of [undefined, "versitygw"] as const) {
  describeWith(
    kind === undefined ? ["postgres"] : ["postgres", kind],
    `what downloads find damaged or missing on ${kind ?? "a directory"}`,
    () => {
      let server: S3Server | undefined;
      let ingest: Ingest;
      let backup: ObjectStore;
      let directory: string;
      beforeAll(async () => {
        if (kind !== undefined) server = await startS3(kind);
        directory = `file://${temporaryDirectory()}`;
        const OBJECT_STORE_URL = server?.bucketUrl() ?? `${directory}/objects`;
        const BACKUP_URL = server?.bucketUrl() ?? `${directory}/backup`;
        ingest = await startIngest({ env: { OBJECT_STORE_URL, BACKUP_URL } });
        backup = await openObjectStore(BACKUP_URL);
        // A store that has nothing at all is taken for another one.
        await upload(ingest, "other.py", "pass\n");
      });
      afterAll(async () => {
        await ingest.stop();
        await backup.close();
        await server?.stop();
      });

      interface Script {
        readonly script: UploadedScript;
        readonly sha256: string;
        readonly text: string;
        readonly key: string;
        readonly backupKey: string;
      }

      /** A script that has been through dedup and, unless told otherwise, backup. */
      async function stored({
        encoding = "zstd",
        backedUp = true,
      }: { encoding?: BlobEncoding; backedUp?: boolean } = {}): Promise<Script> {
        const text = `# ${randomUUID()}\n${"x = 1\n".repeat(300)}`;
        const { body: script } = await upload(ingest, `${randomUUID()}.py`, text);
        for (const stage of ["dedup", "validate", "compress"] as const)
          await pass(ingest, script, stage, { encoding });
        const { sha256 } = script;
        const place = await readBlobPlace(ingest.catalog, sha256);
        if (place === undefined) throw new Error("no blob");
        let backupKey = `backups/${place.key}`;
        if (backedUp) {
          backupKey = await backUpBlob(ingest.store, backup, { place, sha256 });
          await ingest.catalog.query("update blobs set backup_key = $2 where sha256 = $1", [
            sha256,
            backupKey,
          ]);
        }
        return { script, sha256, text, key: place.key, backupKey };
      }

      const download = (
        { script }: Pick<Script, "script">,
        headers: Record<string, string> = {},
      ): Promise<Response> =>
        fetch(`${ingest.url}/api/v1/scripts/${script.script_id}/content`, { headers });

      async function problemOf({ script }: Pick<Script, "script">): Promise<Problem> {
        const path = `/api/v1/scripts/${script.script_id}/content`;
        return (await call<Problem>(ingest, "readContent", path)).body;
      }

      async function markOf({ script }: Script): Promise<string | undefined> {
        const path = `/api/v1/scripts/${script.script_id}`;
        return (await call<ScriptDetails>(ingest, "readScript", path)).body.integrity?.state;
      }

      const told = async (sha256: string): Promise<string[]> =>
        (await listEvents(ingest.catalog, { filter: {}, limit: 500 })).items
          .filter((event) => event.sha256 === sha256)
          .map(({ kind: told }) => told)
          .toReversed();

      const harms: Record<string, (whole: Buffer) => Buffer | undefined> = {
        deleted: () => undefined,
        "edited in the same length": (whole) => {
          const edited = Buffer.from(whole);
          edited[edited.length - 8] = (edited.at(-8) ?? 0) ^ 1;
          return edited;
        },
        cut: (whole) => whole.subarray(0, 20),
        emptied: () => Buffer.alloc(0),
      };

      it.each(
        Object.keys(harms).flatMap((harm) => [
          [harm, "identity"] as const,
          [harm, "zstd"] as const,
        ]),
      )("%s in %s comes whole from its backup, and is repaired", async (harm, encoding) => {
        const one = await stored({ encoding });
        // It was whole, and is known to have been.
        expect((await download(one, { "Accept-Encoding": encoding })).status).toBe(200);
        const bytes = harms[harm]?.(await ingest.store.get(one.key));
        if (bytes === undefined) await ingest.store.delete(one.key);
        else await ingest.store.put(one.key, bytes);

        // As it is stored, where that is asked for: fetch decodes gzip and leaves zstd.
        const coded = await download(one, { "Accept-Encoding": encoding });
        expect(coded.status).toBe(200);
        const whole = await encode(Buffer.from(one.text), encoding);
        expect(Buffer.from(await coded.arrayBuffer()).equals(whole)).toBe(true);
        expect(await (await download(one, { "Accept-Encoding": "identity" })).text()).toBe(
          one.text,
        );
        expect((await ingest.store.get(one.key)).equals(whole)).toBe(true);
        expect(await told(one.sha256)).toEqual([
          bytes === undefined ? "blob.missing" : "blob.damaged",
          "blob.repaired",
        ]);
        expect(await markOf(one)).toBeUndefined();
      });

      it("is repaired once, however many ask for it at once", async () => {
        const one = await stored();
        await ingest.store.delete(one.key);
        const all = await Promise.all(Array.from({ length: 12 }, () => download(one)));
        for (const response of all) {
          expect(response.status).toBe(200);
          expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(0);
        }
        expect(await told(one.sha256)).toEqual(["blob.missing", "blob.repaired"]);
        const { items } = await listEvents(ingest.catalog, { filter: {}, limit: 500 });
        const { details } = items.find(({ sha256 }) => sha256 === one.sha256)!;
        expect(details).toMatchObject({ key: one.key, from: one.backupKey });
      });

      it("that no copy gives back is a problem and a mark, until the same bytes come again", async () => {
        const one = await stored();
        await ingest.store.put(one.key, Buffer.from("bad blob"));
        await backup.put(one.backupKey, Buffer.from("bad copy"));
        const gone = await stored({ backedUp: false });
        await ingest.store.delete(gone.key);
        for (const lost of [one, gone])
          expect((await problemOf(lost)).code).toBe("content_damaged");
        expect([await markOf(one), await markOf(gone)]).toEqual(["damaged", "missing"]);
        expect(String(await ingest.store.get(one.key))).toBe("bad blob");
        expect(String(await backup.get(one.backupKey))).toBe("bad copy");
        expect(await told(one.sha256)).toEqual(["blob.unrepairable"]);

        for (const { script, text } of [one, gone]) {
          const { status, body } = await upload(ingest, script.filename, text);
          expect([status, body.version]).toEqual([200, 1]);
        }
        for (const back of [one, gone]) {
          expect(await (await download(back, { "Accept-Encoding": "identity" })).text()).toBe(
            back.text,
          );
          expect(await markOf(back)).toBeUndefined();
        }
        // Its copy as well, of which the row tells.
        expect((await backup.get(one.backupKey)).equals(await ingest.store.get(one.key))).toBe(
          true,
        );
      });

      it("is put back by an upload of the same name and bytes, also where nobody had noticed", async () => {
        const one = await stored({ backedUp: false });
        await ingest.store.delete(one.key);
        expect((await upload(ingest, one.script.filename, one.text)).status).toBe(200);
        expect(await (await download(one, { "Accept-Encoding": "identity" })).text()).toBe(
          one.text,
        );
      });

      it("before dedup has had it comes back with the next upload, from the same bytes elsewhere, or not", async () => {
        const text = `# ${randomUUID()}\n`;
        const { body: script } = await upload(ingest, `${randomUUID()}.py`, text);
        await ingest.store.delete(script.storage_path);
        expect((await problemOf({ script })).code).toBe("content_damaged");
        expect((await upload(ingest, script.filename, text)).status).toBe(200);
        expect(await (await download({ script })).text()).toBe(text);
        expect(await told(sha256Of(Buffer.from(text)))).toEqual([
          "blob.unrepairable",
          "blob.missing",
          "blob.repaired",
        ]);

        const whole = await stored();
        const { body: twin } = await upload(ingest, `${randomUUID()}.py`, whole.text);
        await ingest.store.put(twin.storage_path, Buffer.from("edited"));
        // Its blob is what is read.
        expect((await download({ script: twin })).status).toBe(200);
      });

      it("that is marked and good again loses its mark with the download that finds it so", async () => {
        const one = await stored();
        const whole = await ingest.store.get(one.key);
        await ingest.store.delete(one.key);
        await backup.delete(one.backupKey);
        expect((await problemOf(one)).code).toBe("content_damaged");
        await ingest.store.put(one.key, whole);
        expect((await download(one)).status).toBe(200);
        await expect.poll(() => markOf(one)).toBeUndefined();
      });
    },
  );
}

describeWith(["postgres"], "downloads, where a store is not what it should be", () => {
  let ingest: Ingest;
  let backup: ObjectStore;
  let script: UploadedScript;
  const text = "x = 1\n".repeat(100);
  const sha256 = sha256Of(Buffer.from(text));
  const root = `file://${temporaryDirectory()}`;
  const pathOf = (store: string, key: string): string => fileURLToPath(`${root}/${store}/${key}`);
  beforeAll(async () => {
    const env = { OBJECT_STORE_URL: `${root}/objects`, BACKUP_URL: `${root}/backup` };
    ingest = await startIngest({ env });
    backup = await openObjectStore(`${root}/backup`);
    ({ body: script } = await upload(ingest, "script.py", text));
    for (const stage of ["dedup", "validate"] as const) await pass(ingest, script, stage);
    const place = await readBlobPlace(ingest.catalog, sha256);
    if (place === undefined) throw new Error("no blob");
    const key = await backUpBlob(ingest.store, backup, { place, sha256 });
    await ingest.catalog.query("update blobs set backup_key = $1", [key]);
  });
  afterAll(async () => {
    await ingest.stop();
    await backup.close();
  });

  const path = (): string => `/api/v1/scripts/${script.script_id}/content`;
  const marks = async (): Promise<number | null> =>
    (await ingest.catalog.query("select from damaged_blobs")).rowCount;

  it("come from the copy, and write nothing, where the whole object store is gone", async () => {
    await ingest.store.delete(blobKey(sha256));
    expect(await (await fetch(ingest.url + path())).text()).toBe(text);
    expect(await ingest.store.stat(blobKey(sha256))).toBeUndefined();
    await ingest.store.put("other", Buffer.from("x"));
    expect(await (await fetch(ingest.url + path())).text()).toBe(text);
    expect(await ingest.store.stat(blobKey(sha256))).toBeDefined();
  });

  it("come from the copy where the object cannot be read, which is then replaced", async () => {
    const file = pathOf("objects", blobKey(sha256));
    await rm(file);
    await symlink(file, file);
    expect(await (await fetch(ingest.url + path())).text()).toBe(text);
    expect(String(await ingest.store.get(blobKey(sha256)))).toBe(text);
  });

  it("come from the copy where a directory lies in the object's place, and the version is marked", async () => {
    await ingest.store.delete(blobKey(sha256));
    await ingest.store.put(`${blobKey(sha256)}/x`, Buffer.from("x"));
    expect(await (await fetch(ingest.url + path())).text()).toBe(text);
    expect(await marks()).toBe(1);
    await ingest.store.delete(`${blobKey(sha256)}/x`);
    expect(await (await fetch(ingest.url + path())).text()).toBe(text);
    await expect.poll(marks).toBe(0);
  });

  it("say that the store is away, and mark nothing, while the backup store is", async () => {
    await ingest.store.delete(blobKey(sha256));
    await rm(pathOf("backup", ""), { recursive: true });
    const { status, body, headers } = await call<Problem>(ingest, "readContent", path());
    expect([status, body.code]).toEqual([503, "object_store_unavailable"]);
    expect(headers.get("retry-after")).not.toBeNull();
    expect(await marks()).toBe(0);
    // Whoever has the bytes may put them back meanwhile.
    expect((await upload(ingest, "script.py", text)).status).toBe(200);
    expect(await (await fetch(ingest.url + path())).text()).toBe(text);
  });
});
