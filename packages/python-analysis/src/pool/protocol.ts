/** What analysers and their threads say to each other. */
import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import type { Policy } from "../policy/schema.js";
import type { Budget } from "../verdict/bombs.js";
import type { Snapshot } from "../verdict/pyodide-engine.js";

export type AnalysisRequest =
  /** A policy is sent along each time; its id lets the thread keep the one it has. */
  | {
      readonly kind: "report";
      readonly source: Uint8Array;
      readonly policy: Policy;
      readonly policyId: number;
    }
  | { readonly kind: "metadata"; readonly source: Uint8Array };

export type AnalysisAnswer =
  | { readonly kind: "report"; readonly report: AnalysisReport }
  | { readonly kind: "metadata"; readonly metadata: AnalysisMetadata };

/** `workerData` of an analysis thread. */
export interface AnalysisThreadData {
  /** Whether to load CPython, which reports need. */
  readonly verdict: boolean;
  readonly budget: Budget;
  /** Made by the first thread of the pool, for those that follow. */
  readonly snapshot: Snapshot | undefined;
  /** The thread's current {@link Phase}, shared so that it can be read when the thread is gone. */
  readonly phase: Int32Array;
}

/** What a thread is at. */
export const PHASE = { verdict: 0, structure: 1 } as const;
