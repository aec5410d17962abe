/** Ends in a row, without having been ready in between, after which a program counts as broken. */
export const LOOP_LENGTH = 5;

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;

/**
 * The wait before a program that ended is started again.
 *
 * @param ends - how often it has ended in a row without having been ready in between; 0 or 1 starts at once
 * @returns milliseconds
 */
export function restartDelayMs(ends: number): number {
  return ends <= 1 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (ends - 2), LONGEST_WAIT_MS);
}
