import type { StageError, Status } from "@sluice/contracts";
import {
  isFinal,
  STAGE_NAMES,
  type StageState,
  type Verdict,
  type VersionState,
} from "@sluice/pipeline";
import type { Catalog } from "./catalog.js";
import { GroupCommit } from "./group-commit.js";

/** A script's newest version, or one of its others. */
export interface StatusRef {
  readonly scriptId: string;
  readonly version?: number | undefined;
}

export interface StatusReader {
  /** `undefined` where there is no such script or version, or it was deleted. */
  read(ref: StatusRef): Promise<Status | undefined>;
}

/** Reads that are asked for while another is under way share one query by primary key. */
export function createStatusReader(catalog: Catalog): StatusReader {
  const group = new GroupCommit<StatusRef, Status | undefined>(
    (refs) => readStatuses(catalog, refs),
    { maxItems: 500 },
  );
  return { read: (ref) => group.add(ref) };
}

/** @returns one status a ref, in order */
export async function readStatuses(
  catalog: Catalog,
  refs: readonly StatusRef[],
): Promise<(Status | undefined)[]> {
  const { rows } = await catalog.query<StatusRow>({
    name: "read_statuses",
    text: `select wanted.position::int as position, s.id as script_id, v.number, v.state, v.verdict,
        (select json_agg(json_build_object('stage', st.stage, 'state', st.state,
            'attempts', st.attempts, 'started_at', extract(epoch from st.started_at) * 1000,
            'finished_at', extract(epoch from st.finished_at) * 1000, 'error', st.error))
         from stages st where st.version_id = v.id) as stages
      from unnest($1::uuid[], $2::integer[]) with ordinality as wanted (script_id, number, position)
        join scripts s on s.id = wanted.script_id and s.deleted_at is null
        join versions v on v.script_id = s.id and v.number = coalesce(wanted.number, s.latest_version)
          and v.deleted_at is null`,
    values: [refs.map(({ scriptId }) => scriptId), refs.map(({ version }) => version ?? null)],
  });
  const statuses = Array.from<Status | undefined>({ length: refs.length });
  for (const row of rows) statuses[row.position - 1] = toStatus(row);
  return statuses;
}

interface StatusRow {
  position: number;
  script_id: string;
  number: number;
  state: VersionState;
  verdict: Verdict | null;
  stages: StageRow[] | null;
}

interface StageRow {
  stage: string;
  state: StageState;
  attempts: number;
  started_at: number | null;
  finished_at: number | null;
  error: StageError | null;
}

function toStatus(row: StatusRow): Status {
  // A stage without a row has not come yet; in a version that is over and did not fail it never will.
  const absent: StageState = isFinal(row.state) && row.state !== "failed" ? "skipped" : "pending";
  const stages = STAGE_NAMES.map((name) => {
    const stage = row.stages?.find((candidate) => candidate.stage === name);
    const started = stage?.started_at ?? null;
    const finished = stage?.finished_at ?? null;
    return {
      name,
      state: stage?.state ?? absent,
      attempts: stage?.attempts ?? 0,
      started_at: started === null ? null : new Date(started).toISOString(),
      finished_at: finished === null ? null : new Date(finished).toISOString(),
      duration_ms:
        started === null || finished === null ? null : Math.max(0, Math.round(finished - started)),
      error: stage?.error ?? null,
    };
  });
  const over = stages.filter(({ state }) => state === "done" || state === "skipped").length;
  return {
    script_id: row.script_id,
    version: row.number,
    state: row.state,
    verdict: row.verdict,
    progress: over / stages.length,
    stages,
  };
}
