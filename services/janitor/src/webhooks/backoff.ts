const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The waits between attempts that the Standard Webhooks specification gives as an example: about three days in all. */
const WAITS_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** Added to a wait at random, as a part of it, so that what failed together does not come back together. */
const JITTER = 0.2;
const LONGEST_REST_MS = MINUTE;

/**
 * The wait before a message is tried again.
 *
 * @param failures - attempts so far, all of which failed
 * @param random - from 0 to 1
 * @returns milliseconds; `undefined` where it is given up
 */
export function retryMs(failures: number, random = Math.random()): number | undefined {
  const wait = WAITS_MS[failures - 1];
  return wait === undefined ? undefined : Math.round(wait * (1 + JITTER * random));
}

/**
 * How long an endpoint is left alone after a message failed there, whatever else it is to be told: one that is down is
 * not tried once a message, and one message that it does not take holds up the rest for little.
 *
 * @param failures - attempts of any message there that failed since one succeeded
 */
export function restMs(failures: number, random = Math.random()): number {
  const wait = Math.min(SECOND * 2 ** (failures - 1), LONGEST_REST_MS);
  return Math.round(wait * (1 + JITTER * random));
}
