import { fileURLToPath } from "node:url";
import {
  deleteScript,
  HalfRestoredError,
  migrate,
  readScript,
  RESTORE_SCHEMA,
} from "@sluice/catalog";
import { listExports, readChain } from "@sluice/recovery";
import { expect, test } from "vitest";
import { describeWith } from "../servers/index.js";
import { SLUICE, start } from "./command.js";
import { Stores } from "./fixture.js";
import { killWhere, writesTo } from "./kill-where.js";

const EXPORT = fileURLToPath(new URL("export-child.mjs", import.meta.url));

async function run(program: readonly string[], stores: Stores): Promise<void> {
  const { code, said } = await start(program, stores).ended;
  expect(code, said).toBe(0);
}

/** Makes the step that is noted wait: the program has done it and not committed it. */
const atStep = (name: string): string =>
  `insert into ${RESTORE_SCHEMA}.steps (name) values ('${name}')`;
const readsOf = (table: string): string => `lock table ${table} in access exclusive mode`;

describeWith(["postgres"], "killed without warning", () => {
  async function exported(): Promise<Stores> {
    const stores = await Stores.open();
    const { scriptId } = await stores.ready("first.py", "import os\n");
    await stores.export();
    await stores.ready("first.py", "import sys\n", 2, scriptId);
    await stores.invalid("invalid.py", "def (\n");
    await stores.upload("queued.py", "x = 1\n");
    await stores.export();
    return stores;
  }

  async function segmentOf(stores: Stores, table: string): Promise<string> {
    const newest = (await listExports(stores.backup)).at(-1) as string;
    const segments = (await readChain(stores.backup, newest)).flatMap(
      ({ index }) => index.segments,
    );
    return segments.findLast((one) => one.table === table)?.key ?? "";
  }

  test("a restore goes on where it was, wherever that is", async () => {
    const stores = await exported();
    const target = await Stores.open({ backup: stores.backup });
    const points = [
      writesTo("stages"),
      atStep(await segmentOf(stores, "scripts")),
      atStep(await segmentOf(stores, "versions")),
      atStep("loaded"),
      atStep("objects"),
      atStep("told"),
    ];
    for (const point of points) {
      await killWhere(point, [SLUICE, "restore"], target);
      await expect(migrate(target.catalogUrl), point).rejects.toThrow(HalfRestoredError);
    }
    await run([SLUICE, "restore"], target);
    const { events: told, ...rows } = await target.rows();
    const { events, ...expected } = await stores.rows();
    expect(rows).toEqual(expected);
    expect(told).toHaveLength((events ?? []).length + 1);
    const blobs = async (of: Stores) =>
      [...(await of.contents())].filter(([key]) =>
        /^(blobs|quarantine|uploads).*(?<!json)$/.test(key),
      );
    expect(await blobs(target)).toEqual(await blobs(stores));
  }, 300_000);

  test("a rebuild goes on where it was, wherever that is", async () => {
    const stores = await exported();
    const target = await Stores.open({ objects: stores.objects });
    for (const point of [
      writesTo("audit_log"),
      atStep("loaded"),
      atStep("objects listed"),
      atStep("told"),
    ]) {
      await killWhere(point, [SLUICE, "rebuild"], target);
      await expect(migrate(target.catalogUrl), point).rejects.toThrow(HalfRestoredError);
    }
    await run([SLUICE, "rebuild"], target);
    expect((await target.rows())["scripts"]).toEqual((await stores.rows())["scripts"]);
    const { rows } = await target.catalog.query(
      "select state, count(*)::int from versions group by 1",
    );
    expect(rows).toEqual([{ state: "queued", count: 4 }]);
  }, 300_000);

  test("the restore of one script has done nothing or all", async () => {
    const stores = await exported();
    const { rows } = await stores.catalog.query<{ id: string }>(
      "select id from scripts where filename = 'first.py'",
    );
    const id = rows[0]?.id ?? "";
    await deleteScript(stores.catalog, { scriptId: id, actor: "x", trashMs: 86_400_000 });
    for (const [key] of await stores.contents())
      if (key.startsWith("blobs/")) await stores.objects.delete(key);
    const command = [SLUICE, "restore", "--script", id];
    for (const point of [writesTo("events"), writesTo("audit_log")]) {
      await killWhere(point, command, stores);
      expect(await readScript(stores.catalog, id)).toBeUndefined();
    }
    await run(command, stores);
    expect(await readScript(stores.catalog, id)).toMatchObject({
      filename: "first.py",
      version: 2,
    });
  }, 300_000);

  test("an export leaves the one before it, and the next has everything", async () => {
    const stores = await exported();
    const ids = await listExports(stores.backup);
    await stores.ready("later.py", "import json\n");
    await killWhere(readsOf("stages"), [EXPORT], stores);
    expect(await listExports(stores.backup)).toEqual(ids);
    // Its index is there, but the catalog does not know.
    await killWhere(writesTo("export_state"), [EXPORT], stores);
    expect(await listExports(stores.backup)).toHaveLength(ids.length + 1);
    await run([EXPORT], stores);
    const target = await Stores.open({ backup: stores.backup, migrated: false });
    await target.restore();
    expect(await target.rows(["events"])).toEqual(await stores.rows(["events"]));
  }, 300_000);
});
