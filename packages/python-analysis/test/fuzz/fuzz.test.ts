import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeNative } from "../native-python.js";
import { readSeeds } from "./seeds.js";
import { hostileSources } from "./sources.js";
import { Subject } from "./subjects.js";

// The long run is `npm run fuzz -w packages/python-analysis`.
const SEED = 20_261_124;

function agrees(start: () => Promise<Subject>, numRuns: number): void {
  let subject: Subject;
  beforeAll(async () => {
    subject = await start();
  }, 120_000);
  afterAll(() => subject?.close());

  test("any bytes get the verdict of its Python, and are read as it reads them", async () => {
    await fc.assert(
      fc.asyncProperty(hostileSources(readSeeds()), async (source) => {
        expect(await subject.disagreement(source)).toBeUndefined();
      }),
      { seed: SEED, numRuns, interruptAfterTimeLimit: 60_000 },
    );
  }, 120_000);
}

describe("Pyodide", () => agrees(() => Subject.pyodide(), 1_500));

describeNative("an interpreter of this machine", ({ path }) =>
  agrees(() => Subject.native(path!), 1_500),
);
