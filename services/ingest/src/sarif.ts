import type { Capability, Finding, Report } from "@sluice/contracts";
import type { Log, ReportingDescriptor, Result } from "sarif";

const SCHEMA =
  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const LEVELS = { error: "error", warning: "warning", info: "note" } as const;

/** A report as SARIF 2.1.0 (OASIS), with one result for each finding. */
export function toSarif(report: Report, filename: string): Log {
  const ruleIds = [...new Set(report.findings.map(({ rule }) => rule))];
  const cwes = [...new Set(report.findings.flatMap(({ cwe }) => cwe ?? []))].toSorted(
    (a, b) => a - b,
  );
  return {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "Sluice",
            version: report.analyser_version,
            rules: ruleIds.map((id) => toRule(id, report.findings)),
          },
        },
        automationDetails: { id: `sluice/${report.script_id}/${report.version}` },
        // Percent-encoded: the name of a file is text, the place of an artifact a URI.
        artifacts: [
          {
            location: { uri: encodeURIComponent(filename) },
            sourceLanguage: "python",
            hashes: { "sha-256": report.sha256 },
          },
        ],
        ...(cwes.length > 0 && {
          taxonomies: [
            {
              name: "CWE",
              organization: "MITRE",
              shortDescription: { text: "The MITRE Common Weakness Enumeration" },
              taxa: cwes.map((cwe) => ({ id: String(cwe) })),
            },
          ],
        }),
        columnKind: "unicodeCodePoints",
        results: report.findings.map((finding) =>
          toResult(finding, ruleIds.indexOf(finding.rule), cwes, filename),
        ),
        properties: {
          verdict: report.verdict,
          pythonVersion: report.python_version,
          policy: report.policy,
          capabilities: report.capabilities.map(({ capability, decision }: Capability) => ({
            capability,
            decision,
          })),
          complexity: report.complexity,
        },
      },
    ],
  };
}

function toRule(id: string, findings: readonly Finding[]): ReportingDescriptor {
  const help = findings.find(({ rule, help: text }) => rule === id && text !== null)?.help;
  return { id, ...(typeof help === "string" && { help: { text: help } }) };
}

function toResult(
  finding: Finding,
  ruleIndex: number,
  cwes: readonly number[],
  filename: string,
): Result {
  return {
    ruleId: finding.rule,
    ruleIndex,
    level: LEVELS[finding.severity],
    message: { text: finding.message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURIComponent(filename), index: 0 },
          ...(finding.line !== null && { region: toRegion(finding, finding.line) }),
        },
      },
    ],
    ...(finding.cwe !== null && {
      taxa: [
        {
          id: String(finding.cwe),
          index: cwes.indexOf(finding.cwe),
          toolComponent: { name: "CWE" },
        },
      ],
    }),
    properties: { confidence: finding.confidence },
  };
}

function toRegion({ column, end_line, end_column }: Finding, line: number) {
  return {
    startLine: line,
    ...(column !== null && { startColumn: column }),
    ...(end_line !== null && { endLine: end_line }),
    ...(end_column !== null && { endColumn: end_column }),
  };
}
