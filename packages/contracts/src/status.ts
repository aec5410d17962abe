import { STAGE_NAMES, STAGE_STATES, VERDICTS, VERSION_STATES } from "@sluice/pipeline";
import { z } from "zod";

/** Why a stage's latest try failed. */
export const stageError = z.object({ code: z.string(), message: z.string() });
export type StageError = z.infer<typeof stageError>;

export const stageStatus = z.object({
  name: z.enum(STAGE_NAMES),
  state: z.enum(STAGE_STATES),
  attempts: z.int().describe("How many times a worker has begun it"),
  started_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
  duration_ms: z.int().nullable(),
  error: stageError.nullable(),
});
export type StageStatus = z.infer<typeof stageStatus>;

/** `GET /scripts/{id}/status`. */
export const status = z
  .object({
    script_id: z.uuid(),
    version: z.int(),
    state: z.enum(VERSION_STATES),
    verdict: z.enum(VERDICTS).nullable().describe("`null` until validation is done"),
    progress: z.number().min(0).max(1).describe("The share of the stages that are over"),
    stages: z.array(stageStatus),
  })
  .meta({ id: "Status" });
export type Status = z.infer<typeof status>;
