import type { StageResults, StageScript } from "@sluice/catalog";
import type { Outcome, StageName } from "@sluice/pipeline";
import type { Logger } from "@sluice/runtime";

/** What a handler gets beside the script. */
export interface HandlerContext {
  /** Aborted when the script's time is over; what the handler does after that is thrown away. */
  readonly signal: AbortSignal;
  /** Bears the request id, script id and version of the script at hand. */
  readonly log: Logger;
}

/**
 * The work of one stage on one script. It may be called more than once for the same script, at the
 * same time too, and must come to the same result each time. A throw is tried again by the stage's
 * retry policy; outcomes are values, see `@sluice/pipeline`.
 */
export type Handler<Stage extends StageName, Deps> = (
  script: StageScript,
  deps: Deps,
  context: HandlerContext,
) => Promise<Outcome<StageResults[Stage]>>;
