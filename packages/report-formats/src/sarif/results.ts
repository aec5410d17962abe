import type { AnalysisReport, Capability, Finding } from "@sluice/contracts";
import type { ArtifactLocation, Location, PhysicalLocation, Region, Result } from "sarif";
import type { SourceLines } from "../source-lines.js";
import { Fingerprints } from "./fingerprints.js";
import { toMessage } from "./message.js";
import { capabilityRuleId, LEVELS } from "./rules.js";
import type { Taxonomy } from "./taxonomy.js";

/** Longer lines are not quoted. */
const LONGEST_SNIPPET = 500;

/** What results of one file are made with. */
export interface ResultContext {
  readonly location: ArtifactLocation;
  readonly lines: SourceLines | undefined;
  readonly taxonomy: Taxonomy;
  /** The place of a finding's rule among the run's, which it joins if it is not there yet. */
  readonly findingRule: (finding: Finding) => number;
  readonly capabilityRule: (capability: string) => number;
}

/** One result for each finding, and one for each place where a capability is used that is refused or needs approval. */
export function toResults(report: AnalysisReport, context: ResultContext): Result[] {
  const fingerprints = new Fingerprints();
  const found = [
    ...report.findings.map((finding) => ofFinding(finding, context)),
    ...report.capabilities.flatMap((capability) => ofCapability(capability, context)),
  ];
  return found.map(({ place, ruleId, text, ...result }) => ({
    ruleId,
    ...result,
    message: toMessage(text),
    locations: [locationOf(place, context)],
    partialFingerprints: fingerprints.of({
      ruleId,
      text,
      line: place.line === null ? undefined : context.lines?.line(place.line),
      column: place.column,
    }),
  }));
}

type Place = Pick<Finding, "line" | "column" | "end_line" | "end_column">;

/** A result but for what all are given alike. */
type Found = Omit<Result, "ruleId" | "message" | "locations"> & {
  readonly ruleId: string;
  readonly text: string;
  readonly place: Place;
};

function ofFinding(finding: Finding, { taxonomy, findingRule }: ResultContext): Found {
  return {
    ruleId: finding.rule,
    ruleIndex: findingRule(finding),
    level: LEVELS[finding.severity],
    text: finding.message,
    place: finding,
    ...(finding.cwe !== null && { taxa: [taxonomy.reference(finding.cwe)] }),
    properties: { confidence: finding.confidence },
  };
}

function ofCapability(
  { capability, decision, uses }: Capability,
  { capabilityRule }: ResultContext,
): Found[] {
  if (decision === "allowed" || uses.length === 0) return [];
  const ruleIndex = capabilityRule(capability);
  return uses.map(({ reference, line, column, chain }) => ({
    ruleId: capabilityRuleId(capability),
    ruleIndex,
    // What is under review has no level yet (§3.27.10).
    ...(decision === "refused"
      ? { kind: "fail" as const, level: "error" as const }
      : { kind: "review" as const, level: "none" as const }),
    text: `\`${reference}\` ${decision === "refused" ? "is refused" : "needs approval"}: ${capability}`,
    place: { line, column, end_line: null, end_column: null },
    properties: { reference, chain },
  }));
}

function locationOf(place: Place, { location, lines }: ResultContext): Location {
  const region = regionOf(place);
  if (region === undefined) return { physicalLocation: { artifactLocation: location } };
  const physicalLocation: PhysicalLocation = { artifactLocation: location, region };
  const line = lines?.line(region.startLine);
  const { startLine, startColumn = 1, endLine = startLine, endColumn } = region;
  if (line === undefined || line.text.length > LONGEST_SNIPPET || endLine !== startLine)
    return { physicalLocation };
  if (startColumn > 1) {
    physicalLocation.contextRegion = { startLine, snippet: { text: line.text } };
  } else {
    // The region may be all of the line, which its context would have to be larger than (§3.29.5).
    const end = endColumn === undefined ? undefined : line.offset(endColumn - 1);
    region.snippet = { text: line.text.slice(0, end) };
  }
  return { physicalLocation };
}

function regionOf({ line, column, end_line: endLine, end_column: endColumn }: Place) {
  if (line === null) return undefined;
  const region: Region & { startLine: number } = { startLine: line };
  if (column !== null) region.startColumn = column;
  if (endLine !== null) region.endLine = endLine;
  if (endColumn !== null) region.endColumn = endColumn;
  return region;
}
