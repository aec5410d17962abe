/** CPython in WebAssembly: the npm package `pyodide`, which carries its interpreter and needs no network. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { loadPyodide, type PyodideAPI } from "pyodide";
import type { MemoryLimit } from "./memory-limit.js";
import { type RawError, readError } from "./raw-error.js";
import { type CompileVerdict, EngineLost, type VerdictEngine } from "./types.js";

/**
 * A memory image of a started interpreter. Starting from one takes a fifth of the time; it fits the very same build of Pyodide
 * only, so it is made anew by every process.
 */
export type Snapshot = Uint8Array;

interface PyodideOptions {
  /** Start from this, if it can be done. */
  readonly snapshot?: Snapshot | undefined;
  /** Make a snapshot, for {@link PyodideEngine.snapshot}. */
  readonly makeSnapshot?: boolean;
  /** What is installed in this thread, if anything is. */
  readonly memory?: MemoryLimit | undefined;
}

/**
 * Defines `judge`: `None` for source that compiles, else the error as JSON (whose escapes carry lone surrogates). `exc` and its
 * traceback die with the call; interned identifiers are what CPython itself keeps of a script.
 */
const JUDGE = `
import encodings, gc, json, sys, warnings
warnings.simplefilter("ignore")

def judge(source):
    # It remembers every name of an encoding that it was ever asked for, known or not.
    if len(encodings._cache) > 100:
        encodings._cache.clear()
    try:
        compile(source.to_bytes(), "<script>", "exec", dont_inherit=True)
    except SyntaxError as exc:
        return json.dumps([type(exc).__name__, str(exc.msg), exc.lineno, exc.offset])
    except BaseException as exc:
        return json.dumps([type(exc).__name__, str(exc), None, None])

# What exists by now is never garbage: the collector need not look at it again.
gc.collect()
gc.freeze()
judge
`;

export class PyodideEngine implements VerdictEngine {
  readonly pythonVersion: string;
  /** Set where it was asked for and could be made. */
  readonly snapshot: Snapshot | undefined;
  readonly #judge: (source: Uint8Array) => string | undefined;
  readonly #memory: MemoryLimit | undefined;
  #lost: EngineLost | undefined;

  private constructor(
    pyodide: PyodideAPI,
    snapshot: Snapshot | undefined,
    memory: MemoryLimit | undefined,
  ) {
    this.snapshot = snapshot;
    this.#memory = memory;
    this.#judge = pyodide.runPython(JUDGE) as (source: Uint8Array) => string | undefined;
    this.pythonVersion = pyodide.runPython("sys.version.split()[0]") as string;
  }

  /** Starts an interpreter: about three seconds of work, or half a second from a snapshot. */
  static async start(options: PyodideOptions = {}): Promise<PyodideEngine> {
    const { snapshot, makeSnapshot = false, memory } = options;
    // Left to itself, Pyodide reads its own place off a stack trace, which source maps change.
    const indexURL = dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));
    // Scripts are never run, so that whatever it has to say concerns nobody.
    const config = { indexURL, stdin: () => null, stdout: () => {}, stderr: () => {} };
    if (snapshot) {
      const pyodide = await loadPyodide({ ...config, _loadSnapshot: snapshot }).catch(
        () => undefined,
      );
      if (pyodide) return new PyodideEngine(pyodide, undefined, memory);
    }
    const pyodide = await loadPyodide({ ...config, _makeSnapshot: makeSnapshot });
    const image = makeSnapshot ? makeImage(pyodide) : undefined;
    return new PyodideEngine(pyodide, image, memory);
  }

  /** That of the largest WebAssembly instance of its thread; 0 where no limit is installed. */
  get memoryGrown(): number {
    return this.#memory?.mostGrown ?? 0;
  }

  async compile(source: Uint8Array): Promise<CompileVerdict> {
    if (this.#lost) throw this.#lost;
    // Pyodide does not know Node's Buffer.
    const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    let answer: string | undefined;
    try {
      answer = this.#judge(bytes);
    } catch (cause) {
      // `judge` catches every Python exception: what comes through is a trap, and the instance may be poisoned for ever.
      throw this.#lose(cause);
    }
    // A MemoryError then says something about this machine, not about the script.
    if (this.#memory?.exceeded) throw this.#lose(undefined);
    return {
      valid: answer === undefined,
      error: answer === undefined ? null : readError(JSON.parse(answer) as RawError),
      killed: null,
    };
  }

  async close(): Promise<void> {
    this.#lost ??= new EngineLost("trap", { cause: new Error("the interpreter was closed") });
  }

  #lose(cause: unknown): EngineLost {
    return (this.#lost = new EngineLost(this.#memory?.exceeded ? "memory" : "trap", { cause }));
  }
}

function makeImage(pyodide: PyodideAPI): Snapshot | undefined {
  try {
    return (pyodide as unknown as { _api: { makeSnapshot(): Snapshot } })._api.makeSnapshot();
  } catch {
    // Without it the next thread starts as slowly as this one did.
    return undefined;
  }
}
