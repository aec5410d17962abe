import { type Catalog, listRetained, readRetained, type RetainedScript } from "@sluice/catalog";
import { fatesOfBlobs } from "./blob-fates.js";
import type { RetentionPolicy } from "./document.js";
import { decide, effectOf } from "./evaluate.js";

/** Something that would go, or be archived. */
export interface DryRunItem {
  readonly scriptId: string;
  readonly namespace: string;
  readonly filename: string;
  /** `undefined` where the script goes as a whole. */
  readonly version: number | undefined;
  readonly action: "archive" | "delete";
  readonly rule: string;
}

export interface DryRunCounts {
  readonly scripts: number;
  readonly versions: number;
  readonly scriptsDeleted: number;
  readonly versionsDeleted: number;
  readonly versionsArchived: number;
  readonly freedBytes: number;
  readonly archivedBytes: number;
}

/** Where a page ends. */
export interface DryRunPosition {
  /** The last script that was looked at. */
  readonly script: string;
  /** The item behind which the script goes on; absent where it is done. */
  readonly item?: number | undefined;
}

export interface DryRunPage {
  /** Of what this page is the first to look at: they add up over all pages. */
  readonly counts: DryRunCounts;
  readonly items: readonly DryRunItem[];
  readonly next: DryRunPosition | undefined;
}

const BATCH = 200;
/** Versions that one page looks at, about. */
const MOST_VERSIONS = 10_000;

/**
 * One page of what a policy would remove at a moment; changes nothing. Costs about the same whatever is stored: a page ends where it has
 * its items, or where it has looked at enough, with items or without.
 */
export async function dryRun(
  catalog: Catalog,
  {
    policy,
    now,
    after,
    limit,
    signal,
  }: {
    readonly policy: RetentionPolicy;
    /** In milliseconds since 1970. */
    readonly now: number;
    readonly after?: DryRunPosition | undefined;
    readonly limit: number;
    readonly signal: AbortSignal;
  },
): Promise<DryRunPage> {
  const items: DryRunItem[] = [];
  let counts = NOTHING;
  if (after?.item !== undefined) {
    // Counted by the page before.
    const [script] = await readRetained(catalog, [after.script]);
    const rest = (script ? itemsOf(policy, script, now) : []).slice(after.item);
    items.push(...rest.slice(0, limit));
    if (rest.length > limit)
      return { counts, items, next: { script: after.script, item: after.item + limit } };
  }
  let last: string | undefined = after?.script;
  for (;;) {
    signal.throwIfAborted();
    const page = await listRetained(catalog, { after: last, limit: BATCH });
    const taken: RetainedScript[] = [];
    let end: DryRunPosition | undefined;
    for (const script of page.scripts) {
      const found = itemsOf(policy, script, now);
      const room = limit - items.length;
      if (found.length > 0 && room === 0) break;
      items.push(...found.slice(0, room));
      taken.push(script);
      if (found.length > room) {
        end = { script: script.scriptId, item: room };
        break;
      }
    }
    counts = add(counts, await countsOf(catalog, policy, taken, now));
    if (end !== undefined) return { counts, items, next: end };
    last = taken.at(-1)?.scriptId ?? last;
    const isWhole = taken.length === page.scripts.length;
    if (isWhole && page.next === undefined) return { counts, items, next: undefined };
    if (!isWhole || counts.versions >= MOST_VERSIONS)
      return { counts, items, next: last === undefined ? undefined : { script: last } };
  }
}

function itemsOf(policy: RetentionPolicy, script: RetainedScript, now: number): DryRunItem[] {
  const { scriptId, namespace, filename } = script;
  const { trash, verdicts } = decide(policy, script, now);
  const about = { scriptId, namespace, filename };
  if (trash !== undefined)
    return [{ ...about, version: undefined, action: "delete", rule: trash.name }];
  return script.versions.flatMap(({ number, archived }, index) => {
    const verdict = verdicts[index];
    const action = verdict ? effectOf(verdict) : "keep";
    if (verdict?.rule === undefined || action === "keep" || (action === "archive" && archived))
      return [];
    return [{ ...about, version: number, action, rule: verdict.rule.name }];
  });
}

async function countsOf(
  catalog: Catalog,
  policy: RetentionPolicy,
  scripts: readonly RetainedScript[],
  now: number,
): Promise<DryRunCounts> {
  const going = scripts.flatMap((script) => {
    const { trash, verdicts } = decide(policy, script, now);
    return script.versions.flatMap((version, index) => {
      const verdict = verdicts[index];
      const action = verdict ? effectOf(verdict) : "keep";
      if (action === "keep" || (action === "archive" && version.archived)) return [];
      return [{ scriptId: script.scriptId, version, action, whole: trash !== undefined }];
    });
  });
  const fates = await fatesOfBlobs(catalog, {
    policy,
    scripts,
    sha256s: [...new Set(going.map(({ version }) => version.sha256))],
    now,
  });
  let freedBytes = 0;
  let archivedBytes = 0;
  const counted = new Set<string>();
  for (const { scriptId, version } of going) {
    const blob = fates.get(version.sha256);
    if (blob?.countedAt !== scriptId || counted.has(version.sha256)) continue;
    counted.add(version.sha256);
    if (blob.fate === "freed") freedBytes += version.storedSize;
    if (blob.fate === "archived" && !version.archived) archivedBytes += version.storedSize;
  }
  return {
    scripts: scripts.length,
    versions: scripts.reduce((sum, { versions }) => sum + versions.length, 0),
    scriptsDeleted: new Set(going.flatMap((each) => (each.whole ? [each.scriptId] : []))).size,
    versionsDeleted: going.filter(({ action }) => action === "delete").length,
    versionsArchived: going.filter(({ action }) => action === "archive").length,
    freedBytes,
    archivedBytes,
  };
}

const NOTHING: DryRunCounts = {
  scripts: 0,
  versions: 0,
  scriptsDeleted: 0,
  versionsDeleted: 0,
  versionsArchived: 0,
  freedBytes: 0,
  archivedBytes: 0,
};

function add(a: DryRunCounts, b: DryRunCounts): DryRunCounts {
  return {
    scripts: a.scripts + b.scripts,
    versions: a.versions + b.versions,
    scriptsDeleted: a.scriptsDeleted + b.scriptsDeleted,
    versionsDeleted: a.versionsDeleted + b.versionsDeleted,
    versionsArchived: a.versionsArchived + b.versionsArchived,
    freedBytes: a.freedBytes + b.freedBytes,
    archivedBytes: a.archivedBytes + b.archivedBytes,
  };
}
