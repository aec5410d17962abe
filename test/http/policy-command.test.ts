import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PolicyInForce, reevaluateBatch } from "@sluice/policies";
import { afterAll, beforeAll, expect, test } from "vitest";
import { store } from "../catalog/judged.js";
import { removeDirectory, temporaryDirectory } from "../servers/guard.js";
import { describeWith } from "../servers/index.js";
import { type Ingest, startIngest } from "./ingest.js";
import { runSluice } from "./sluice.js";

const KEY = "a-key-of-the-test";

const OPEN = "name: open\nversion: 1\ncapabilities: {default: allowed}\n";
const STRICT = "name: strict\nversion: 1\ncapabilities: {default: allowed, refused: [process.*]}\n";

describeWith(["postgres"], "sluice policy", () => {
  const directory = temporaryDirectory();
  const [open, strict, wrong] = ["open", "strict", "wrong"].map((name) =>
    join(directory, `${name}.yaml`),
  ) as [string, string, string];
  let ingest: Ingest;

  beforeAll(async () => {
    ingest = await startIngest({ env: { API_KEYS: `alice:${KEY}` } });
    writeFileSync(open, OPEN);
    writeFileSync(strict, STRICT);
    writeFileSync(wrong, "name: wrong\ncapabilities: {allowed: [flying]}\n");
  });
  afterAll(async () => {
    await ingest.stop();
    removeDirectory(directory);
  });

  const sluice = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    runSluice(["policy", ...args], { SLUICE_URL: ingest.url, SLUICE_API_KEY: KEY, ...env });

  test("puts a policy in force, tries another one out, and says what would change", async () => {
    const applied = await sluice(["apply", open]);
    expect(applied).toMatchObject({ code: 0, stderr: "" });
    expect(applied.stdout).toMatch(/^open 1\+\w{12}, in force since .* by alice: /);
    const { scriptId } = await store(ingest.catalog, "import os\nos.system('ls')\n", "team");

    const dryRun = await sluice(["dry-run", strict]);
    expect(dryRun.code).toBe(1);
    expect(dryRun.stdout).toMatch(
      new RegExp(
        `^1\\+\\w+: of 1 stored versions would change\n  1 from ready to rejected\n` +
          `team/s\\d+.py version 1 \\(${scriptId}\\): ready → rejected\n  capability process.spawn: allowed → refused\n$`,
      ),
    );
    const json = await sluice(["dry-run", "--format", "json", strict]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      counts: { versions: 1 },
      items: [{ script_id: scriptId, to: "rejected" }],
    });
    expect(await sluice(["dry-run", open])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("nothing would change") as string,
    });

    const waits = sluice(["apply", "--wait", strict]);
    const policies = new PolicyInForce(ingest.catalog);
    await expect.poll(async () => (await policies.current()).document.name).toBe("strict");
    while ((await reevaluateBatch(ingest.catalog, await policies.current())).left === "some");
    const waited = await waits;
    expect(waited.code).toBe(0);
    expect(waited.stdout).toMatch(/all that is stored stands by it; 1 judged anew, 1 of them/);
    const shown = await sluice(["show"]);
    expect(shown.stdout).toContain(STRICT);
  });

  test.each([
    [["check", "wrong"], 1, /^.*wrong\.yaml: version: must be there.*\n.*allowed\[0\]: "flying"/],
    [["dry-run", "wrong"], 1, /wrong\.yaml: version: must be there/],
    [["apply", "wrong"], 1, /wrong\.yaml: version: must be there/],
    [["check", "open"], 0, /open\.yaml: open, version 1\+\w{12}\n$/],
  ] as const)("%j ends with %d", async ([command, name], code, said) => {
    const ended = await sluice([command, name === "wrong" ? wrong : open]);
    expect(ended).toMatchObject({ code, stderr: "" });
    expect(ended.stdout).toMatch(said);
  });

  test.each([
    ["no such file", ["check", "/none"], {}, 2, /no such file/],
    ["no URL", ["show"], { SLUICE_URL: "sluice" }, 2, /must be a URL/],
    ["nobody there", ["show"], { SLUICE_URL: "http://127.0.0.1:1" }, 3, /does not answer/],
    ["a wrong key", ["show"], { SLUICE_API_KEY: "x" }, 3, /SLUICE_API_KEY.*\[unauthorized\]/],
  ])("%s is told", async (_what, args, env, code, said) => {
    const ended = await sluice(args, env);
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toMatch(said);
  });
});
