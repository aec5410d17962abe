/** What analysers and their threads say to each other. */
import type { MessagePort } from "node:worker_threads";
import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import type { Policy } from "../policy/schema.js";
import type { Budget } from "../verdict/bombs.js";
import type { Snapshot } from "../verdict/pyodide-engine.js";
import type { Python } from "../verdict/python.js";

export interface ReportRequest {
  readonly kind: "report";
  readonly source: Uint8Array;
  /** Sent along each time; its id lets the thread keep the one it has. */
  readonly policy: Policy;
  readonly policyId: number;
  /** Whether metadata is wanted too, of what the report does not find invalid. */
  readonly withMetadata: boolean;
}

export type AnalysisRequest =
  | ReportRequest
  | { readonly kind: "metadata"; readonly source: Uint8Array };

export type AnalysisAnswer =
  | {
      readonly kind: "report";
      readonly report: AnalysisReport;
      readonly metadata: AnalysisMetadata | null;
    }
  | { readonly kind: "metadata"; readonly metadata: AnalysisMetadata };

/** `workerData` of an analysis thread. */
export interface AnalysisThreadData {
  /** Who gives the verdict, which reports need: Pyodide in the thread itself, or an engine that is asked through a port. */
  readonly verdict: "none" | "built-in" | MessagePort;
  readonly python: Python;
  readonly budget: Budget;
  /** Made by the first thread of the pool, for those that follow. */
  readonly snapshot: Snapshot | undefined;
  /** The thread's current {@link Phase}, shared so that it can be read when the thread is gone. */
  readonly phase: Int32Array;
}

/** What a thread is at. */
export const PHASE = { verdict: 0, structure: 1, metadata: 2 } as const;
