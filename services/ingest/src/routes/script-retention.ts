import {
  type AuditEntry,
  type Catalog,
  listTrash,
  readClock,
  readLegalHold,
  readRetained,
  readRetentionPolicyInForce,
  readRetentionState,
  readScriptTrace,
  type RetainedScript,
} from "@sluice/catalog";
import type { ScriptRetention } from "@sluice/contracts";
import {
  type DatedVerdict,
  foresee,
  parseRetentionPolicy,
  type RetentionPolicy,
} from "@sluice/retention";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { scriptNotFound } from "./find.js";
import { toHold } from "./legal-hold.js";

/** Deleted versions that one answer names. */
const MOST_DELETED = 101;

const EMPTY: RetentionPolicy = {
  name: "",
  version: "",
  rules: [],
  brakes: { max_share: 0, max_removals: 0 },
};

export function readScriptRetention({ catalog }: Pick<Dependencies, "catalog">): Route {
  return route("readScriptRetention", async ({ params: { id }, query, res }) => {
    res.locals.about["script_id"] = id;
    const of = { retention: id, version: query.version };
    const before =
      query.cursor === undefined ? undefined : decodeCursor(query.cursor, of, z.int().min(1));
    const trace = await readScriptTrace(catalog, id);
    if (trace === undefined) throw scriptNotFound(id);
    const stored = await readRetentionPolicyInForce(catalog);
    const policy = stored ? parseRetentionPolicy(stored.source) : EMPTY;
    const now = (await readClock(catalog)).getTime();
    const [script] = await readRetained(catalog, [id]);
    const { items: trash } = await listTrash(catalog, {
      filter: { scriptId: id },
      limit: MOST_DELETED,
    });
    const page = pageOf(script, { version: query.version, before, limit: query.limit });
    if (
      query.version !== undefined &&
      page.indexes.length === 0 &&
      !isKnown(trace.history, query.version)
    )
      throw new ProblemError(
        "version_not_found",
        `The script ${id} has no version ${query.version}.`,
      );

    const body: ScriptRetention = {
      script_id: id,
      namespace: trace.script?.namespace ?? textOf(trace.history, "namespace"),
      filename: trace.script?.filename ?? textOf(trace.history, "filename"),
      standing:
        trace.script === undefined ? "gone" : trace.script.deletedAt ? "in_trash" : "stored",
      deleted_at: deletedAt(trace)?.toISOString() ?? null,
      purge_at: trash.find(({ version }) => version === undefined)?.purgeAt.toISOString() ?? null,
      deleted_versions: trash.flatMap(({ version, deletedAt: at, purgeAt }) =>
        version === undefined
          ? []
          : [{ version, deleted_at: at.toISOString(), purge_at: purgeAt.toISOString() }],
      ),
      policy: stored ? { id: stored.id, name: stored.name, version: stored.version } : null,
      paused: (await readRetentionState(catalog)).pause !== undefined,
      legal_hold: await holdOf(catalog, id),
      pinned: trace.script?.pinned ?? false,
      last_used_at: trace.script?.lastUsedAt?.toISOString() ?? null,
      script: script ? foresee(policy, script, "script", now).map(toOutlook) : [],
      versions: page.indexes.flatMap((index) => {
        const version = script?.versions[index];
        if (script === undefined || version === undefined) return [];
        return {
          version: version.number,
          state: version.state,
          upload_time: version.uploadedAt.toISOString(),
          archived: version.archived,
          outlook: foresee(policy, script, index, now).map(toOutlook),
        };
      }),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
      history: trace.history
        .filter(
          ({ version }) =>
            query.version === undefined || version === undefined || version === query.version,
        )
        .map(toHistory),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}

interface Page {
  readonly indexes: readonly number[];
  /** The number of the last version on it; `undefined` where none is behind it. */
  readonly next: number | undefined;
}

function pageOf(
  script: RetainedScript | undefined,
  {
    version,
    before,
    limit,
  }: { version: number | undefined; before: number | undefined; limit: number },
): Page {
  const versions = script?.versions ?? [];
  const wanted = [...versions.keys()].filter((index) => {
    const number = versions[index]?.number ?? 0;
    return (
      (version === undefined || number === version) && (before === undefined || number < before)
    );
  });
  const indexes = wanted.slice(0, limit);
  const last = indexes.at(-1);
  return {
    indexes,
    next: wanted.length > limit && last !== undefined ? versions[last]?.number : undefined,
  };
}

async function holdOf(catalog: Catalog, scriptId: string): Promise<ScriptRetention["legal_hold"]> {
  const hold = await readLegalHold(catalog, scriptId);
  return hold ? toHold(hold) : null;
}

function deletedAt({
  script,
  history,
}: NonNullable<Awaited<ReturnType<typeof readScriptTrace>>>): Date | undefined {
  if (script !== undefined) return script.deletedAt;
  return history.find(({ action }) => action === "script.deleted")?.at;
}

function isKnown(history: readonly AuditEntry[], version: number): boolean {
  return history.some((entry) => entry.version === version);
}

function toOutlook({
  from,
  action,
  rule,
  whole,
  protectedBy,
}: DatedVerdict): ScriptRetention["script"][number] {
  return {
    from: Number.isFinite(from) ? new Date(from).toISOString() : null,
    action,
    rule: rule?.name ?? null,
    whole,
    protected_by: [...protectedBy],
  };
}

function toHistory({
  at,
  actor,
  action,
  version,
  details,
}: AuditEntry): ScriptRetention["history"][number] {
  const said = details as Readonly<Record<string, unknown>>;
  const text = (name: string) => (typeof said[name] === "string" ? said[name] : null);
  return {
    at: at.toISOString(),
    actor,
    action,
    version: version ?? null,
    rule: text("rule"),
    policy_id: typeof said["policy_id"] === "number" ? said["policy_id"] : null,
    policy_version: text("policy_version"),
    reason: text("reason"),
  };
}

/** What the entry of a deletion remembers of a script that is gone. */
function textOf(history: readonly AuditEntry[], name: "namespace" | "filename"): string | null {
  for (const { details } of history) {
    const value = (details as Readonly<Record<string, unknown>>)[name];
    if (typeof value === "string") return value;
  }
  return null;
}
