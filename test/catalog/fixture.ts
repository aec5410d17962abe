import { createHash, randomUUID } from "node:crypto";
import {
  type Catalog,
  createRegistrar,
  createStatusReader,
  type Ending,
  leaseStage,
  migrate,
  openCatalog,
  type RegisteredVersion,
  type Registration,
  settleStage,
  type Settled,
  type StageResults,
  type Upload,
} from "@sluice/catalog";
import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import type { StageName, Verdict } from "@sluice/pipeline";
import { createDatabase } from "../servers/postgres.js";

/** A catalog in a fresh database of the server. */
export async function openFreshCatalog(server: { readonly url: string }): Promise<Catalog> {
  const url = await createDatabase(server);
  await migrate(url);
  return openCatalog(url, { log: { warn: () => {} }, poolSize: 20 });
}

export function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** An upload of a new script, unless `overrides` says otherwise. */
export function upload(filename: string, text: string, overrides: Partial<Upload> = {}): Upload {
  const scriptId = overrides.scriptId ?? randomUUID();
  return {
    scriptId,
    version: 1,
    namespace: "default",
    filename,
    originalFilename: filename,
    sha256: sha256Of(text),
    size: Buffer.byteLength(text),
    rawKey: `uploads/2026-01-01/${scriptId}/v${overrides.version ?? 1}.py`,
    onConflict: "version",
    requestId: "request-1",
    ...overrides,
  };
}

/** Registers an upload that must make a version. */
export async function register(catalog: Catalog, item: Upload): Promise<RegisteredVersion> {
  return created(await createRegistrar(catalog, { onCommitted: () => {} }).register(item));
}

export function created(registration: Registration): RegisteredVersion {
  if (registration.kind !== "created") throw new Error(`not created but ${registration.kind}`);
  return registration;
}

const PLACE = {
  key: "blobs/sha256/aa/bb/x",
  offset: 0,
  length: 4,
  encoding: "identity",
} as const;
export const DEDUP_RESULT = {
  place: PLACE,
  analyserVersion: "a1",
  policyVersion: "p1",
  policyId: 0,
};

export function validateResult(verdict: Verdict): StageResults["validate"] {
  return {
    facts: {},
    report: { verdict, capabilities: [], imports: [] } as unknown as AnalysisReport,
  };
}

/** What validation finds in a script that uses capabilities through these references, and imports these modules. */
export function asking(
  used: Readonly<Record<string, readonly string[]>>,
  modules: readonly string[] = [],
): StageResults["validate"] {
  const decision = "needs_approval" as const;
  const capabilities = Object.entries(used).map(([capability, references]) => ({
    capability,
    decision,
    uses: references.map((reference) => ({ reference, line: 1, column: 1, chain: [] })),
  }));
  const imports = modules.map((module) => ({ module, decision }));
  return {
    facts: {},
    report: { verdict: decision, capabilities, imports } as unknown as AnalysisReport,
  };
}

export const EXTRACT_RESULT = { metadata: { functions: [] as unknown } as AnalysisMetadata };
export const BACKUP_RESULT = { backupKey: "backups/x", manifestKey: "backups/manifests/x" };

/** Leases versions in a stage and settles all that were leased in the same way. */
export async function work<Stage extends StageName>(
  catalog: Catalog,
  stage: Stage,
  versionIds: readonly string[],
  ending: Ending<Stage>,
): Promise<Settled> {
  const token = randomUUID();
  const scripts = await leaseStage(catalog, {
    stage,
    versionIds,
    token,
    leaseMs: 60_000,
    takeOver: false,
  });
  return settleStage(
    catalog,
    stage,
    scripts.map(({ versionId }) => ({ versionId, token, durationMs: 5, ending })),
  );
}

export function done<Stage extends StageName>(
  result: StageResults[Stage],
  stop = false,
): Ending<Stage> {
  return { kind: "done", result, stop };
}

/** Takes a version that leads its analysis through all stages. */
export async function finish(
  catalog: Catalog,
  versionId: string,
  found: Verdict | StageResults["validate"],
): Promise<void> {
  const result = typeof found === "string" ? validateResult(found) : found;
  await work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT));
  await work(catalog, "validate", [versionId], done<"validate">(result));
  await work(catalog, "extract", [versionId], done<"extract">(EXTRACT_RESULT));
  await work(catalog, "compress", [versionId], done<"compress">({}));
  await work(catalog, "backup", [versionId], done<"backup">(BACKUP_RESULT));
}

/** State, verdict and stage states of a script's newest version, in one line. */
export async function standing(catalog: Catalog, scriptId: string): Promise<string> {
  const status = await createStatusReader(catalog).read({ scriptId });
  if (status === undefined) return "none";
  const stages = status.stages.map(({ name, state }) => `${name}:${state}`).join(" ");
  return `${status.state} ${String(status.verdict)} ${stages}`;
}
