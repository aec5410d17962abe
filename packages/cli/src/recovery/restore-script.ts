/** `sluice restore --script`: one script brought back into an installation that may run. */
import { userInfo } from "node:os";
import { openCatalog } from "@sluice/catalog";
import { type BackupKey, restoreScript } from "@sluice/recovery";
import { visible } from "@sluice/report-formats";
import type { Settings } from "@sluice/runtime";
import { withStoresInUse } from "@sluice/standalone";
import { Output } from "../output.js";
import { UsageError } from "../usage-error.js";
import type { RestoreArguments } from "./commands.js";
import type { Phases } from "./phases.js";
import { openSource, withObjectStores } from "./stores.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Options that make sense of a whole installation only. */
const OF_ALL = ["keepObjects", "objectsOnly", "allowMissing"] as const;

/** What `--script` asks for. @throws UsageError */
export function readScriptArguments({ script = "", at, ...options }: RestoreArguments): {
  scriptId: string;
  at: Date | undefined;
} {
  if (!UUID.test(script)) throw new UsageError("--script must be a script's id, a UUID");
  if (OF_ALL.some((name) => options[name]))
    throw new UsageError(
      "--keep-objects, --objects-only and --allow-missing are of a whole installation, not of one script",
    );
  if (at !== undefined && options.export !== undefined)
    throw new UsageError("--at and --export both say which export is meant: give one of them");
  const time = at === undefined ? undefined : new Date(at);
  // A date alone would be midnight UTC, which few would guess.
  if (
    time !== undefined &&
    (Number.isNaN(time.getTime()) || !/T.*(Z|[+-]\d\d:?\d\d)$/i.test(at ?? ""))
  )
    throw new UsageError("--at must be a time as RFC 3339 writes it, such as 2026-11-24T18:00:00Z");
  return { scriptId: script.toLowerCase(), at: time };
}

/** @returns whether everything is there again */
export async function runRestoreScript(
  settings: Settings,
  options: RestoreArguments,
  {
    keys,
    say,
    signal,
    phases,
  }: {
    keys: readonly BackupKey[];
    say: (line: string) => void;
    signal: AbortSignal;
    phases: Phases;
  },
): Promise<boolean> {
  const { scriptId, at } = readScriptArguments(options);
  const restored = await withStoresInUse(settings, say, (urls) =>
    withObjectStores(async (open) => {
      const backup = await open(urls.backupUrl);
      const from = await openSource(options.from, backup, open);
      const objects = await open(urls.objectStoreUrl);
      const catalog = openCatalog(urls.catalogUrl, {
        log: { warn: () => {} },
        applicationName: "sluice-restore-script",
      });
      try {
        return await restoreScript({
          catalog,
          objects,
          backup,
          from,
          keys,
          scriptId,
          exportId: options.export,
          at,
          filename: options.filename,
          actor: `cli:${userInfo().username}`,
          signal,
          onProgress: (phase, done, total) => phases.show(phase, done, total),
        });
      } finally {
        await catalog.close();
      }
    }),
  );
  phases.end();
  const { script, namespace, filename, versions, blobs, exportId, exportedAt, lost } = restored;
  const how = {
    inserted: "was gone, and is there again",
    undeleted: "was in the trash, and is out of it",
    kept: "was there, and lacked some",
  }[script];
  await new Output(process.stdout).write(
    `${namespace}/${visible(filename)} (${scriptId}) ${how}: ${versions.length} versions${
      versions.length === 0 ? "" : ` (${versions.join(", ")})`
    } and ${blobs.length} blobs came back, as they were at ${exportedAt} (export ${exportId})\n`,
  );
  if (script === "inserted")
    say("where a retention policy lets such scripts go, pin it, or hold it, to keep it");
  for (const { sha256, why } of lost) say(`lost: ${sha256}: ${why}`);
  return lost.length === 0;
}
