import type { CompileError } from "./types.js";

/** An exception as the Python side of an engine writes it. */
export type RawError = readonly [
  type: string,
  message: string,
  line: number | null,
  column: number | null,
];

export function readError([type, message, line, column]: RawError): CompileError {
  return { type, message, line: place(line), column: place(column) };
}

/** CPython says 0 or -1 where it means no place. */
function place(value: number | null): number | null {
  return value !== null && value >= 1 ? value : null;
}
