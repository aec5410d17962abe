import type { UploadedScript } from "@sluice/contracts";
import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import { encode } from "@sluice/blobs";
import { blobKey, type BlobEncoding } from "@sluice/object-store";
import { readPolicyId } from "@sluice/catalog";
import { isQuarantined, type StageName, type Verdict } from "@sluice/pipeline";
import { done, work } from "../catalog/fixture.js";
import type { Ingest } from "./ingest.js";

/** What the workers would find in a script, as far as the API's answers depend on it. */
export const REPORT: AnalysisReport = {
  analyser_version: "1",
  python_version: "3.14.2",
  policy: { name: "default", version: "1" },
  verdict: "needs_approval",
  syntax: { valid: true, error: null },
  findings: [
    {
      rule: "calls.subprocess",
      severity: "warning",
      confidence: "high",
      message: "starts a process",
      line: 3,
      column: 5,
      end_line: 3,
      end_column: 19,
      why: "It can do what any program can.",
      help: "Ask for approval.",
      cwe: 78,
    },
    {
      rule: "docstrings.missing",
      severity: "info",
      confidence: "high",
      message: "the module has no docstring",
      line: null,
      column: null,
      end_line: null,
      end_column: null,
      why: null,
      help: null,
      cwe: null,
    },
  ],
  capabilities: [
    {
      capability: "process.spawn",
      decision: "needs_approval",
      uses: [{ reference: "subprocess.run", line: 3, column: 5, chain: ["import subprocess"] }],
    },
  ],
  imports: [
    {
      module: "subprocess",
      line: 1,
      column: 8,
      origin: "standard_library",
      distribution: null,
      decision: "allowed",
    },
  ],
  complexity: {
    lines: 4,
    functions: 1,
    classes: 0,
    max_nesting: 1,
    max_mccabe: 1,
    max_cognitive: 0,
  },
};

export const METADATA: AnalysisMetadata = {
  python_version: "3.14.2",
  requires_python: null,
  docstring: null,
  exports: null,
  entry_point: null,
  functions: [],
  classes: [],
  imports: ["subprocess"],
  import_details: [],
  dependencies: [],
  dependencies_source: "inferred",
  truncated: [],
  tools: {
    fastmcp: [
      {
        function: "run",
        line_number: 2,
        discoverable: true,
        diagnostics: [],
        tool: { name: "run", description: "Runs it", inputSchema: { type: "object" } },
      },
    ],
    mcp: [],
  },
};

/** Does the work of a stage on a version as its worker would, with the objects moved about for real. */
export async function pass(
  ingest: Ingest,
  { script_id, version }: Pick<UploadedScript, "script_id" | "version">,
  stage: StageName,
  {
    verdict = REPORT.verdict,
    found = {},
    encoding = "identity",
  }: { verdict?: Verdict; found?: Partial<AnalysisReport>; encoding?: BlobEncoding } = {},
): Promise<void> {
  const { catalog, store } = ingest;
  const { rows } = await catalog.query<{
    id: string;
    sha256: string;
    raw_key: string;
    size: number;
  }>("select id, sha256, raw_key, size from versions where script_id = $1 and number = $2", [
    script_id,
    version,
  ]);
  const row = rows[0];
  if (row === undefined) throw new Error("no such version");
  const { id, sha256 } = row;
  const plainKey = blobKey(sha256);
  switch (stage) {
    case "dedup": {
      await store.copy(row.raw_key, plainKey);
      const place = { key: plainKey, offset: 0, length: row.size, encoding: "identity" } as const;
      await work(
        catalog,
        "dedup",
        [id],
        done<"dedup">({
          place,
          analyserVersion: "1",
          policyVersion: "1",
          policyId: await readPolicyId(catalog),
        }),
      );
      await store.delete(row.raw_key);
      return;
    }
    case "validate":
      await work(
        catalog,
        "validate",
        [id],
        done<"validate">(
          { facts: {}, report: { ...REPORT, ...found, verdict } },
          isQuarantined(verdict),
        ),
      );
      return;
    case "extract":
      await work(catalog, "extract", [id], done<"extract">({ metadata: METADATA }));
      return;
    case "compress": {
      if (encoding === "identity") {
        await work(catalog, "compress", [id], done<"compress">({}));
        return;
      }
      const plain = await store.get(plainKey);
      const bytes = await encode(plain, encoding);
      const key = blobKey(sha256, encoding);
      await store.put(key, bytes);
      const place = { key, offset: 0, length: bytes.length, encoding };
      await work(catalog, "compress", [id], done<"compress">({ place }));
      await store.delete(plainKey);
      return;
    }
    case "backup":
      await work(catalog, "backup", [id], done<"backup">({ backupKey: "b", manifestKey: "m" }));
  }
}

/** Lets a version's stage fail for good. */
export async function fail(
  { catalog }: Ingest,
  { script_id, version }: Pick<UploadedScript, "script_id" | "version">,
  stage: StageName,
): Promise<void> {
  const { rows } = await catalog.query<{ id: string }>(
    "select id from versions where script_id = $1 and number = $2",
    [script_id, version],
  );
  const error = { code: "store_unavailable", message: "the store is away" };
  await work(catalog, stage, [rows[0]?.id as string], { kind: "failed", error });
}

export const ALL_STAGES: readonly StageName[] = [
  "dedup",
  "validate",
  "extract",
  "compress",
  "backup",
];
