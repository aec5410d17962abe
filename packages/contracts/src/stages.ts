import { STAGE_NAMES } from "@sluice/pipeline";
import { z } from "zod";

/** What an operator sees of one stage. */
export const stageOverview = z.object({
  name: z.enum(STAGE_NAMES),
  paused: z.boolean().describe("Its workers finish what they hold and take nothing more"),
  versions: z
    .object({ pending: z.int(), running: z.int() })
    .describe("Versions in this stage, as the catalog has them"),
  oldest_pending_at: z.iso
    .datetime()
    .nullable()
    .describe("Since when the version that has waited longest is due"),
  jobs: z
    .object({ waiting: z.int(), active: z.int(), delayed: z.int() })
    .describe("Jobs in its queue; a job carries up to 64 versions"),
});
export type StageOverview = z.infer<typeof stageOverview>;

export const stageList = z.object({ items: z.array(stageOverview) });
