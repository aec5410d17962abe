import { createHash } from "node:crypto";
import { manifest } from "@sluice/backup";
import type { Scrub, SearchResults } from "@sluice/contracts";
import { type ObjectStore, openObjectStore } from "@sluice/object-store";
import { STAGE_NAMES } from "@sluice/pipeline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "../servers/index.js";
import { Client } from "./client.js";
import { Installation } from "./installation.js";
import { SET_UPS, type SetUp } from "./set-ups.js";

const GOOD = `"""Sums."""


def add(first: int, second: int = 2) -> int:
    """Add two numbers.

    Args:
        first: The one.
        second: The other.
    """
    return first + second
`;
const WRITES =
  'import os as o\n\n\ndef go(path: str) -> None:\n    """Go."""\n    o.remove(path)\n';

const sha256Of = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");

for (const { name, parts, start } of SET_UPS) {
  describeWith(parts, `a script ${name}`, () => {
    let setUp: SetUp;
    let sluice: Installation;
    let client: Client;
    let objects: ObjectStore;
    let backup: ObjectStore;

    beforeAll(async () => {
      setUp = await start();
      sluice = await Installation.start(setUp.dataDir, setUp.env);
      client = new Client(sluice.url);
      objects = await openObjectStore(setUp.objectStoreUrl);
      backup = await openObjectStore(setUp.backupUrl);
    });
    afterAll(async () => {
      if (sluice !== undefined) expect(await sluice.stop()).toBe(0);
      await Promise.all([objects?.close(), backup?.close()]);
      await setUp?.remove();
    });

    const keysUnder = async (store: ObjectStore, prefix: string) => {
      const keys: string[] = [];
      for await (const { key } of store.list(prefix)) keys.push(key);
      return keys.toSorted();
    };
    const statesOf = async (scriptId: string) =>
      (await client.status(scriptId)).stages.map(({ state }) => state);

    const untilScrubbed = async () => {
      let scrub = await client.get<Scrub>("/scrub");
      await expect
        .poll(async () => (scrub = await client.get<Scrub>("/scrub")).pass?.state, {
          timeout: 60_000,
        })
        .not.toBe("running");
      return scrub;
    };

    test("goes through all five stages and is described as a tool", async () => {
      const uploaded = await client.upload("add.py", GOOD);
      expect(uploaded).toMatchObject({
        filename: "add.py",
        version: 1,
        sha256: sha256Of(GOOD),
        state: "queued",
      });
      const status = await client.untilFinal(uploaded.script_id);
      expect(status).toMatchObject({ state: "ready", verdict: "allowed", progress: 1 });
      for (const stage of status.stages) {
        expect(stage).toMatchObject({ state: "done", attempts: 1, error: null });
        expect(Date.parse(stage.finished_at ?? "")).toBeGreaterThanOrEqual(
          Date.parse(stage.started_at ?? ""),
        );
      }
      expect(status.stages.map((stage) => stage.name)).toEqual([...STAGE_NAMES]);

      expect(await client.report(uploaded.script_id)).toMatchObject({
        syntax: { valid: true, error: null },
        verdict: "allowed",
        capabilities: [],
      });
      const metadata = await client.metadata(uploaded.script_id);
      expect(metadata).toMatchObject({
        filename: "add.py",
        functions: [
          { name: "add", return_type: "int", line_number: 4, description: "Add two numbers." },
        ],
        imports: [],
        dependencies: [],
      });
      expect(metadata.tools[0]?.tool).toMatchObject({
        name: "add",
        inputSchema: {
          properties: {
            first: { type: "integer", description: "The one." },
            second: { type: "integer", default: 2, description: "The other." },
          },
          required: ["first"],
        },
      });
      expect((await client.content(uploaded.script_id)).toString()).toBe(GOOD);
    });

    const found = async (q: string) =>
      (await client.get<SearchResults>(`/search?q=${encodeURIComponent(q)}`)).items;

    test("is found within seconds of being ready, by what it defines, also under a second name", async () => {
      const text = GOOD.replace("def add(", "def add_to_be_found(");
      for (const filename of ["found.py", "found_too.py"]) {
        const { script_id: id } = await client.upload(filename, text);
        await client.untilFinal(id);
        const ids = async () =>
          (await found(`function:add_to_be_found name:${filename}`)).map((item) => item.script_id);
        await expect.poll(ids).toEqual([id]);
      }
    });

    test("is found by what the analysis found that it can do and depends on", async () => {
      const text =
        "import os as o\nimport yaml\n\n\ndef go(path: str) -> None:\n    o.remove(path)\n";
      const { script_id: id } = await client.upload("analysed.py", text);
      await client.untilFinal(id);
      const whereFound = async (q: string) =>
        (await found(`${q} name:analysed.py`)).map((item) => ({
          ...item.matches.find((match) => match.in !== "name"),
          script_id: item.script_id,
        }));
      await expect
        .poll(() => whereFound("capability:filesystem.delete"))
        .toMatchObject([
          { script_id: id, in: "capability", line: 6, column: 5, ranges: [{ start: 4, end: 12 }] },
        ]);
      expect(await whereFound("capability:filesystem")).toMatchObject([{ line: 6 }]);
      expect(await whereFound("dependency:PyYAML")).toMatchObject([
        { script_id: id, in: "dependency", snippet: "pyyaml" },
      ]);
      expect(await found("capability:network name:analysed.py")).toEqual([]);
      expect(await found("dependency:yaml name:analysed.py")).toEqual([]);
    });

    test("is stored once at its content address, with its metadata beside it, and backed up", async () => {
      const content = `${GOOD}\n# ${"kept ".repeat(1000)}\n`;
      const { script_id: id } = await client.upload("kept.py", content);
      await client.untilFinal(id);
      const sha256 = sha256Of(content);
      const place = `sha256/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`;
      expect(await keysUnder(objects, `blobs/${place}`)).toEqual([
        `blobs/${place}.metadata.json`,
        `blobs/${place}.zst`,
      ]);
      const beside = JSON.parse(
        (await objects.get(`blobs/${place}.metadata.json`)).toString(),
      ) as object;
      const { functions } = await client.metadata(id);
      expect(beside).toMatchObject({ script_id: id, filename: "kept.py", functions });
      expect(await keysUnder(backup, `backups/blobs/${place}`)).toEqual([
        `backups/blobs/${place}.zst`,
      ]);
      const stored = manifest.parse(
        JSON.parse((await backup.get(`backups/manifests/${id}/v1.json`)).toString()),
      );
      expect(stored).toMatchObject({
        script_id: id,
        filename: "kept.py",
        sha256,
        size: content.length,
      });
      expect(await backup.get(stored.blob.key)).toEqual(await objects.get(`blobs/${place}.zst`));
    });

    test("that is no Python is rejected, with the place of the mistake, and quarantined", async () => {
      const content = "def broken(:\n    pass\n";
      const { script_id: id } = await client.upload("broken.py", content);
      expect(await client.untilFinal(id)).toMatchObject({ state: "rejected", verdict: "invalid" });
      expect(await statesOf(id)).toEqual(["done", "done", "skipped", "skipped", "skipped"]);
      const report = await client.report(id);
      expect(report.syntax).toMatchObject({
        valid: false,
        error: { type: "SyntaxError", line: 1 },
      });
      expect(report.findings[0]).toMatchObject({
        rule: "syntax.error",
        severity: "error",
        line: 1,
      });
      expect(await keysUnder(objects, "quarantine/")).toEqual([
        expect.stringContaining(sha256Of(content)) as string,
      ]);
      expect(
        await keysUnder(objects, `blobs/sha256/${sha256Of(content).slice(0, 2)}/`),
      ).not.toContainEqual(expect.stringContaining(sha256Of(content)));
    });

    test("that reaches the file system waits for approval, and is worked off all the same", async () => {
      const { script_id: id } = await client.upload("writes.py", WRITES);
      expect(await client.untilFinal(id)).toMatchObject({ state: "needs_approval" });
      expect(await statesOf(id)).toEqual(["done", "done", "done", "done", "done"]);
      const { capabilities } = await client.report(id);
      expect(capabilities).toMatchObject([
        {
          capability: "filesystem.delete",
          decision: "needs_approval",
          uses: [{ reference: "os.remove", line: 6 }],
        },
      ]);
    });

    test("that is empty is taken, with a finding", async () => {
      const { script_id: id } = await client.upload("empty.py", "");
      expect(await client.untilFinal(id)).toMatchObject({ state: "ready" });
      const { findings } = await client.report(id);
      expect(findings.map(({ rule }) => rule)).toContain("source.empty");
      expect(await client.content(id)).toEqual(Buffer.alloc(0));
    });

    test("seen before skips the later stages and has all results", async () => {
      const content = `${GOOD}# twice\n`;
      const first = await client.upload("first.py", content);
      await client.untilFinal(first.script_id);
      const again = await client.upload("again.py", content);
      expect(await client.untilFinal(again.script_id)).toMatchObject({ state: "ready" });
      expect(await statesOf(again.script_id)).toEqual([
        "done",
        "skipped",
        "skipped",
        "skipped",
        "skipped",
      ]);
      const { functions } = await client.metadata(again.script_id);
      expect(functions).toEqual((await client.metadata(first.script_id)).functions);
      await expect
        .poll(() => keysUnder(backup, `backups/manifests/${again.script_id}/`), { timeout: 30_000 })
        .toEqual([`backups/manifests/${again.script_id}/v1.json`]);
    });

    test("uploaded fifty times at once under fifty names is stored and analysed once", async () => {
      const content = `${GOOD}# race\n`;
      const uploads = await Promise.all(
        Array.from({ length: 50 }, (_, index) => client.upload(`race-${index}.py`, content)),
      );
      const ends = await Promise.all(uploads.map(({ script_id }) => client.untilFinal(script_id)));
      expect(new Set(ends.map(({ state }) => state))).toEqual(new Set(["ready"]));
      const validated = ends.filter(({ stages }) => stages[1]?.state === "done");
      expect(validated).toHaveLength(1);
      await expect.poll(() => keysUnder(objects, "uploads/"), { timeout: 30_000 }).toEqual([]);
    });

    test("uploaded again with other bytes is a new version; the old one is still there", async () => {
      const first = await client.upload("grows.py", "x = 1\n");
      const second = await client.upload("grows.py", "x = 2\n");
      expect(second).toMatchObject({ script_id: first.script_id, version: 2 });
      await client.untilFinal(second.script_id);
      expect((await client.content(second.script_id)).toString()).toBe("x = 2\n");
      const old = await fetch(`${client.url}/api/v1/scripts/${first.script_id}/content?version=1`);
      expect(await old.text()).toBe("x = 1\n");
    });

    test("can be followed by its request id from the upload to the last stage", async () => {
      const requestId = `test-${name.length}-${Date.now()}`;
      const { script_id: id } = await client.upload("traced.py", `${GOOD}# traced\n`, {
        headers: { "x-request-id": requestId },
      });
      await client.untilFinal(id);
      const services = () =>
        new Set(
          sluice.log
            .filter((line) => line["request_id"] === requestId)
            .map(({ service }) => service),
        );
      await expect.poll(services).toEqual(new Set(["ingest", ...STAGE_NAMES]));
    });

    test("is found whole by the scrub, with all that lies beside its bytes", async () => {
      const asked = await fetch(`${sluice.url}/api/v1/scrub`, { method: "POST" });
      expect(asked.status).toBe(202);
      const { pass } = await untilScrubbed();
      expect(pass).toMatchObject({ state: "done", damaged: 0, missing: 0, unknown: 0 });
      expect(pass?.documents).toBeGreaterThan(10);
      const { items } = await client.get<{ items: { kind: string }[] }>("/events?limit=100");
      expect(items.filter(({ kind }) => /^(object|blob|backup)/.test(kind))).toEqual([]);
    });

    test("leaves its mark on the metrics of every stage", async () => {
      const response = await fetch(`${client.url}/metrics`);
      const text = await response.text();
      for (const stage of STAGE_NAMES) {
        expect(text).toMatch(
          new RegExp(`sluice_stage_duration_seconds_count\\{[^}]*stage="${stage}"[^}]*\\} [1-9]`),
        );
        expect(text).toMatch(
          new RegExp(`sluice_stage_outcomes_total\\{[^}]*stage="${stage}"[^}]*outcome="done"`),
        );
        expect(text).toMatch(new RegExp(`sluice_queue_jobs\\{[^}]*stage="${stage}"`));
      }
    });
  });
}
