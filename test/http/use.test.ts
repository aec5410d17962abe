import { expect, it } from "vitest";
import { deleteScript, openCatalog, recordUse } from "@sluice/catalog";
import { describeWith } from "../servers/index.js";
import { call, upload } from "./client.js";
import { freshDatabase, startIngest } from "./ingest.js";

describeWith(["postgres"], "the use of scripts", () => {
  it("is noted: downloads, also those that were not needed, and no mere looks", async () => {
    const catalogUrl = await freshDatabase();
    const ingest = await startIngest({ catalogUrl });
    const catalog = openCatalog(catalogUrl, { log: { warn: () => {} } });
    try {
      const [used, looked] = await Promise.all(
        ["used.py", "looked.py"].map(
          async (name) => (await upload(ingest, name, `# ${name}\n`)).body.script_id,
        ),
      );
      const content = `/api/v1/scripts/${used}/content`;
      const first = await call<unknown>(ingest, "readContent", content);
      const etag = first.headers.get("etag") ?? "";
      await call(ingest, "readContent", content, { headers: { "If-None-Match": etag } });
      await call(ingest, "readScript", `/api/v1/scripts/${looked}`);
      expect(await ingest.terminate()).toBe(0);
      const { rows } = await catalog.query(
        "select script_id, downloads::int, metadata_reads::int from script_use",
      );
      expect(rows).toEqual([{ script_id: used, downloads: 2, metadata_reads: 0 }]);

      const again = { scriptId: used ?? "", downloads: 1, metadataReads: 3 };
      await deleteScript(catalog, { scriptId: used ?? "", actor: "alice", trashMs: 86_400_000 });
      await catalog.query("delete from script_use");
      await recordUse(catalog, [
        again,
        { scriptId: "01a2094b-5a3c-761f-a6e9-09ad8dfdcae2", downloads: 1, metadataReads: 0 },
      ]);
      await recordUse(catalog, [again]);
      const after = await catalog.query(
        "select downloads::int, metadata_reads::int from script_use",
      );
      expect(after.rows).toEqual([{ downloads: 2, metadata_reads: 6 }]);
    } finally {
      await catalog.close();
      await ingest.stop();
    }
  });
});
