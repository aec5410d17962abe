import { setTimeout as delay } from "node:timers/promises";
import type { ServiceContext } from "@sluice/runtime";

/** How long to wait where nothing is due: a script is to be found within seconds. */
const IDLE_MS = 500;
/** Where the stores do not answer. */
const FAILED_MS = 2_000;

/**
 * Indexes as long as there is something to index, until shutdown.
 *
 * @param indexSome - resolves to how much there was
 */
export function keepIndexing(
  indexSome: () => Promise<number>,
  { log, shutdown }: Pick<ServiceContext, "log" | "shutdown">,
): void {
  const { signal } = shutdown;
  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal }).catch(() => {});
  const loop = (async () => {
    while (!signal.aborted) {
      try {
        if ((await indexSome()) === 0) await pause(IDLE_MS);
      } catch (error) {
        log.error({ err: error }, "not indexed; it will be tried again");
        await pause(FAILED_MS);
      }
    }
  })();
  shutdown.add("indexing", () => loop);
}
