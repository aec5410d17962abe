import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backupBlobKey, findCopy, verifyBackup } from "@sluice/backup";
import { encode, sha256Of } from "@sluice/blobs";
import {
  blobKey,
  FileSystemObjectStore,
  quarantineKey,
  StoreUnavailableError,
} from "@sluice/object-store";
import { afterEach, beforeEach, expect, test } from "vitest";

const source = Buffer.from("print('backed up')\n".repeat(50));
const sha256 = sha256Of(source);
const key = (encoding: "identity" | "zstd" | "gzip") => backupBlobKey(blobKey(sha256, encoding));

let directory: string;
let backup: FileSystemObjectStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-backup-"));
  backup = await FileSystemObjectStore.open(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test.each(["identity", "zstd", "gzip"] as const)("a whole copy, %s, is good", async (encoding) => {
  await backup.put(key(encoding), await encode(source, encoding));
  const copy = await verifyBackup(backup, { sha256, backupKey: key(encoding) });
  expect(copy).toMatchObject({ state: "good", encoding, content: source });
});

test("one in quarantine is good in whatever form it went there", async () => {
  const backupKey = backupBlobKey(quarantineKey(sha256));
  for (const encoding of ["identity", "zstd", "gzip"] as const) {
    await backup.put(backupKey, await encode(source, encoding));
    expect(await verifyBackup(backup, { sha256, backupKey })).toMatchObject({
      state: "good",
      encoding,
      content: source,
    });
  }
});

test("one that was edited, cut, emptied or exchanged is damaged", async () => {
  const packed = await encode(source, "zstd");
  const edited = Buffer.from(packed);
  edited[packed.length - 6] = (edited[packed.length - 6] ?? 0) ^ 1;
  const other = await encode(Buffer.from(source.toString().replace("backed", "BACKED")), "zstd");
  for (const bytes of [edited, packed.subarray(0, 20), Buffer.alloc(0), source, other]) {
    await backup.put(key("zstd"), bytes);
    const verified = await verifyBackup(backup, { sha256, backupKey: key("zstd") });
    expect(verified.state).toBe("damaged");
  }
});

test("one that is not there is missing, but a store that is away says nothing of it", async () => {
  const asked = { sha256, backupKey: key("zstd") };
  expect(await verifyBackup(backup, asked)).toMatchObject({ state: "missing" });
  await rm(directory, { recursive: true });
  await expect(verifyBackup(backup, asked)).rejects.toThrow(StoreUnavailableError);
});

test("a whole copy is found beside a damaged one, and where no row says that it is", async () => {
  await backup.put(key("zstd"), Buffer.from("no zstd"));
  expect(await findCopy(backup, sha256, [key("zstd")])).toMatchObject({ state: "damaged" });
  await backup.put(key("identity"), source);
  expect(await findCopy(backup, sha256, [key("zstd"), null])).toMatchObject({
    state: "good",
    key: key("identity"),
  });
});
