/** A thread that hosts both parsers, so that a report is one round trip. Started by {@link createAnalysers}. */
import { parentPort, workerData } from "node:worker_threads";
import type { AnalysisMetadata } from "@sluice/contracts";
import { decodeSource } from "../decode.js";
import { collectFacts } from "../facts/collect.js";
import { malwareFindings } from "../malware/threats.js";
import { shippedRuleFiles, YaraRules } from "../malware/yara.js";
import { extractMetadata } from "../metadata.js";
import { parseModule } from "../structure/parse.js";
import { judge } from "../verdict/judge.js";
import { MemoryLimit } from "../verdict/memory-limit.js";
import { PyodideEngine } from "../verdict/pyodide-engine.js";
import { EngineLost, type KillReason, type VerdictEngine } from "../verdict/types.js";
import { RemoteEngine } from "./engine-port.js";
import {
  type AnalysisAnswer,
  type AnalysisRequest,
  type AnalysisThreadData,
  type FactsRequest,
  PHASE,
} from "./protocol.js";
import type { ThreadMessage } from "./thread.js";

/**
 * WebAssembly memory never shrinks, and CPython keeps every identifier it ever saw: past this part of its memory a thread asks to
 * be replaced, with what judges for it, so that the next script has nearly all of it.
 */
const WORN_OUT = 0.25;

const {
  verdict: judgedBy,
  python,
  budget,
  snapshot,
  ruleFiles,
  phase,
} = workerData as AnalysisThreadData;
const port = parentPort!;

const memory = new MemoryLimit(budget.memoryBytes);
memory.install();
const engine = await startEngine();
await parseModule("");
// So that no script waits for it.
const rules = engine && new YaraRules([...shippedRuleFiles(), ...ruleFiles]);

port.on("message", (request: AnalysisRequest) => void serve(request));
say({ kind: "ready", gift: engine instanceof PyodideEngine ? engine.snapshot : undefined });

async function startEngine(): Promise<VerdictEngine | undefined> {
  if (judgedBy === "none") return undefined;
  const started =
    judgedBy === "built-in"
      ? await PyodideEngine.start({ snapshot, makeSnapshot: !snapshot, memory })
      : await RemoteEngine.connect(judgedBy);
  // Results say which Python they are of, and that was asked when the service started.
  if (started.pythonVersion !== python.version) {
    throw new Error(
      `${python.path ?? "the built-in Python"} is now Python ${started.pythonVersion} and was ${python.version}: start again`,
    );
  }
  return started;
}

async function serve(request: AnalysisRequest): Promise<void> {
  try {
    const answer = await answerTo(request);
    const grown = Math.max(memory.mostGrown, engine?.memoryGrown ?? 0);
    say({ kind: "answer", answer, last: grown > budget.memoryBytes * WORN_OUT });
  } catch (error) {
    const reason = killReason(error);
    if (reason) say({ kind: "killed", reason });
    else say({ kind: "failed", error: error instanceof Error ? error : new Error(String(error)) });
  }
}

async function answerTo(request: AnalysisRequest): Promise<AnalysisAnswer> {
  if (request.kind === "metadata")
    return { kind: "metadata", metadata: await metadataOf(request.source) };
  return factsOf(request);
}

async function factsOf({ source, withMetadata }: FactsRequest): Promise<AnalysisAnswer> {
  Atomics.store(phase, 0, PHASE.verdict);
  if (!engine) throw new Error("this thread was started without CPython");
  const { decoded, verdict } = await judge(source, engine, budget);
  Atomics.store(phase, 0, PHASE.structure);
  const parsed = decoded.ok && verdict.valid ? await parseModule(decoded.text) : undefined;
  const facts = collectFacts({
    source,
    decoded,
    verdict,
    parsed,
    python,
    findMalware: (module, resolution) => {
      Atomics.store(phase, 0, PHASE.scan);
      const findings = malwareFindings(module, resolution, rules);
      Atomics.store(phase, 0, PHASE.structure);
      return findings;
    },
  });
  if (!withMetadata || !parsed || facts.structure === null)
    return { kind: "facts", facts, metadata: null };
  Atomics.store(phase, 0, PHASE.metadata);
  return { kind: "facts", facts, metadata: extractMetadata(parsed, python) };
}

async function metadataOf(source: Uint8Array): Promise<AnalysisMetadata> {
  Atomics.store(phase, 0, PHASE.structure);
  const decoded = decodeSource(source);
  if (!decoded.ok) throw new Error(`no text to take metadata from: ${decoded.error.message}`);
  return extractMetadata(await parseModule(decoded.text), python);
}

/** @returns `undefined` for what is a mistake in the code of this package */
function killReason(error: unknown): KillReason | undefined {
  if (error instanceof EngineLost) return error.reason;
  // tree-sitter aborts where `malloc` fails.
  if (memory.exceeded) return "memory";
  const overflowed =
    error instanceof RangeError && error.message === "Maximum call stack size exceeded";
  return overflowed || error instanceof WebAssembly.RuntimeError ? "trap" : undefined;
}

function say(message: ThreadMessage<AnalysisAnswer>): void {
  port.postMessage(message);
}
