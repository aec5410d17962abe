/** What analysers and their threads say to each other. */
import type { MessagePort } from "node:worker_threads";
import type { AnalysisMetadata } from "@sluice/contracts";
import type { ScriptFacts } from "../facts/script-facts.js";
import type { RuleFile } from "../malware/yara.js";
import type { Budget } from "../verdict/bombs.js";
import type { Snapshot } from "../verdict/pyodide-engine.js";
import type { Python } from "../verdict/python.js";

export interface FactsRequest {
  readonly kind: "facts";
  readonly source: Uint8Array;
  /** Whether metadata is wanted too, of what is valid. */
  readonly withMetadata: boolean;
}

export type AnalysisRequest =
  | FactsRequest
  | { readonly kind: "metadata"; readonly source: Uint8Array };

export type AnalysisAnswer =
  | {
      readonly kind: "facts";
      readonly facts: ScriptFacts;
      readonly metadata: AnalysisMetadata | null;
    }
  | { readonly kind: "metadata"; readonly metadata: AnalysisMetadata };

/** `workerData` of an analysis thread. */
export interface AnalysisThreadData {
  /** Who gives the verdict, which facts need: Pyodide in the thread itself, or an engine that is asked through a port. */
  readonly verdict: "none" | "built-in" | MessagePort;
  readonly python: Python;
  readonly budget: Budget;
  /** Made by the first thread of the pool, for those that follow. */
  readonly snapshot: Snapshot | undefined;
  /** What is scanned for besides the rules that come along. */
  readonly ruleFiles: readonly RuleFile[];
  /** The thread's current {@link Phase}, shared so that it can be read when the thread is gone. */
  readonly phase: Int32Array;
}

/** What a thread is at. */
export const PHASE = { verdict: 0, structure: 1, metadata: 2, scan: 3 } as const;
