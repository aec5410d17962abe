/** Looks at candidates, in a thread of its own. */
import { parentPort } from "node:worker_threads";
import { unpackDocument } from "./document.js";
import { ExpressionError } from "./pattern.js";
import type { ThreadAnswer, VerifyRequest } from "./threads.js";
import { compileSpec, type SearchSpec, type Verify } from "./verify.js";

let latest: { readonly spec: string; readonly verify: Verify } | undefined;

function compiled(spec: SearchSpec): Verify {
  const name = JSON.stringify(spec);
  if (latest?.spec !== name) latest = { spec: name, verify: compileSpec(spec) };
  return latest.verify;
}

function answer(request: VerifyRequest & { readonly progress: Int32Array }): ThreadAnswer {
  const { spec, candidates, documents, rank, wanted, timeMs, progress } = request;
  let verify: Verify;
  try {
    verify = compiled(spec);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { kind: "wrong", reason: error.reason, fragment: error.fragment };
  }
  const begun = performance.now();
  let count = 0;
  let looked = 0;
  let current: { readonly document: number; readonly verify: ReturnType<Verify> } | undefined;
  for (const [index, { document, filename }] of candidates.entries()) {
    Atomics.store(progress, 0, index);
    if (current?.document !== document) {
      const packed = documents.get(document);
      current =
        packed === undefined ? undefined : { document, verify: verify(unpackDocument(packed)) };
    }
    const result = current?.verify({ filename });
    if (result !== undefined && (rank === undefined || result.rank === rank)) {
      // At once: this thread may not live to say it later.
      say({ kind: "found", index, found: result });
      count++;
    }
    looked = index + 1;
    if (count >= wanted || performance.now() - begun > timeMs) break;
  }
  return { kind: "verified", looked };
}

function say(answer: ThreadAnswer): void {
  parentPort?.postMessage(answer);
}

parentPort?.on("message", (request: VerifyRequest & { readonly progress: Int32Array }) => {
  say(answer(request));
});
