import type { AnalysisReport } from "@sluice/contracts";
import type { Artifact, Log, Notification, ReportingDescriptor, Result, Run } from "sarif";
import type { ReportedFile } from "../reported-file.js";
import { linesOf } from "../source-lines.js";
import { artifactUri } from "./artifact-uri.js";
import { toMessage } from "./message.js";
import { capabilityRule, capabilityRuleId, findingRule } from "./rules.js";
import { toResults } from "./results.js";
import { Taxonomy } from "./taxonomy.js";

const SCHEMA =
  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const ROOT = "SRCROOT";

/** Everything of a log but its runs. */
export const LOG_HEAD = { $schema: SCHEMA, version: "2.1.0" } as const satisfies Omit<Log, "runs">;

/** What a run says of itself. */
export interface RunOptions {
  readonly analyserVersion: string;
  /** Tells the run from others of the same kind: `sluice/<script>/<version>`. */
  readonly id?: string;
}

/** A file that there is no report of, and why. */
export interface UnreportedFile {
  readonly name: string;
  readonly message: string;
  /** Whether the tool itself failed on it. */
  readonly isFault: boolean;
}

/**
 * One run over any number of files (SARIF 2.1.0, OASIS, with errata 01). Results can be written file by file; the rest of the run
 * comes last, because only then all that the results refer to is known.
 */
export class SarifRun {
  readonly #options: RunOptions;
  readonly #taxonomy = new Taxonomy();
  readonly #rules = new Map<string, { index: number; descriptor: ReportingDescriptor }>();
  readonly #artifacts = new Map<string, { index: number; artifact: Artifact }>();
  readonly #notifications: Notification[] = [];
  #failed = false;
  #judge: Pick<AnalysisReport, "python_version" | "policy"> | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  /** Adds a file's results: findings in the report's order, then uses of capabilities. */
  add({ name, report, sha256, source }: ReportedFile): Result[] {
    const { verdict, complexity } = report;
    this.#judge ??= report;
    const location = this.#artifact(name, {
      ...(source && { length: source.length }),
      sourceLanguage: "python",
      hashes: { "sha-256": sha256 },
      properties: { verdict, complexity },
    });
    return toResults(report, {
      location,
      lines: source && linesOf(source),
      taxonomy: this.#taxonomy,
      findingRule: (finding) =>
        this.#rule(finding.rule, () => findingRule(finding, this.#taxonomy)),
      capabilityRule: (capability) =>
        this.#rule(capabilityRuleId(capability), () => capabilityRule(capability)),
    });
  }

  /** Says that a file could not be reported on. */
  addUnreported({ name, message, isFault }: UnreportedFile): void {
    this.#failed ||= isFault;
    const artifactLocation = this.#artifact(name, { sourceLanguage: "python" });
    this.#notifications.push({
      level: "error",
      message: toMessage(message),
      locations: [{ physicalLocation: { artifactLocation } }],
    });
  }

  /** The run without its results. */
  end(): Omit<Run, "results"> {
    const { analyserVersion, id } = this.#options;
    const supportedTaxonomies = this.#taxonomy.supported;
    const artifacts = [...this.#artifacts.values()].map(({ artifact }) => artifact);
    const isRelative = artifacts.some(({ location }) => location?.uriBaseId !== undefined);
    return {
      tool: {
        driver: {
          name: "Sluice",
          version: analyserVersion,
          rules: [...this.#rules.values()].map(({ descriptor }) => descriptor),
          ...(supportedTaxonomies.length > 0 && { supportedTaxonomies }),
        },
      },
      ...(id !== undefined && { automationDetails: { id } }),
      invocations: [
        {
          executionSuccessful: !this.#failed,
          ...(this.#notifications.length > 0 && {
            toolExecutionNotifications: this.#notifications,
          }),
        },
      ],
      ...(isRelative && {
        originalUriBaseIds: {
          [ROOT]: { description: { text: "The directory that names of files are relative to." } },
        },
      }),
      artifacts,
      columnKind: "unicodeCodePoints",
      newlineSequences: ["\r\n", "\n", "\r"],
      ...(supportedTaxonomies.length > 0 && { taxonomies: this.#taxonomy.components }),
      ...(this.#judge && {
        properties: { pythonVersion: this.#judge.python_version, policy: this.#judge.policy },
      }),
    };
  }

  #rule(id: string, describe: () => ReportingDescriptor): number {
    const known = this.#rules.get(id);
    if (known) return known.index;
    const index = this.#rules.size;
    this.#rules.set(id, { index, descriptor: describe() });
    return index;
  }

  #artifact(name: string, about: Artifact) {
    const uri = artifactUri(name);
    const known = this.#artifacts.get(uri);
    const index = known?.index ?? this.#artifacts.size;
    const location = { uri, ...(!uri.startsWith("file:") && { uriBaseId: ROOT }) };
    if (!known) {
      const artifact = { location, roles: ["analysisTarget" as const], ...about };
      this.#artifacts.set(uri, { index, artifact });
    }
    return { ...location, index };
  }
}

/** One file's report as a log of its own. */
export function toSarif(file: ReportedFile, id: string): Log {
  const run = new SarifRun({ analyserVersion: file.report.analyser_version, id });
  const results = run.add(file);
  return { ...LOG_HEAD, runs: [{ ...run.end(), results }] };
}
