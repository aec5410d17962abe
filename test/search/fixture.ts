import type { Catalog } from "@sluice/catalog";
import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import { blobKey, type ObjectStore } from "@sluice/object-store";
import type { Verdict } from "@sluice/pipeline";
import { createLog } from "@sluice/runtime";
import { extractMetadata, parseModule } from "@sluice/python-analysis";
import { indexSome } from "../../services/index/src/index-some.js";
import {
  BACKUP_RESULT,
  DEDUP_RESULT,
  done,
  register,
  sha256Of,
  upload,
  work,
} from "../catalog/fixture.js";

export const log = createLog("index", { logLevel: "silent" });

export interface Stores {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
}

export interface NewScript {
  readonly filename: string;
  readonly text: string;
  readonly namespace?: string;
  readonly verdict?: Verdict;
  /** Makes another version of it. */
  readonly scriptId?: string;
  readonly version?: number;
  readonly capabilities?: AnalysisReport["capabilities"];
}

/** Takes a script through the pipeline as its stages would, with what extraction really finds in it. */
export async function addScript(stores: Stores, script: NewScript): Promise<string> {
  const { catalog, objects } = stores;
  const { filename, text, namespace = "default", verdict = "allowed", capabilities = [] } = script;
  const sha256 = sha256Of(text);
  const { versionId, scriptId } = await register(
    catalog,
    upload(filename, text, {
      namespace,
      ...(script.scriptId === undefined ? {} : { scriptId: script.scriptId }),
      ...(script.version === undefined ? {} : { version: script.version }),
    }),
  );
  const key = blobKey(sha256);
  await objects.put(key, Buffer.from(text));
  const place = { key, offset: 0, length: Buffer.byteLength(text), encoding: "identity" } as const;
  await work(catalog, "dedup", [versionId], done<"dedup">({ ...DEDUP_RESULT, place }));
  const report = { verdict, capabilities, imports: [] } as unknown as AnalysisReport;
  await work(catalog, "validate", [versionId], done<"validate">({ facts: {}, report }));
  const metadata = await metadataOf(text);
  await work(catalog, "extract", [versionId], done<"extract">({ metadata }));
  await work(catalog, "compress", [versionId], done<"compress">({}));
  await work(catalog, "backup", [versionId], done<"backup">(BACKUP_RESULT));
  return scriptId;
}

async function metadataOf(text: string): Promise<AnalysisMetadata> {
  return extractMetadata(await parseModule(text.replaceAll(/\r\n?/g, "\n")));
}

/** Indexes until nothing is due. */
export async function indexAll({ catalog, objects }: Stores): Promise<void> {
  const deps = { catalog, objects, log, onIndexed: () => {}, onFailed: () => {} };
  while ((await indexSome(deps)) > 0);
}
