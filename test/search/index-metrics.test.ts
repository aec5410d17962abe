import type { Catalog } from "@sluice/catalog";
import { blobKey, FileSystemObjectStore, type ObjectStore } from "@sluice/object-store";
import { createMetrics } from "@sluice/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createIndexMetrics } from "../../services/index/src/index-metrics.js";
import { indexSome } from "../../services/index/src/index-some.js";
import { openFreshCatalog, sha256Of } from "../catalog/fixture.js";
import { describeWith, sharedPostgres, temporaryDirectory } from "../servers/index.js";
import { addScript, indexAll, log } from "./fixture.js";

describeWith(["postgres"], "the index's metrics", () => {
  let catalog: Catalog;
  let objects: ObjectStore;
  beforeAll(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    objects = await FileSystemObjectStore.open(temporaryDirectory());
  });
  afterAll(() => catalog.close());

  test("tell how far it is behind, and what it cannot index", async () => {
    const metrics = createMetrics("index");
    const counters = createIndexMetrics(metrics, catalog);
    const read = async (): Promise<Record<string, number>> => {
      const lines = (await metrics.registry.metrics()).split("\n");
      return Object.fromEntries(
        lines
          .filter((line) => line.startsWith("sluice_search_"))
          .map((line) => {
            const [, name, labels, value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
            const state = /state="(\w+)"/.exec(labels ?? "")?.[1];
            return [state === undefined ? name : `${name} ${state}`, Number(value)];
          }),
      );
    };
    expect(await read()).toMatchObject({
      sluice_search_lag_seconds: 0,
      "sluice_search_waiting waiting": 0,
      "sluice_search_waiting failing": 0,
    });

    const texts = ["waits = 1\n", "is_lost = 1\n"];
    for (const [index, text] of texts.entries())
      await addScript({ catalog, objects }, { filename: `m${index}.py`, text });
    await catalog.query("update search_queue set queued_at = queued_at - interval '90 seconds'");
    const behind = await read();
    expect(behind["sluice_search_lag_seconds"]).toBeGreaterThanOrEqual(90);
    expect(behind["sluice_search_waiting waiting"]).toBe(2);

    const lost = blobKey(sha256Of(texts[1]!));
    await objects.delete(lost);
    await indexSome({ catalog, objects, log, ...counters });
    const after = await read();
    expect(after["sluice_search_lag_seconds"]).toBeGreaterThanOrEqual(90);
    expect(after).toMatchObject({
      sluice_search_indexed_total: 1,
      sluice_search_failures_total: 1,
      "sluice_search_waiting waiting": 0,
      "sluice_search_waiting failing": 1,
    });

    await objects.put(lost, Buffer.from(texts[1]!));
    await catalog.query("update search_queue set available_at = now()");
    await indexAll({ catalog, objects });
    expect(await read()).toMatchObject({
      sluice_search_lag_seconds: 0,
      "sluice_search_waiting failing": 0,
    });
  });
});
