import type { Finding, Report } from "@sluice/contracts";
import type { Log, Region, ReportingDescriptor, Result, Run } from "sarif";

const SCHEMA =
  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const LEVELS = { error: "error", warning: "warning", info: "note" } as const;

/**
 * A report as SARIF 2.1.0 (OASIS): one result for each finding, and one of the kind `review` for each
 * place where the script uses a capability that needs approval. What is refused is a finding already.
 */
export function toSarif(report: Report, filename: string): Log {
  const cwes = [...new Set(report.findings.flatMap(({ cwe }) => cwe ?? []))];
  const results = [
    ...report.findings.map((finding) => ofFinding(finding, cwes)),
    ...ofCapabilities(report),
  ];
  const ruleIds = [...new Set(results.map(({ ruleId }) => ruleId))];
  // Percent-encoded: the name of a file is text, the place of an artifact a URI.
  const uri = encodeURIComponent(filename);
  const run: Run = {
    tool: {
      driver: {
        name: "Sluice",
        version: report.analyser_version,
        rules: ruleIds.map((id) => toRule(id, report.findings)),
      },
    },
    automationDetails: { id: `sluice/${report.script_id}/${report.version}` },
    artifacts: [
      { location: { uri }, sourceLanguage: "python", hashes: { "sha-256": report.sha256 } },
    ],
    columnKind: "unicodeCodePoints",
    results: results.map(({ region, ...result }) => ({
      ...result,
      ruleIndex: ruleIds.indexOf(result.ruleId),
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri, index: 0 },
            ...(region !== undefined && { region }),
          },
        },
      ],
    })),
    properties: {
      verdict: report.verdict,
      pythonVersion: report.python_version,
      policy: report.policy,
      complexity: report.complexity,
    },
  };
  if (cwes.length > 0) {
    run.taxonomies = [
      {
        name: "CWE",
        organization: "MITRE",
        shortDescription: { text: "The MITRE Common Weakness Enumeration" },
        taxa: cwes.map((cwe) => ({ id: String(cwe) })),
      },
    ];
  }
  return { $schema: SCHEMA, version: "2.1.0", runs: [run] };
}

/** A result without what is known only of all of them together. */
type Found = Omit<Result, "ruleId" | "ruleIndex" | "locations"> & {
  readonly ruleId: string;
  readonly region?: Region | undefined;
};

function ofFinding(finding: Finding, cwes: readonly number[]): Found {
  return {
    ruleId: finding.rule,
    level: LEVELS[finding.severity],
    message: { text: finding.message },
    region: toRegion(finding),
    properties: { confidence: finding.confidence },
    ...(finding.cwe !== null && {
      taxa: [
        {
          id: String(finding.cwe),
          index: cwes.indexOf(finding.cwe),
          toolComponent: { name: "CWE" },
        },
      ],
    }),
  };
}

function ofCapabilities({ capabilities }: Report): Found[] {
  return capabilities
    .filter(({ decision }) => decision === "needs_approval")
    .flatMap(({ capability, uses }) =>
      uses.map(({ reference, line, column, chain }) => ({
        ruleId: `capability.${capability}`,
        kind: "review" as const,
        message: { text: `${reference} needs approval: ${capability}` },
        region: { startLine: line, startColumn: column },
        properties: { chain },
      })),
    );
}

function toRule(id: string, findings: readonly Finding[]): ReportingDescriptor {
  const help = findings.find((finding) => finding.rule === id && finding.help !== null)?.help;
  return { id, ...(typeof help === "string" && { help: { text: help } }) };
}

function toRegion({ line, column, end_line, end_column }: Finding): Region | undefined {
  if (line === null) return undefined;
  return {
    startLine: line,
    ...(column !== null && { startColumn: column }),
    ...(end_line !== null && { endLine: end_line }),
    ...(end_column !== null && { endColumn: end_column }),
  };
}
