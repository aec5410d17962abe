import type { Logger, Shutdown } from "@sluice/runtime";

/**
 * Runs a task now and again after each pause, one run at a time, until shutdown. A run that fails is
 * logged and the next one comes as if it had not.
 */
export function every(
  pauseMs: number,
  name: string,
  task: () => Promise<void>,
  { log, shutdown }: { log: Logger; shutdown: Shutdown },
): void {
  const loop = (async () => {
    while (!shutdown.signal.aborted) {
      try {
        await task();
      } catch (error) {
        log.error({ err: error, task: name }, "a task failed");
      }
      await pause(pauseMs, shutdown.signal);
    }
  })();
  shutdown.add(name, () => loop);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
