/**
 * What a verdict costs, over the .py files below a directory: a bare `compile` in a warm Pyodide, the same through everything that
 * a script's verdict takes here, and that with an interpreter of this machine instead.
 *
 *     npx tsx test/bench/verdict.ts [--python python3] [--files 400] [--rounds 5] DIRECTORY
 *
 * One thread. The three take turns, a few files at a time, because machines are noisy; medians of the rounds are printed.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { judge } from "../../packages/python-analysis/src/verdict/judge.js";
import { MemoryLimit } from "../../packages/python-analysis/src/verdict/memory-limit.js";
import { NativeEngine } from "../../packages/python-analysis/src/verdict/native-engine.js";
import { PyodideEngine } from "../../packages/python-analysis/src/verdict/pyodide-engine.js";
import { findPython } from "../../packages/python-analysis/src/verdict/python.js";
import type { VerdictEngine } from "../../packages/python-analysis/src/verdict/types.js";

const BUDGET = { timeoutMs: 30_000, memoryBytes: 1_073_741_824 };
const FILES_A_TURN = 10;

interface Contender {
  readonly name: string;
  readonly run: (indices: readonly number[]) => void | Promise<void>;
  /** Of the process that does the work, in milliseconds. */
  readonly cpuMs: () => number;
}

const { values, positionals } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    files: { type: "string", default: "400" },
    rounds: { type: "string", default: "5" },
  },
  allowPositionals: true,
});
const [directory] = positionals;
if (directory === undefined) {
  process.stderr.write("usage: verdict.ts [--python PATH] [--files N] [--rounds N] DIRECTORY\n");
  process.exit(2);
}
const sources = readSources(directory, Number(values.files));
if (sources.length === 0) throw new Error(`no .py files below ${directory}`);
await compare(sources, Number(values.rounds));

/** Evenly out of all there are, so that no package makes up the whole. */
function readSources(root: string, wanted: number): Uint8Array[] {
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".py"))
    .sort();
  const step = Math.max(1, paths.length / wanted);
  const picked = paths.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
  return picked.map((path) => readFileSync(join(root, path))).filter(({ length }) => length > 0);
}

async function compare(sources: readonly Uint8Array[], rounds: number): Promise<void> {
  const contenders = [await bare(sources), await builtIn(sources)];
  const native = await nativeOne(sources);
  if (native) contenders.push(native.contender);
  const turns = Array.from({ length: Math.ceil(sources.length / FILES_A_TURN) }, (_, turn) =>
    sources.map((_source, i) => i).slice(turn * FILES_A_TURN, (turn + 1) * FILES_A_TURN),
  );
  const results = contenders.map(() => ({ wall: [] as number[], cpu: [] as number[] }));
  // The first round warms everything up.
  for (let round = 0; round <= rounds; round++) {
    const spent = contenders.map(() => ({ wall: 0, cpu: 0 }));
    for (const [t, turn] of turns.entries()) {
      for (let k = 0; k < contenders.length; k++) {
        const at = (k + t) % contenders.length;
        const { run, cpuMs } = contenders[at]!;
        const [wall, cpu] = [performance.now(), cpuMs()];
        await run(turn);
        spent[at]!.wall += performance.now() - wall;
        spent[at]!.cpu += cpuMs() - cpu;
      }
    }
    if (round === 0) continue;
    for (const [i, { wall, cpu }] of spent.entries()) {
      results[i]!.wall.push(wall);
      results[i]!.cpu.push(cpu);
    }
  }
  await native?.engine.close();
  report(contenders, results, sources, rounds);
}

function report(
  contenders: readonly Contender[],
  results: readonly { wall: readonly number[]; cpu: readonly number[] }[],
  sources: readonly Uint8Array[],
  rounds: number,
): void {
  const bytes = sources.reduce((sum, { length }) => sum + length, 0);
  process.stdout.write(
    `${sources.length} files, ${(bytes / 1e6).toFixed(1)} MB, medians of ${rounds} rounds; ratios are medians of each round\n`,
  );
  for (const [i, { name }] of contenders.entries()) {
    const [first, own] = [results[0]!, results[i]!];
    const ratio = (kind: "wall" | "cpu"): string =>
      median(own[kind].map((ms, round) => ms / first[kind][round]!)).toFixed(3);
    const [wall, cpu] = [median(own.wall), median(own.cpu)];
    process.stdout.write(
      `  ${name.padEnd(42)} ${(bytes / 1e3 / wall).toFixed(2).padStart(6)} MB/s, ` +
        `${((wall * 1e3) / sources.length).toFixed(0).padStart(5)} µs a file (${((cpu * 1e3) / sources.length).toFixed(0)} of CPU), ` +
        `ratio ${ratio("wall")} (CPU ${ratio("cpu")})\n`,
    );
  }
}

function median(values_: readonly number[]): number {
  const sorted = values_.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

interface BarePython {
  runPython(code: string): { add(source: Uint8Array): void; run(from: number, to: number): void };
}

async function bare(sources: readonly Uint8Array[]): Promise<Contender> {
  // Of the package whose dependency it is.
  const packageRequire = createRequire(
    new URL("../../packages/python-analysis/package.json", import.meta.url),
  );
  const { loadPyodide } = packageRequire("pyodide") as {
    loadPyodide: (options: { indexURL: string }) => Promise<BarePython>;
  };
  const pyodide = await loadPyodide({
    indexURL: dirname(packageRequire.resolve("pyodide/package.json")),
  });
  const python = pyodide.runPython(`
import types, warnings
warnings.simplefilter("ignore")
sources = []
def run(start, end):
    for source in sources[start:end]:
        try:
            compile(source, "<script>", "exec", dont_inherit=True)
        except Exception:
            pass
types.SimpleNamespace(add=lambda source: sources.append(source.to_bytes()), run=run)
`);
  for (const source of sources) python.add(new Uint8Array(source));
  return {
    name: "bare compile in Pyodide",
    run: (indices) => python.run(indices[0]!, indices.at(-1)! + 1),
    cpuMs: ownCpuMs,
  };
}

function judging(
  sources: readonly Uint8Array[],
  engine: VerdictEngine,
): (indices: readonly number[]) => Promise<void> {
  return async (indices) => {
    for (const i of indices) await judge(sources[i]!, engine, BUDGET);
  };
}

async function builtIn(sources: readonly Uint8Array[]): Promise<Contender> {
  const memory = new MemoryLimit(BUDGET.memoryBytes);
  memory.install();
  const engine = await PyodideEngine.start({ memory });
  return {
    name: `verdict by Pyodide ${engine.pythonVersion}`,
    run: judging(sources, engine),
    cpuMs: ownCpuMs,
  };
}

async function nativeOne(
  sources: readonly Uint8Array[],
): Promise<{ contender: Contender; engine: NativeEngine } | undefined> {
  try {
    const { path, version } = await findPython(values.python);
    const engine = await NativeEngine.start({ path: path!, budget: BUDGET });
    const name = `verdict by CPython ${version}, with its process`;
    const cpuMs = (): number => ownCpuMs() + childCpuMs(engine.pid);
    return { contender: { name, run: judging(sources, engine), cpuMs }, engine };
  } catch (error) {
    process.stdout.write(`${values.python} ${error instanceof Error ? error.message : ""}\n`);
    return undefined;
  }
}

/** In steps of 10 ms; 0 where there is no /proc. */
function childCpuMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}
