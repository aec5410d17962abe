import { rm } from "node:fs/promises";
import { checkCopies } from "@sluice/backup";
import { openObjectStore } from "@sluice/object-store";
import { expect, test } from "vitest";
import { openFreshCatalog } from "../catalog/fixture.js";
import { describeWith, sharedPostgres, temporaryDirectory } from "../servers/index.js";
import { type Stores, storeScript } from "./stored.js";

describeWith(["postgres"], "the check of copies before anything goes", () => {
  async function withStores(work: (stores: Stores, backupDir: string) => Promise<void>) {
    const catalog = await openFreshCatalog(sharedPostgres());
    const backupDir = `${temporaryDirectory()}/backup`;
    const objects = await openObjectStore(`file://${temporaryDirectory()}/store`);
    const backup = await openObjectStore(`file://${backupDir}`);
    try {
      await work({ catalog, objects, backup }, backupDir);
    } finally {
      await catalog.close();
    }
  }

  test("reads each back: edited, cut, exchanged, missing, never made, and of no blob", () =>
    withStores(async (stores) => {
      const { backup } = stores;
      const good = await storeScript(stores, "good");
      const plain = await storeScript(stores, "plain", { encoding: "identity" });
      const edited = await storeScript(stores, "edited", { encoding: "identity" });
      const text = edited.content.toString();
      await backup.put(edited.backupKey, Buffer.from(text.replace("edited", "Edited")));
      const cut = await storeScript(stores, "cut");
      await backup.put(cut.backupKey, (await backup.get(cut.backupKey)).subarray(0, -1));
      const exchanged = await storeScript(stores, "exchanged");
      await backup.put(exchanged.backupKey, await backup.get(good.backupKey));
      const missing = await storeScript(stores, "missing");
      await backup.delete(missing.backupKey);
      const never = await storeScript(stores, "never", { backedUp: false });
      const none = "0".repeat(64);
      const all = [good, plain, edited, cut, exchanged, missing, never].map((each) => each.sha256);
      const checked = await checkCopies(stores, [...all, none]);
      expect([...checked.good].toSorted()).toEqual([good.sha256, plain.sha256].toSorted());
      expect(new Map([...checked.bad].map(([sha256, { state }]) => [sha256, state]))).toEqual(
        new Map([
          [edited.sha256, "damaged"],
          [cut.sha256, "damaged"],
          [exchanged.sha256, "damaged"],
          [missing.sha256, "missing"],
          [never.sha256, "missing"],
          [none, "missing"],
        ]),
      );
    }));

  test("says nothing of copies where the backup store is away", () =>
    withStores(async (stores, backupDir) => {
      const { sha256 } = await storeScript(stores, "script");
      await rm(backupDir, { recursive: true });
      await expect(checkCopies(stores, [sha256])).rejects.toMatchObject({
        name: "StoreUnavailableError",
      });
    }));
});
