/** CPython's exception, in its own words. */
export interface CompileError {
  /** The exception's class: `SyntaxError`, `IndentationError`, `TabError`, `ValueError`, `RecursionError`, `MemoryError`, … */
  readonly type: string;
  readonly message: string;
  /** Counts from 1; `null` where CPython names none. */
  readonly line: number | null;
  /** Counts from 1, in code points; `null` where CPython names none. */
  readonly column: number | null;
}

/**
 * What stopped a parser: it ran past its time, it asked for more memory than it may have, or it crashed (a stack overflow, an
 * abort; a trap, as WebAssembly calls it).
 */
export type KillReason = "timeout" | "memory" | "trap";

/** What `compile(source, name, "exec")` says. */
export interface CompileVerdict {
  /** `false` too where no verdict was reached because the interpreter was {@link killed}. */
  readonly valid: boolean;
  readonly error: CompileError | null;
  /**
   * Set where the script killed its parser twice, the second time alone in a fresh thread. With `valid` true it was not the
   * interpreter that died but the reader of the structure.
   */
  readonly killed: KillReason | null;
}

/** A CPython that judges scripts and never runs them. */
export interface VerdictEngine {
  /** Of the interpreter that judges, such as `3.14.2`. */
  readonly pythonVersion: string;
  /**
   * How far its memory has grown since it started, in bytes. CPython keeps identifiers that it has seen, and freed memory is not
   * all given back.
   */
  readonly memoryGrown: number;
  /**
   * Compiles source and throws the result away. The bytes are judged as they are, so decoding is CPython's own.
   *
   * @throws {@link EngineLost} when the interpreter did not survive; it must not be used again
   */
  compile(source: Uint8Array): Promise<CompileVerdict>;
  /** Ends the interpreter; it must not be used again. */
  close(): Promise<void>;
}

/** The interpreter trapped, ran out of memory, or was closed. */
export class EngineLost extends Error {
  override readonly name = "EngineLost";

  constructor(
    readonly reason: KillReason,
    options?: ErrorOptions,
  ) {
    super(`the interpreter was lost (${reason})`, options);
  }
}
