import type { WriteStream } from "node:tty";
import { SingleBar } from "cli-progress";

/** Where a run says how far it is. */
export interface Progress {
  done(): void;
  /** Leaves nothing of itself on the terminal. */
  stop(): void;
}

/** A bar on a terminal. */
export function showProgress(terminal: WriteStream, total: number): Progress {
  const bar = new SingleBar({
    stream: terminal,
    format: "{bar} {value}/{total} files, {eta_formatted} left",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
  });
  bar.start(total, 0);
  return { done: () => bar.increment(), stop: () => bar.stop() };
}

export const NO_PROGRESS: Progress = { done: () => {}, stop: () => {} };
