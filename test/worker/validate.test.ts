import { readBlob } from "@sluice/blobs";
import type { Catalog, StageScript } from "@sluice/catalog";
import { type ObjectStore, openObjectStore, packKey, quarantineKey } from "@sluice/object-store";
import {
  ANALYSER_VERSION,
  type Analysers,
  createAnalysers,
  DEFAULT_POLICY,
} from "@sluice/python-analysis";
import { createLog } from "@sluice/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { validate } from "../../services/validate/src/validate.js";
import { openFreshCatalog, sha256Of } from "../catalog/fixture.js";
import { describeWith, sharedPostgres, temporaryDirectory } from "../servers/index.js";

describeWith(["postgres"], "validate", () => {
  let catalog: Catalog;
  let objects: ObjectStore;
  let analysers: Analysers;
  beforeAll(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    objects = await openObjectStore(`file://${temporaryDirectory()}/store`);
    analysers = await createAnalysers({ threads: 1, maxMemoryMb: 1_024, verdict: true });
  });
  afterAll(async () => {
    await analysers.close();
    await objects.close();
    await catalog.close();
  });

  test("takes what turns out to be malware out of a pack, and leaves the pack to the others in it", async () => {
    const text = "x = 1\n";
    const sha256 = sha256Of(text);
    const key = packKey("01a2094b-5a3c-461f-a6e9-09ad8dfdcae2");
    const pack = Buffer.from(`before${text}behind`);
    await objects.put(key, pack);
    const script = {
      sha256,
      analyserVersion: ANALYSER_VERSION,
      policyVersion: "1",
      blob: { key, offset: 6, length: text.length, encoding: "identity" },
    } as StageScript;
    const outcome = await validate(
      script,
      {
        catalog,
        objects,
        analysers,
        analyserVersion: ANALYSER_VERSION,
        policies: { read: async () => DEFAULT_POLICY },
        scanner: { scan: async () => ({ kind: "infected", signature: "Eicar" }) },
      },
      {
        signal: new AbortController().signal,
        log: createLog("validate", { logLevel: "silent" }),
      },
    );
    if (outcome.kind !== "stop") throw new Error(outcome.kind);
    const { place } = outcome.result;
    expect(place).toMatchObject({ key: quarantineKey(sha256), offset: 0 });
    expect(place && (await readBlob(objects, place, sha256)).toString()).toBe(text);
    expect((await objects.get(quarantineKey(sha256))).toString()).toBe(text);
    expect((await objects.get(key)).equals(pack)).toBe(true);
  });
});
