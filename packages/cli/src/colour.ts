/**
 * Whether to write in colour: `FORCE_COLOR` says so (`0` and `false` say no), else a `NO_COLOR` that is not empty says no
 * (no-color.org), else it is what a terminal is for.
 */
export function wantsColour(
  { FORCE_COLOR: force, NO_COLOR: no, TERM: term }: NodeJS.ProcessEnv,
  isTerminal: boolean | undefined,
): boolean {
  if (force !== undefined) return force !== "0" && force !== "false";
  if (no !== undefined && no !== "") return false;
  // Node leaves `isTTY` undefined where it is none, which picocolors would take for a question to itself.
  return isTerminal === true && term !== "dumb";
}
