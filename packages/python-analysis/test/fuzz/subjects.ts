import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { loadPyodide } from "pyodide";
import { decodeSource } from "../../src/decode.js";
import { NativeEngine } from "../../src/verdict/native-engine.js";
import { PyodideEngine } from "../../src/verdict/pyodide-engine.js";
import type { RawError } from "../../src/verdict/raw-error.js";
import { EngineLost, type VerdictEngine } from "../../src/verdict/types.js";

const ORACLE = fileURLToPath(new URL("./oracle.py", import.meta.url));
const BUDGET = { timeoutMs: 20_000, memoryBytes: 536_870_912 };

interface OracleAnswer {
  readonly error: RawError | null;
  /** Whether the text is read as the bytes are; `null` where none was given. */
  readonly same: boolean | null;
}

type Oracle = (source: Uint8Array, text: string | undefined) => Promise<OracleAnswer>;

/** One engine, and another copy of the same Python to compare it with. */
export class Subject {
  private constructor(
    readonly name: string,
    private readonly engine: VerdictEngine,
    private readonly oracle: Oracle,
    private readonly closeOracle: () => void,
  ) {}

  static async pyodide(): Promise<Subject> {
    const engine = await PyodideEngine.start();
    const indexURL = dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));
    const python = await loadPyodide({ indexURL });
    python.runPython(readFileSync(ORACLE, "utf8").split("if __name__")[0]!);
    const answer = python.runPython("lambda source, text: answer(source.to_bytes(), text)") as (
      source: Uint8Array,
      text: string | undefined,
    ) => string;
    const oracle: Oracle = async (source, text) =>
      JSON.parse(answer(new Uint8Array(source), text)) as OracleAnswer;
    return new Subject(`Pyodide ${engine.pythonVersion}`, engine, oracle, () => {});
  }

  static async native(path: string): Promise<Subject> {
    const engine = await NativeEngine.start({ path, budget: BUDGET });
    const child = spawn(path, ["-B", ORACLE], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const oracle: Oracle = async (source, text) => {
      const parts = [source, ...(text === undefined ? [] : [Buffer.from(text)])];
      child.stdin.write(`${parts.map((part) => Buffer.from(part).toString("base64")).join(" ")}\n`);
      const { value } = await lines.next();
      return JSON.parse(value ?? "") as OracleAnswer;
    };
    return new Subject(`CPython ${engine.pythonVersion}`, engine, oracle, () => child.kill());
  }

  /** @returns what is wrong; nothing where all agree */
  async disagreement(source: Uint8Array): Promise<string | undefined> {
    const decoded = decodeSource(source);
    const { error, same } = await this.oracle(source, decoded.ok ? decoded.text : undefined);
    let verdict;
    try {
      verdict = await this.engine.compile(source);
    } catch (lost) {
      if (!(lost instanceof EngineLost)) throw lost;
      return `the engine is lost (${lost.reason})`;
    }
    const said = verdict.error && [
      verdict.error.type,
      verdict.error.message,
      verdict.error.line,
      verdict.error.column,
    ];
    if (JSON.stringify(said) !== JSON.stringify(error))
      return `the engine says ${JSON.stringify(said)}, Python ${JSON.stringify(error)}`;
    if (decoded.ok)
      return same ? undefined : `${JSON.stringify(decoded.text)} is not how Python reads it`;
    // Sluice's own rule: encodings under which somebody else would see another text.
    if (decoded.error.rule === "source.encoding" || !verdict.valid) return undefined;
    // Until 3.13 CPython overlooks what is no UTF-8 in a comment.
    if (
      decoded.error.message.startsWith("Non-UTF-8 code") &&
      !this.engine.pythonVersion.startsWith("3.14")
    ) {
      const marked = decodeSource(Buffer.from(Buffer.from(source).toString("utf8")));
      const answer = marked.ok ? await this.oracle(source, marked.text) : undefined;
      if (answer?.same) return undefined;
    }
    return `refused (${decoded.error.message}), though Python takes it`;
  }

  async close(): Promise<void> {
    this.closeOracle();
    await this.engine.close();
  }
}
