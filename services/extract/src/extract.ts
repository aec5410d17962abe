import { type Catalog, toDescription } from "@sluice/catalog";
import { metadataKey, type ObjectStore } from "@sluice/object-store";
import { advance, restart } from "@sluice/pipeline";
import { type Analysers, ParserKilled } from "@sluice/python-analysis";
import { type Handler, readSource } from "@sluice/worker";

export interface ExtractDeps {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly analysers: Pick<Analysers, "metadata">;
  /** Of {@link analysers}. */
  readonly analyserVersion: string;
}

/** How long dedup is given to be replaced by one of this worker's version, in milliseconds. */
const RESTART_DELAY_MS = 5_000;

/**
 * Describes a script's functions, classes, imports, dependencies and tools: for the catalog, and as
 * `metadata.json` beside the blob, there under the name of the script that was first to have the bytes.
 * A script that kills its parser is refused, and its report says so.
 */
export const extract: Handler<"extract", ExtractDeps> = async (script, deps) => {
  const { objects, analysers, analyserVersion } = deps;
  if (script.analyserVersion !== analyserVersion) return restart(RESTART_DELAY_MS);
  const { bytes } = await readSource(deps, script);
  const metadata = await analysers.metadata(bytes).catch((error: unknown) => {
    if (error instanceof ParserKilled) return error;
    throw error;
  });
  if (metadata instanceof ParserKilled) return advance({ refusal: metadata.finding });
  const { scriptId: script_id, namespace, filename, uploadTime, version, sha256 } = script;
  const upload_time = uploadTime.toISOString();
  const head = { script_id, namespace, filename, upload_time, version, sha256 };
  await objects.put(metadataKey(sha256), Buffer.from(toDescription(head, metadata)));
  return advance({ metadata });
};
