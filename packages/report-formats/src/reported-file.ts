import type { AnalysisReport } from "@sluice/contracts";

/** A file and what validation found in it. */
export interface ReportedFile {
  /** Its name or path as its owner wrote it; bytes that are no UTF-8 are lone surrogates, as PEP 383 has them. */
  readonly name: string;
  readonly report: AnalysisReport;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
  /** The bytes as they were uploaded; `undefined` where they are not at hand, and nothing can be quoted. */
  readonly source: Uint8Array | undefined;
}
