import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Catalog, StageScript } from "@sluice/catalog";
import { metadataKey, type ObjectStore, openObjectStore } from "@sluice/object-store";
import { ANALYSER_VERSION, type Analysers, createAnalysers } from "@sluice/python-analysis";
import { createLog } from "@sluice/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { extract } from "../../services/extract/src/extract.js";
import { openFreshCatalog, sha256Of } from "../catalog/fixture.js";
import { describeWith, sharedPostgres } from "../servers/index.js";

describeWith(["postgres"], "extract", () => {
  let catalog: Catalog;
  let objects: ObjectStore;
  let analysers: Analysers;
  let directory: string;
  beforeAll(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    directory = mkdtempSync(join(tmpdir(), "sluice-extract-"));
    objects = await openObjectStore(pathToFileURL(directory).href);
    analysers = await createAnalysers({ threads: 1, maxMemoryMb: 64, verdict: false });
  });
  afterAll(async () => {
    await analysers.close();
    await objects.close();
    await catalog.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const run = async (text: string) => {
    const sha256 = sha256Of(text);
    const key = `blobs/${sha256}`;
    await objects.put(key, Buffer.from(text));
    const blob = { key, offset: 0, length: text.length, encoding: "identity" } as const;
    const script = {
      scriptId: "00000000-0000-7000-8000-000000000000",
      version: 1,
      namespace: "default",
      filename: "script.py",
      uploadTime: new Date("2026-11-25T10:00:00Z"),
      analyserVersion: ANALYSER_VERSION,
      sha256,
      blob,
    } as StageScript;
    const context = {
      signal: new AbortController().signal,
      log: createLog("extract", { logLevel: "silent" }),
    };
    const deps = { catalog, objects, analysers, analyserVersion: ANALYSER_VERSION };
    return extract(script, deps, context);
  };

  test("refuses a script that kills its parser, and describes the next", async () => {
    expect(await run("x = 1\n".repeat(100_000))).toMatchObject({
      kind: "advance",
      result: { refusal: { rule: "syntax.parser-killed", severity: "error" } },
    });
    expect(await run("def add(a, b): ...\n")).toMatchObject({
      kind: "advance",
      result: { metadata: { functions: [{ name: "add" }] } },
    });
    const beside = await objects.get(metadataKey(sha256Of("def add(a, b): ...\n")));
    expect(JSON.parse(beside.toString())).toMatchObject({
      script_id: "00000000-0000-7000-8000-000000000000",
      namespace: "default",
      filename: "script.py",
      upload_time: "2026-11-25T10:00:00.000Z",
      functions: [{ name: "add" }],
    });
  });
});
