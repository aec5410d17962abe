import { listSharers, type Queryable, readRetained, type RetainedScript } from "@sluice/catalog";
import type { RetentionPolicy, RetentionRule } from "./document.js";
import { decide, effectOf, type Verdict } from "./evaluate.js";

/** What becomes of bytes that several versions may share. */
export interface BlobFate {
  /** `stays` where one version at least is kept as it is. */
  readonly fate: "stays" | "archived" | "freed";
  /** The one script that it is counted at. */
  readonly countedAt: string;
  /** The versions that a rule archives, with the rule. */
  readonly archivedBy: readonly ArchivedVersion[];
}

export interface ArchivedVersion {
  readonly scriptId: string;
  readonly number: number;
  readonly rule: RetentionRule;
}

/** Bytes that more scripts share than that stay, as far as is counted. */
const MOST_SHARERS = 100;
const SCRIPTS_AT_ONCE = 200;
/** Scripts that are looked at for the sake of one page; bytes that it takes more for stay too. */
const MOST_LOOKED_AT = 5_000;

/**
 * What becomes of the bytes of versions that are to go or to be archived. All scripts that share them have a say, wherever they are.
 *
 * @param scripts - those that the bytes were met at
 * @param sha256s - of the bytes
 */
export async function fatesOfBlobs(
  db: Queryable,
  {
    policy,
    scripts,
    sha256s,
    now,
  }: {
    readonly policy: RetentionPolicy;
    readonly scripts: readonly RetainedScript[];
    readonly sha256s: readonly string[];
    readonly now: number;
  },
): Promise<ReadonlyMap<string, BlobFate>> {
  const sharers = new Map<string, string[]>();
  for (const { sha256, scriptId } of await listSharers(db, { sha256s, limit: MOST_SHARERS + 1 }))
    sharers.set(sha256, [...(sharers.get(sha256) ?? []), scriptId]);
  const verdicts = new Map<string, ReadonlyMap<string, readonly VersionVerdict[]>>();
  const look = (some: readonly RetainedScript[]): void => {
    for (const script of some) verdicts.set(script.scriptId, verdictsByBytes(policy, script, now));
  };
  look(scripts);
  const known = [...sharers.values()].filter((each) => each.length <= MOST_SHARERS);
  const others = [...new Set(known.flat())]
    .filter((scriptId) => !verdicts.has(scriptId))
    .slice(0, MOST_LOOKED_AT);
  for (let start = 0; start < others.length; start += SCRIPTS_AT_ONCE)
    look(await readRetained(db, others.slice(start, start + SCRIPTS_AT_ONCE)));

  return new Map(
    [...sharers].map(([sha256, each]) => {
      const ids = each.toSorted();
      const found = ids.flatMap(
        (scriptId) =>
          verdicts.get(scriptId)?.get(sha256) ?? [{ scriptId, number: 0, verdict: UNKNOWN }],
      );
      const all = found.map(({ verdict }) => verdict);
      const fate =
        ids.length > MOST_SHARERS || all.some((verdict) => effectOf(verdict) === "keep")
          ? "stays"
          : all.some((verdict) => effectOf(verdict) === "archive")
            ? "archived"
            : "freed";
      const archivedBy = found.flatMap(archivedIn);
      return [sha256, { fate, countedAt: ids.at(-1) ?? "", archivedBy }];
    }),
  );
}

/** Of a script that was not looked at, or has changed since its bytes were met. */
const UNKNOWN: Verdict = { rule: undefined, action: "keep", whole: false, protectedBy: [] };

interface VersionVerdict {
  readonly scriptId: string;
  readonly number: number;
  readonly verdict: Verdict;
}

function archivedIn({ scriptId, number, verdict }: VersionVerdict): ArchivedVersion[] {
  const { rule } = verdict;
  return rule === undefined || effectOf(verdict) !== "archive" ? [] : [{ scriptId, number, rule }];
}

function verdictsByBytes(
  policy: RetentionPolicy,
  script: RetainedScript,
  now: number,
): ReadonlyMap<string, readonly VersionVerdict[]> {
  const decision = decide(policy, script, now);
  const byBytes = new Map<string, VersionVerdict[]>();
  for (const [index, { sha256, number }] of script.versions.entries()) {
    const verdict = decision.verdicts[index] ?? UNKNOWN;
    byBytes.set(sha256, [
      ...(byBytes.get(sha256) ?? []),
      { scriptId: script.scriptId, number, verdict },
    ]);
  }
  return byBytes;
}
