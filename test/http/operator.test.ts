import type { StageOverview } from "@sluice/contracts";
import { STAGE_NAMES } from "@sluice/pipeline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "../servers/index.js";
import { call } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";

describeWith(["postgres"], "an operator", () => {
  let ingest: Ingest;
  beforeAll(async () => {
    ingest = await startIngest();
  });
  afterAll(() => ingest.stop());

  const list = async () =>
    (await call<{ items: StageOverview[] }>(ingest, "listStages", "/api/v1/stages")).body.items;

  test("sees every stage, and what it has to do", async () => {
    const form = new FormData();
    form.append("file", new Blob(["x = 1\n"]), "waits.py");
    await call(ingest, "uploadScript", "/api/v1/upload_script", { body: form });
    await expect.poll(async () => (await list())[0]?.jobs.waiting).toBe(1);
    const items = await list();
    expect(items.map(({ name }) => name)).toEqual([...STAGE_NAMES]);
    expect(items[0]).toMatchObject({ paused: false, versions: { pending: 1, running: 0 } });
    expect(Date.parse(items[0]?.oldest_pending_at ?? "")).toBeLessThanOrEqual(Date.now());
    expect(items[1]).toMatchObject({ versions: { pending: 0 }, oldest_pending_at: null });
  });

  test("pauses a stage and resumes it, twice to no harm", async () => {
    for (const paused of [true, true, false, false]) {
      const what = paused ? "pause" : "resume";
      const { status, body } = await call<StageOverview>(
        ingest,
        paused ? "pauseStage" : "resumeStage",
        `/api/v1/stages/validate/${what}`,
      );
      expect([status, body.name, body.paused]).toEqual([200, "validate", paused]);
    }
    expect((await list()).map(({ paused }) => paused)).not.toContain(true);
  });

  test("is told of a stage that is none", async () => {
    const { status, body } = await call<{ code: string }>(
      ingest,
      "pauseStage",
      "/api/v1/stages/polish/pause",
    );
    expect([status, body.code]).toEqual([404, "unknown_stage"]);
  });
});
