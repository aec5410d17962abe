/** All that an error says of itself, for whoever will look for the mistake. */
export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
