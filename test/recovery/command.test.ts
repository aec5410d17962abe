import { randomBytes, randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { backupKey, listExports, readChain } from "@sluice/recovery";
import { expect, test } from "vitest";
import { sha256Of } from "../catalog/fixture.js";
import { describeWith } from "../servers/index.js";
import { SLUICE, start } from "./command.js";
import { Stores } from "./fixture.js";

const MISSING = pathToFileURL(join(tmpdir(), "sluice-missing")).href;
/** Nothing listens there. */
const AWAY = "s3://KEY:SECRET@127.0.0.1:1/bucket";

describeWith(["postgres"], "the commands of recovery", () => {
  async function told(
    args: readonly string[],
    stores: Stores,
    env: Record<string, string> = {},
  ): Promise<[number | null, string]> {
    const { code, said } = await start([SLUICE, ...args], stores, env).ended;
    return [code, said];
  }

  test("say by their exit code and in words what is wrong with what was asked", async () => {
    const stores = await Stores.open();
    const { scriptId } = await stores.ready("a.py", "import os\n");
    const key = randomBytes(32);
    await stores.export({ keys: [backupKey(key)] });
    const right = { BACKUP_KEY: key.toString("base64") };
    const script = ["restore", "--script", scriptId];
    for (const [args, env, code, words] of [
      [["restore", "--script", "x"], right, 2, /a UUID/],
      [["restore", "--script", randomUUID()], right, 2, /has no script/],
      [[...script, "--at", "yesterday"], right, 2, /RFC 3339/],
      [
        [...script, "--at", "1970-01-01T00:00:00Z"],
        right,
        2,
        /no export from 1970.*oldest is of 2/,
      ],
      [[...script, "--at", "2026-01-01T00:00:00Z", "--export", "x"], right, 2, /one of them/],
      [[...script, "--objects-only"], right, 2, /whole installation/],
      [["restore", "--at", "2026-01-01T00:00:00Z"], right, 2, /--script/],
      [script, {}, 2, /no key is given/],
      [script, right, 2, /nothing to bring back/],
      [[...script, "--from", "http://x"], right, 2, /--from must be/],
      [[...script, "--from", AWAY], right, 3, /127\.0\.0\.1:1/],
      [["rebuild"], right, 2, /not empty/],
      [
        ["restore", "--export", "0000000001-aaaaaaaa"],
        right,
        2,
        /no export 0000000001-aaaaaaaa in/,
      ],
      [["restore", "--from", "s3://a:b@127.0.0.1:1/x"], right, 2, /bucket "x"/],
      [["restore", "--from", AWAY], right, 3, /127\.0\.0\.1:1/],
      [["backup", "verify", "--from", MISSING], right, 2, /there is no such directory/],
    ] as [string[], Record<string, string>, number, RegExp][]) {
      const [ended, said] = await told(args, stores, env);
      expect([args.join(" "), ended, said]).toEqual([
        args.join(" "),
        code,
        expect.stringMatching(words),
      ]);
      // What was asked wrongly, and what is away, is told in a line and not by where in the code.
      expect(said).not.toMatch(/\n +at /);
    }
  });

  test("name what is lost or damaged, and bring back the rest", async () => {
    const stores = await Stores.open();
    const { scriptId } = await stores.ready("a.py", "import os\n");
    await stores.ready("a.py", "import sys\n", 2, scriptId);
    await stores.export();
    const lost = sha256Of("import sys\n");
    for (const store of [stores.backup, stores.objects])
      for (const name of (await stores.contents(store)).keys())
        if (name.includes(lost)) await store.delete(name);
    const whole = sha256Of("import os\n");
    for (const name of (await stores.contents()).keys())
      if (name.includes(whole)) await stores.objects.delete(name);
    const [code, said] = await told(["restore", "--script", scriptId], stores);
    expect([code, said]).toEqual([1, expect.stringContaining("1 blobs came back")]);
    expect(said).toContain(`lost: ${lost}`);
    const newest = (await listExports(stores.backup)).at(-1) as string;
    const [chain] = await readChain(stores.backup, newest);
    const { key } = chain!.index.segments.find(({ table }) => table === "versions")!;
    await stores.backup.put(key, (await stores.backup.get(key)).subarray(0, -1));
    expect(await told(["restore", "--script", scriptId], stores)).toEqual([
      1,
      expect.stringContaining(`${key} is damaged`),
    ]);
  });
});
