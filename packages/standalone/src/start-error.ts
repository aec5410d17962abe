/** Why Sluice does not start: one line that says what is wrong and what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of an error of the system (`ENOENT`, …). */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
