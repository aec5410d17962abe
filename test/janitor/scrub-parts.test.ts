import { randomUUID } from "node:crypto";
import { backupBlobKey, manifestKey, manifestOf, writeManifest } from "@sluice/backup";
import { sha256Of } from "@sluice/blobs";
import {
  type Catalog,
  listManifested,
  listUnknownObjects,
  readScrubPass,
  recordManifest,
} from "@sluice/catalog";
import type { AnalysisMetadata } from "@sluice/contracts";
import { blobKey, metadataKey, type ObjectStore, openObjectStore } from "@sluice/object-store";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ScrubDeps } from "../../services/janitor/src/scrub/scrub.js";
import { openFreshCatalog, register, upload } from "../catalog/fixture.js";
import { METADATA } from "../http/stages.js";
import {
  describeWith,
  type S3Server,
  sharedPostgres,
  startS3,
  temporaryDirectory,
} from "../servers/index.js";
import { eventsOf, scrubDeps, scrubPass } from "./scrub-fixture.js";
import { describeScript, type StoredScript, storeScript } from "./stored.js";

for (const kind of [undefined, "versitygw"] as const) {
  describeWith(
    kind === undefined ? ["postgres"] : ["postgres", kind],
    `beside blobs, the scrub on ${kind ?? "a directory"}`,
    () => {
      let server: S3Server | undefined;
      let catalog: Catalog;
      let objects: ObjectStore;
      let backup: ObjectStore;
      let directory: string;
      let deps: ScrubDeps;
      beforeAll(async () => {
        if (kind !== undefined) server = await startS3(kind);
      });
      afterAll(() => server?.stop());
      beforeEach(async () => {
        directory = `file://${temporaryDirectory()}`;
        catalog = await openFreshCatalog(sharedPostgres());
        objects = await openObjectStore(server?.bucketUrl() ?? `${directory}/objects`);
        backup = await openObjectStore(server?.bucketUrl() ?? `${directory}/backup`);
        deps = scrubDeps({ catalog, objects, backup });
      });
      afterEach(async () => {
        await catalog.close();
        await objects.close();
        await backup.close();
      });

      const told = async (): Promise<string[]> => (await eventsOf(catalog)).map(({ kind: k }) => k);
      const counts = async () => (await readScrubPass(catalog))?.counts;

      /** With its analysis, and what extract has stored of it. */
      async function described(text: string, metadata: AnalysisMetadata = METADATA) {
        const script = await storeScript(deps, text);
        const whole = JSON.stringify(await describeScript(deps, script, metadata));
        return { ...script, whole };
      }

      const description = async ({ sha256 }: StoredScript): Promise<string> =>
        String(await objects.get(metadataKey(sha256)));

      test("writes descriptions anew that were edited, cut, exchanged or deleted, and leaves good ones alone", async () => {
        const good = await described("good");
        const edited = await described("edited");
        await objects.put(
          metadataKey(edited.sha256),
          Buffer.from(edited.whole.replace("Runs it", "Runs IT")),
        );
        const cut = await described("cut");
        await objects.put(metadataKey(cut.sha256), Buffer.from(cut.whole.slice(0, 50)));
        const exchanged = await described("exchanged");
        await objects.put(metadataKey(exchanged.sha256), Buffer.from(good.whole));
        const deleted = await described("deleted");
        await objects.delete(metadataKey(deleted.sha256));
        // What no analysis describes has none.
        await storeScript(deps, "not described");
        await scrubPass(deps);
        for (const one of [good, edited, cut, exchanged, deleted])
          expect(await description(one)).toBe(one.whole);
        expect(await counts()).toMatchObject({ documents: 5, damaged: 3, missing: 1, repaired: 4 });
        expect((await told()).toSorted()).toEqual([
          ...Array.from({ length: 3 }, () => "object.damaged"),
          "object.missing",
          ...Array.from({ length: 4 }, () => "object.repaired"),
        ]);
        await scrubPass(deps);
        expect(await counts()).toMatchObject({ documents: 5, damaged: 0, missing: 0 });
      });

      test("takes no description for damaged that an analysis under way has written, or whose script was renamed", async () => {
        const running = await described("running");
        await catalog.query("update analyses set analyser_version = 'a0' where sha256 = $1", [
          running.sha256,
        ]);
        await catalog.query(
          `insert into analyses (sha256, analyser_version, policy_version, leader, state)
           values ($1, 'a1', 'p1', $2, 'running')`,
          [running.sha256, running.versionId],
        );
        await objects.put(metadataKey(running.sha256), Buffer.from('{"of": "a1"}'));
        const renamed = await described("renamed");
        await catalog.query("update scripts set filename = 'other.py' where id = $1", [
          renamed.scriptId,
        ]);
        await scrubPass(deps);
        expect(await description(running)).toBe('{"of": "a1"}');
        expect(JSON.parse(await description(renamed))).toMatchObject({ filename: "other.py" });
        expect(await told()).toEqual([]);
      });

      test("tells copies and manifests that nothing refers to, and leaves them alone", async () => {
        const needed = await storeScript(deps, "needed");
        await backup.put(manifestKey(needed.scriptId, 1), Buffer.from("{}"));
        const going = await storeScript(deps, "going");
        await backup.put(manifestKey(going.scriptId, 1), Buffer.from("{}"));
        await catalog.query("delete from blobs where sha256 = $1", [going.sha256]);
        await catalog.query("delete from versions where id = $1", [going.versionId]);
        await catalog.query("insert into unreferenced_blobs (sha256) values ($1)", [going.sha256]);
        await catalog.query("insert into purged_objects (store, key) values ('backup', $1)", [
          manifestKey(going.scriptId, 1),
        ]);
        const added = [
          backupBlobKey(blobKey(sha256Of(Buffer.from("somebody's")), "zstd")),
          manifestKey(needed.scriptId, 2),
          manifestKey(randomUUID(), 1),
        ];
        for (const key of added) await backup.put(key, Buffer.from("somebody's"));
        await scrubPass(deps);
        const { items } = await listUnknownObjects(catalog, 10);
        expect(items.map(({ name }) => name).toSorted()).toEqual(added.toSorted());
        for (const key of added) expect(await backup.stat(key)).toBeDefined();
        await scrubPass(deps);
        expect((await told()).filter((kind) => kind === "object.unknown")).toHaveLength(1);
      });

      /** With a manifest in the backup store. */
      async function manifested(text: string) {
        const script = await storeScript(deps, text);
        await catalog.query(
          "update versions set manifest_key = $2, state = 'ready', verdict = 'allowed' where id = $1",
          [script.versionId, manifestKey(script.scriptId, 1)],
        );
        const [version] = (await listManifested(catalog, { after: "", limit: 100 })).filter(
          ({ versionId }) => versionId === script.versionId,
        );
        if (version === undefined) throw new Error("not listed");
        const key = await writeManifest(backup, manifestOf(version));
        await recordManifest(catalog, { versionId: script.versionId, manifestKey: key });
        return { ...script, manifest: key, whole: String(await backup.get(key)) };
      }

      test("writes manifests anew that were edited, cut or deleted, and says nothing of a verdict that has changed", async () => {
        const edited = await manifested("edited");
        await backup.put(
          edited.manifest,
          Buffer.from(edited.whole.replace(edited.sha256, sha256Of(Buffer.from("other")))),
        );
        const cut = await manifested("cut");
        await backup.put(cut.manifest, Buffer.from(cut.whole.slice(0, 20)));
        const deleted = await manifested("deleted");
        await backup.delete(deleted.manifest);
        const judged = await manifested("judged");
        await catalog.query("update versions set verdict = 'refused' where id = $1", [
          judged.versionId,
        ]);
        await scrubPass(deps);
        for (const one of [edited, cut, deleted])
          expect(String(await backup.get(one.manifest))).toBe(one.whole);
        expect(JSON.parse(String(await backup.get(judged.manifest)))).toMatchObject({
          verdict: "refused",
        });
        expect((await told()).toSorted()).toEqual([
          "backup.damaged",
          "backup.damaged",
          "backup.missing",
          "backup.repaired",
          "backup.repaired",
          "backup.repaired",
        ]);
      });

      test("marks a raw upload that was damaged before dedup had it, or brings it back from its early copy or the same bytes", async () => {
        async function raw(text: string): Promise<{ key: string; sha256: string; text: string }> {
          const item = upload(`${randomUUID()}.py`, text);
          await register(catalog, item);
          await objects.put(item.rawKey as string, Buffer.from(text));
          return { key: item.rawKey as string, sha256: item.sha256, text };
        }
        const whole = await raw("whole = 1\n");
        const lost = await raw("lost = 1\n");
        await objects.put(lost.key, Buffer.from("LOST = 1\n"));
        const early = await raw("early = 1\n");
        const copy = `backups/blobs/sha256/${early.sha256.slice(0, 2)}/${early.sha256.slice(2, 4)}/${early.sha256}`;
        await backup.put(copy, Buffer.from(early.text));
        await catalog.query("insert into early_copies (sha256, key) values ($1, $2)", [
          early.sha256,
          copy,
        ]);
        await objects.delete(early.key);
        const twin = await storeScript(deps, "twin");
        const again = await raw(twin.content.toString());
        await objects.put(again.key, Buffer.from("edited"));
        await scrubPass(deps);
        for (const { key, text } of [whole, early, again])
          expect(String(await objects.get(key))).toBe(text);
        expect(String(await objects.get(lost.key))).toBe("LOST = 1\n");
        const marks = await catalog.query("select sha256, state from damaged_blobs");
        expect(marks.rows).toEqual([{ sha256: lost.sha256, state: "damaged" }]);
        // An early copy is one like any other.
        await backup.put(copy, Buffer.from("edited"));
        await objects.put(lost.key, Buffer.from(lost.text));
        await scrubPass(deps);
        expect(String(await backup.get(copy))).toBe(early.text);
        expect((await catalog.query("select from damaged_blobs")).rowCount).toBe(0);
      });

      test("tells once of what somebody has put into a store, never deletes it, and tells anew what comes again", async () => {
        await storeScript(deps, "keeps the stores from being empty");
        await objects.put("blobs/notes.txt", Buffer.from("mine"));
        await objects.put("backups/manifests/x", Buffer.from("{}"));
        await backup.put("uploads/added.py", Buffer.from("pass\n"));
        await scrubPass(deps);
        await scrubPass(deps);
        const events = await eventsOf(catalog);
        expect(events.map(({ kind: k, severity }) => [k, severity])).toEqual([
          ["object.unknown", "warning"],
          ["object.unknown", "warning"],
        ]);
        expect(events.map(({ details }) => details)).toEqual([
          {
            store: "objects",
            objects: 2,
            names: expect.arrayContaining(["blobs/notes.txt", "backups/manifests/x"]),
          },
          { store: "backup", objects: 1, names: ["uploads/added.py"] },
        ]);
        expect(await counts()).toMatchObject({ unknown: 3 });
        expect(String(await objects.get("blobs/notes.txt"))).toBe("mine");
        expect((await listUnknownObjects(catalog, 10)).count).toBe(3);

        await objects.delete("blobs/notes.txt");
        await scrubPass(deps);
        expect((await listUnknownObjects(catalog, 10)).count).toBe(2);
        expect(await told()).toHaveLength(2);
        await objects.put("blobs/notes.txt", Buffer.from("again"));
        await scrubPass(deps);
        expect(await told()).toHaveLength(3);
      });
    },
  );
}
