import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createDatabase, describeWith, sharedPostgres } from "../servers/index.js";

const MIGRATE = fileURLToPath(new URL("../../scripts/migrate.mjs", import.meta.url));

async function migrate(catalogUrl: string): Promise<{ code: unknown; said: string }> {
  const child = spawn(process.execPath, [MIGRATE], {
    env: { ...process.env, CATALOG_URL: catalogUrl },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  const [code] = (await once(child, "close")) as [unknown];
  return { code, said };
}

describeWith(["postgres"], "the migration", () => {
  test("brings a catalog up to date, as often as it is asked to", async () => {
    const url = await createDatabase(sharedPostgres());
    for (let times = 0; times < 2; times++) {
      const { code, said } = await migrate(url);
      expect([code, said]).toEqual([0, expect.stringContaining("the catalog is up to date")]);
    }
  });

  test("says what is wrong, and no password", async () => {
    expect(await migrate("")).toEqual({ code: 1, said: expect.stringContaining("CATALOG_URL") });
    const { code, said } = await migrate("postgres://me:hunter2@127.0.0.1:1/x");
    expect([code, said]).toEqual([1, expect.stringContaining("ECONNREFUSED")]);
    expect(said).not.toContain("hunter2");
  });
});
