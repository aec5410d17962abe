import type { ObjectStore } from "@sluice/object-store";
import type { BackupKey } from "./backup-key.js";
import type { ExportIndex, Segment } from "./export-index.js";
import type { OnProgress } from "./load-catalog.js";
import { readSegment } from "./segments.js";

/** A row as an export has it: every value as PostgreSQL writes it as text, or `null`. */
export type ExportedRow = Readonly<Record<string, string | null>>;

/** What a row belongs to a script by. */
interface Belonging {
  readonly column: string;
  readonly of: "script" | "version" | "bytes";
}

/** The tables that have rows of a script and that come back with it; `NOT_OF_ONE_SCRIPT` says why others do not. */
export const OF_A_SCRIPT: ReadonlyMap<string, Belonging> = new Map([
  ["scripts", { column: "id", of: "script" }],
  ["versions", { column: "script_id", of: "script" }],
  ["approvals", { column: "script_id", of: "script" }],
  ["approval_items", { column: "script_id", of: "script" }],
  ["metadata_changes", { column: "script_id", of: "script" }],
  ["legal_holds", { column: "script_id", of: "script" }],
  ["script_use", { column: "script_id", of: "script" }],
  ["script_use_days", { column: "script_id", of: "script" }],
  ["stages", { column: "version_id", of: "version" }],
  ["blobs", { column: "sha256", of: "bytes" }],
  ["expired_blobs", { column: "sha256", of: "bytes" }],
  ["early_copies", { column: "sha256", of: "bytes" }],
  ["analyses", { column: "sha256", of: "bytes" }],
  ["script_facts", { column: "sha256", of: "bytes" }],
]);

/** The rows of one script, by table. */
export class ScriptRows {
  readonly #tables = new Map<string, Map<string, ExportedRow>>();

  /** In the order in which the export has them. */
  of(table: string): ExportedRow[] {
    return [...(this.#tables.get(table)?.values() ?? [])];
  }

  put(table: string, key: string, row: ExportedRow): void {
    const rows = this.#tables.get(table) ?? new Map<string, ExportedRow>();
    rows.set(key, row);
    this.#tables.set(table, rows);
  }

  delete(table: string, key: string): void {
    this.#tables.get(table)?.delete(key);
  }
}

/**
 * Reads a script out of an export and all that it rests on: first what names it, then what its versions and their bytes have.
 *
 * @throws `DamagedExportError` that names the object; `KeyMissingError`
 */
export async function readScriptRows(
  chain: readonly ExportIndex[],
  scriptId: string,
  {
    from,
    keys,
    signal,
    onProgress,
  }: {
    readonly from: ObjectStore;
    readonly keys: readonly BackupKey[];
    readonly signal: AbortSignal;
    readonly onProgress: OnProgress;
  },
): Promise<ScriptRows> {
  const found = new ScriptRows();
  const wanted = {
    script: new Set([scriptId]),
    version: new Set<string>(),
    bytes: new Set<string>(),
  };
  const passes = [
    (segment: Segment) => OF_A_SCRIPT.get(segment.table)?.of === "script",
    (segment: Segment) => /version|bytes/.test(OF_A_SCRIPT.get(segment.table)?.of ?? ""),
  ];
  const total = chain
    .flatMap(({ segments }) => segments)
    .filter(({ table }) => OF_A_SCRIPT.has(table)).length;
  let done = 0;
  for (const isOfPass of passes) {
    for (const index of chain) {
      const keyOf = new Map(index.tables.map(({ name, key }) => [name, key]));
      const ofPass = index.segments.filter(isOfPass);
      for (const kind of ["deletions", "rows"] as const) {
        for (const segment of ofPass.filter((one) => one.kind === kind)) {
          signal.throwIfAborted();
          const lines = await readSegment(from, segment, { keyId: index.key_id, keys });
          onProgress("reading the export", ++done, total);
          const { column, of } = OF_A_SCRIPT.get(segment.table) as Belonging;
          take(
            lines,
            segment,
            { column, ids: wanted[of], key: keyOf.get(segment.table) ?? [] },
            found,
          );
        }
      }
    }
    for (const { id, sha256 } of found.of("versions")) {
      wanted.version.add(id ?? "");
      wanted.bytes.add(sha256 ?? "");
    }
  }
  return found;
}

function take(
  lines: readonly string[],
  { table, kind }: Segment,
  { column, ids, key }: { column: string; ids: ReadonlySet<string>; key: readonly string[] },
  found: ScriptRows,
): void {
  if (kind === "deletions") {
    for (const line of lines) found.delete(table, JSON.stringify(JSON.parse(line)));
    return;
  }
  // Inside of a value every quote has a backslash: this can only be the column itself.
  const mark = `"${column}":"`;
  for (const line of lines) {
    const at = line.indexOf(mark) + mark.length;
    if (!ids.has(line.slice(at, line.indexOf('"', at)))) continue;
    const row = JSON.parse(line) as ExportedRow;
    found.put(table, JSON.stringify(key.map((name) => row[name])), row);
  }
}
