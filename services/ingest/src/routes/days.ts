const DAY_MS = 86_400_000;

/** ISO 8601 dates in UTC, both included. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** The days that a query asks for; `undefined` where it asks for none. */
export function daysOf({ from, to }: { from?: string | undefined; to?: string | undefined }) {
  return from === undefined ? undefined : { from, to: to ?? dayBefore(0) };
}

/** So many days, of which today is the last. */
export function lastDays(count: number): Days {
  return { from: dayBefore(count - 1), to: dayBefore(0) };
}

/** Every one of them, in order. */
export function everyDay({ from, to }: Days): string[] {
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  return Array.from({ length: days }, (_, index) => toDay(Date.parse(from) + index * DAY_MS));
}

/** So many days ago. */
export function dayBefore(days: number): string {
  return toDay(Date.now() - days * DAY_MS);
}

function toDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
