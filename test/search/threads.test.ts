import { packDocument, SearchBusyError, SearchThreads, type VerifyRequest } from "@sluice/search";
import { afterEach, expect, test } from "vitest";

/** Takes an engine of linear time minutes: it has a thousand places to follow at each character. */
const SLOW = "[ab]{0,900}[xy]";

let threads: SearchThreads;
afterEach(() => threads.close());

function request(text: string, regex: boolean, timeMs = 1): VerifyRequest {
  const facts = {
    functions: [],
    classes: [],
    tools: [],
    imports: [],
    dependencies: [],
    capabilities: [],
    docstrings: [],
  };
  return {
    spec: {
      texts: [{ text, negated: false, at: 0 }],
      fields: [],
      options: { regex, word: false, caseSensitive: true },
      places: ["content"],
    },
    rank: undefined,
    candidates: [{ document: 1, filename: "a.py" }],
    documents: new Map([[1, packDocument({ text: "a".repeat(2_000_000), facts })]]),
    wanted: 20,
    timeMs,
  };
}

test("text is looked for before expressions that wait, and one that does not end is given up", async () => {
  threads = new SearchThreads(1, 64, 600_000);
  const ends: string[] = [];
  const ended = async (name: string, asked: VerifyRequest) => {
    const verified = await threads.verify(asked);
    ends.push(name);
    return verified;
  };
  const [slow, , text] = await Promise.all([
    ended("slow", request(SLOW, true)),
    ended("expression", request("aa*", true)),
    ended("text", request("aaa", false)),
  ]);
  expect(ends).toEqual(["slow", "text", "expression"]);
  expect(slow).toEqual({ found: [], looked: 1, gaveUp: true });
  expect(text.found[0]?.found.hits).toBe(1_000);
});

/** Keeps the thread busy until it is closed. */
function keepBusy(): void {
  threads.verify(request(SLOW, true, 600_000)).catch(() => {});
}

test("what would wait too long is told to come again", async () => {
  threads = new SearchThreads(1, 64, 1);
  keepBusy();
  await expect(threads.verify(request("aaa", false))).rejects.toThrow(SearchBusyError);
});

test("what comes when too many wait is told to come again, and what waits when all is closed, too", async () => {
  threads = new SearchThreads(1, 1, 600_000);
  keepBusy();
  const waiting = threads.verify(request("aaa", false));
  await expect(threads.verify(request("aaa", false))).rejects.toThrow(SearchBusyError);
  await Promise.all([expect(waiting).rejects.toThrow(SearchBusyError), threads.close()]);
});
