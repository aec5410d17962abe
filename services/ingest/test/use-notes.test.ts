import type { ScriptUse } from "@sluice/catalog";
import { afterEach, expect, it } from "vitest";
import { UseNotes } from "../src/use/use-notes.js";

let notes: UseNotes;
afterEach(() => notes.close());

it("gathers what is used, and forgets nothing while the catalog is away", async () => {
  let away = true;
  const recorded: ScriptUse[][] = [];
  notes = new UseNotes({
    record: async (uses) => {
      if (away) throw new Error("away");
      recorded.push([...uses]);
    },
    log: { warn: () => {} },
    everyMs: 3_600_000,
  });
  notes.downloaded("a");
  notes.metadataRead("a");
  await notes.flush();
  notes.downloaded("a");
  notes.downloaded("b");
  away = false;
  await notes.flush();
  await notes.flush();
  expect(recorded).toEqual([
    [
      { scriptId: "a", downloads: 2, metadataReads: 1 },
      { scriptId: "b", downloads: 1, metadataReads: 0 },
    ],
  ]);
});

it("writes many scripts in several statements", async () => {
  const sizes: number[] = [];
  notes = new UseNotes({
    record: async (uses) => void sizes.push(uses.length),
    log: { warn: () => {} },
    everyMs: 3_600_000,
  });
  for (let script = 0; script < 2_500; script += 1) notes.downloaded(String(script));
  await notes.close();
  expect(sizes).toEqual([1_000, 1_000, 500]);
});
