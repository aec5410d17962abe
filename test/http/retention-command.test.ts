import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addScript } from "../search/fixture.js";
import { removeDirectory, temporaryDirectory } from "../servers/guard.js";
import { describeWith } from "../servers/index.js";
import { type Ingest, startIngest } from "./ingest.js";
import { callSluice } from "./sluice.js";

const KEY = "a-key-of-the-test";

const SCRATCH = `name: scratch goes # as agreed
version: 1
rules:
  - {name: scratch, of: scripts, namespace: scratch, age: 1d, action: delete}
  - {name: old, beyond_versions: 1, age: 1d, action: archive}
`;
const WRONG = "name: wrong\nversion: 1\nrules:\n  - {name: a, ages: 1d, action: delet}\n";

describeWith(["postgres"], "sluice retention", () => {
  const directory = temporaryDirectory();
  const [scratch, wrong, nothing] = ["scratch", "wrong", "nothing"].map((name) =>
    join(directory, `${name}.yaml`),
  ) as [string, string, string];
  let ingest: Ingest;

  beforeAll(async () => {
    ingest = await startIngest({ env: { API_KEYS: `alice:${KEY}` } });
    writeFileSync(scratch, SCRATCH);
    writeFileSync(wrong, WRONG);
    writeFileSync(nothing, "name: nothing\nversion: 1\nrules: []\n");
  });
  afterAll(async () => {
    await ingest.stop();
    removeDirectory(directory);
  });

  const sluice = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    callSluice(["retention", ...args], { SLUICE_URL: ingest.url, SLUICE_API_KEY: KEY, ...env });

  test("tries a policy out, puts it in force, and shows it", async () => {
    expect(await sluice(["show"])).toEqual({
      code: 0,
      stdout: "# no retention policy is in force: everything is kept\n",
      stderr: "",
    });
    const stores = { catalog: ingest.catalog, objects: ingest.store };
    const gone = await addScript(stores, { filename: "a.py", namespace: "scratch", text: "x\n" });
    const kept = await addScript(stores, { filename: "b.py", namespace: "team", text: "y\n" });
    await addScript(stores, {
      filename: "b.py",
      namespace: "team",
      text: "z\n",
      scriptId: kept,
      version: 2,
    });
    await ingest.catalog.query("update versions set created_at = created_at - interval '2 days'");

    const dryRun = await sluice(["dry-run", scratch]);
    expect(dryRun).toMatchObject({ code: 1, stderr: "" });
    const [head, ...counts] = dryRun.stdout.split("\n").slice(2);
    expect(dryRun.stdout.split("\n").slice(0, 2).toSorted()).toEqual([
      `archive team/b.py version 1 (${kept}): old`,
      `delete scratch/a.py (${gone}): scratch`,
    ]);
    expect(head).toMatch(/^1\+\w{12}: of 3 versions of 2 scripts would go at \S+Z:$/);
    expect(counts.join("\n")).toMatch(
      /^ {2}1 deleted, .* 1 scripts .*\n {2}1 archived; moves 2 bytes\n$/,
    );
    const json = await sluice(["dry-run", "--format", "json", scratch]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      counts: { scripts: 2, versions: 3, versions_deleted: 1, versions_archived: 1 },
      items: expect.arrayContaining([
        expect.objectContaining({ script_id: gone, action: "delete", version: null }),
      ]) as unknown,
    });
    expect(await sluice(["dry-run", nothing])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/of 3 versions of 2 scripts nothing would go/) as string,
    });

    const applied = await sluice(["apply", scratch]);
    expect(applied).toMatchObject({ code: 0, stderr: "" });
    expect(applied.stdout).toMatch(/^scratch goes 1\+\w{12}, in force since \S+ by alice\n$/);
    const shown = await sluice(["show"]);
    expect(shown.stdout).toBe(`# ${applied.stdout}${SCRATCH}`);

    await ingest.catalog.query(
      `insert into retention_policies (name, version, source, activated_by)
       values ('other', '1+000000000000', 'name: other', 'bob')`,
    );
    expect((await sluice(["show"])).stdout).toMatch(/^# other 1\+0{12}, in force .* by bob\n/);
  });

  test.each(["check", "dry-run", "apply"])(
    "%s names every mistake with its place",
    async (command) => {
      const ended = await sluice([command, wrong]);
      expect(ended).toMatchObject({ code: 1, stderr: "" });
      expect(ended.stdout).toMatch(
        /^.*wrong\.yaml:4:\d+: rules\[0\]\.ages: is no setting.*\n.*wrong\.yaml:4:\d+: rules\[0\]\.action: must be one of keep, archive, delete\n$/,
      );
    },
  );

  test("checks without a server", async () => {
    const ended = await sluice(["check", scratch], { SLUICE_URL: "http://127.0.0.1:1" });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout).toMatch(
      /scratch\.yaml: scratch goes, version 1\+\w{12}\n {2}delete scripts: scratch\n {2}archive versions: old\n$/,
    );
  });

  test.each([
    ["no such file", ["check", "/none"], {}, 2, /no such file/],
    ["a directory", ["apply", "/"], {}, 2, /directory/],
    ["no URL", ["show"], { SLUICE_URL: "sluice" }, 2, /must be a URL/],
    ["nobody there", ["show"], { SLUICE_URL: "http://127.0.0.1:1" }, 3, /does not answer/],
    ["a wrong key", ["show"], { SLUICE_API_KEY: "x" }, 3, /SLUICE_API_KEY.*\[unauthorized\]/],
  ])("%s is told", async (_what, args, env, code, said) => {
    const ended = await sluice(args, env);
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toMatch(said);
  });
});
