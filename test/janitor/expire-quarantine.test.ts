import { backupBlobKey } from "@sluice/backup";
import {
  liftLegalHold,
  listEvents,
  placeLegalHold,
  queueUnindexed,
  readAnalysis,
  readVersion,
} from "@sluice/catalog";
import { blobKey, quarantineKey } from "@sluice/object-store";
import { verifyBackup } from "@sluice/recovery";
import { createLog } from "@sluice/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { expireQuarantineTask } from "../../services/janitor/src/purge/expire-quarantine.js";
import { purgeTrashTask } from "../../services/janitor/src/purge/purge-trash.js";
import { done, validateResult, work } from "../catalog/fixture.js";
import { Stores } from "../recovery/fixture.js";
import { describeWith } from "../servers/index.js";

const DAY_MS = 86_400_000;
const log = createLog("janitor", { logLevel: "silent" });

describeWith(["postgres"], "quarantine", () => {
  let stores: Stores;
  beforeEach(async () => {
    stores = await Stores.open();
  });
  afterEach(() => stores.catalog.close());

  const expire = (backup = stores.backup) => {
    const { catalog, objects } = stores;
    const settings = { quarantineMs: 90 * DAY_MS, purgePerSecond: 1e9, exportKeepMs: 0 };
    const run = {
      signal: new AbortController().signal,
      cursor: undefined,
      save: async () => {},
    };
    return {
      quarantine: () => expireQuarantineTask({ settings, catalog, objects, backup, log }).run(run),
      copies: () =>
        purgeTrashTask({ settings, catalog, objects, backup, log, onPurged: () => {} }).run(run),
    };
  };
  const age = (days: number) =>
    stores.catalog.query(
      `with b as (update blobs set created_at = created_at - $1 * interval '1 day')
       update versions set finished_at = finished_at - $1 * interval '1 day'`,
      [days],
    );
  const has = async (key: string, store = stores.objects) => (await store.stat(key)) !== undefined;

  test("lets bytes go after their time, and last their copies; rows and findings stay", async () => {
    const text = "def (\n";
    const { scriptId, versionId, sha256 } = await stores.invalid("invalid.py", text);
    await stores.ready("fine.py", "fine = 1\n");
    await age(89);
    await expire().quarantine();
    expect(await has(quarantineKey(sha256))).toBe(true);
    await age(2);
    await placeLegalHold(stores.catalog, { scriptId, reason: "case", actor: "bob" });
    await expire().quarantine();
    expect(await has(quarantineKey(sha256))).toBe(true);
    await liftLegalHold(stores.catalog, { scriptId, actor: "bob" });
    const away = new Proxy(stores.backup, { get: () => () => Promise.reject(new Error("away")) });
    await expect(expire(away).quarantine()).rejects.toThrow("away");
    expect(await has(quarantineKey(sha256))).toBe(true);

    await expire().quarantine();
    expect(await has(quarantineKey(sha256))).toBe(false);
    expect((await stores.contents()).size).toBe(1);
    const copy = backupBlobKey(quarantineKey(sha256));
    expect(await has(copy, stores.backup)).toBe(true);
    await stores.export();
    await expire().copies();
    expect(await has(copy, stores.backup)).toBe(false);
    const version = await readVersion(stores.catalog, { scriptId });
    expect(version).toMatchObject({ state: "rejected", verdict: "invalid" });
    expect(version?.blob).toBeUndefined();
    expect((await readAnalysis(stores.catalog, versionId)).report).toBeDefined();
    expect((await listEvents(stores.catalog, { filter: {}, limit: 1 })).items).toMatchObject([
      { kind: "quarantine.expired", details: { blobs: 1, sha256s: [sha256] } },
    ]);
    // Nobody takes that for a loss, nor tries to read it.
    await stores.export();
    const verified = await verifyBackup({
      backup: stores.backup,
      keys: [],
      sample: Infinity,
      signal: new AbortController().signal,
      onProgress: () => {},
    });
    expect(verified).toMatchObject({ blobs: 1, lost: [] });
    await stores.catalog.query("delete from search_queue");
    expect((await queueUnindexed(stores.catalog, { after: undefined, limit: 10 })).queued).toBe(1);
  });

  test("has bytes again that somebody uploads once more, judged anew", async () => {
    const text = "def (\n";
    const first = await stores.invalid("invalid.py", text);
    await age(91);
    await expire().quarantine();
    const again = await stores.upload("again.py", text);
    const place = { ...(await stores.settle(again, text)), key: quarantineKey(again.sha256) };
    expect(await readVersion(stores.catalog, again)).toMatchObject({ state: "processing" });
    await stores.objects.put(place.key, Buffer.from(text));
    const found = { ...validateResult("invalid"), place };
    await work(stores.catalog, "validate", [again.versionId], done<"validate">(found, true));
    await stores.objects.delete(blobKey(again.sha256));
    for (const { scriptId } of [first, again])
      expect(await readVersion(stores.catalog, { scriptId })).toMatchObject({
        state: "rejected",
        blob: { key: quarantineKey(again.sha256) },
      });
    const { rowCount } = await stores.catalog.query("select from expired_blobs");
    expect(rowCount).toBe(0);
    // The time of the newer one counts.
    await stores.catalog.query("update blobs set created_at = created_at - interval '91 days'");
    await expire().quarantine();
    await stores.export();
    await expire().copies();
    expect(await has(quarantineKey(again.sha256))).toBe(true);
  });
});
