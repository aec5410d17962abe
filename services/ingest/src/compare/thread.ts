/** A thread that compares two versions, so that no event loop waits for what hostile sources make slow. */
import { parentPort, workerData } from "node:worker_threads";
import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import { compareMetadata, compareReports } from "./analyses.js";
import type { Compared, ComparisonInput } from "./comparer.js";
import { unifiedDiff } from "./unified-diff.js";

const MOST_ENTRIES = 500;

function compare({
  sources,
  metadata,
  reports,
  context,
  names,
  profile,
}: ComparisonInput): Compared {
  const found = {
    ...(metadata
      ? compareMetadata(
          JSON.parse(metadata[0]) as AnalysisMetadata,
          JSON.parse(metadata[1]) as AnalysisMetadata,
          profile,
        )
      : { functions: null, tools: null, imports: null, dependencies: null }),
    ...(reports
      ? compareReports(
          JSON.parse(reports[0]) as AnalysisReport,
          JSON.parse(reports[1]) as AnalysisReport,
        )
      : { capabilities: null, findings: null }),
  };
  let cut = false;
  const analysis = cutLists(found) as typeof found;
  return {
    source: sources && unifiedDiff(sources[0], sources[1], { context, names }),
    analysis,
    listsCut: cut,
  };

  function cutLists(value: unknown): unknown {
    if (Array.isArray(value)) {
      cut ||= value.length > MOST_ENTRIES;
      return value.slice(0, MOST_ENTRIES).map(cutLists);
    }
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cutLists(item)]));
  }
}

parentPort?.postMessage(compare(workerData as ComparisonInput));
