// A thread that does what it is told, for the tests of the pool.
import { parentPort, threadId, workerData } from "node:worker_threads";

let served = 0;

parentPort.on("message", ({ act, id }) => {
  served += 1;
  const answer = (last) =>
    parentPort.postMessage({
      kind: "answer",
      answer: { id, threadId, served, gift: workerData.gift },
      last,
    });
  Atomics.store(workerData.progress, 0, id);
  if (act === "answer" || act === "answer-last") {
    answer(act === "answer-last");
    return;
  }
  if (act === "answer-and-exit") {
    answer(false);
    setImmediate(() => process.exit(1));
    return;
  }
  if (act === "die-once") {
    // Shared by all threads of the test: the first to come here dies.
    if (Atomics.add(workerData.deaths, 0, 1) === 0) process.exit(1);
    return answer(false);
  }
  if (act === "killed") return parentPort.postMessage({ kind: "killed", reason: "trap" });
  if (act === "fail")
    return parentPort.postMessage({ kind: "failed", error: new TypeError(`failed on ${id}`) });
  if (act === "exit") process.exit(1);
  if (act === "throw") throw new Error("thrown");
  if (act === "eat")
    for (const eaten = []; ;) eaten.push(Array.from({ length: 100_000 }, (_, i) => ({ i })));
  if (act === "loop") for (;;);
});

if (workerData.start === "throw") throw new Error("cannot start");
if (workerData.start === "exit") process.exit(7);
if (workerData.start === "hang") await new Promise(() => {});
parentPort.postMessage({
  kind: "ready",
  gift: workerData.gift === undefined ? `gift of ${threadId}` : "unwanted",
});
