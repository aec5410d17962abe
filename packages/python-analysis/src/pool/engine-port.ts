/**
 * An engine in one thread, used from another.
 *
 * A thread that is terminated cleans nothing up: a child process that it has started becomes a zombie that nobody waits for. So
 * the process that judges for a thread is the child of the thread that owns the pool, and this is how the two speak.
 */
import { MessageChannel, type MessagePort } from "node:worker_threads";
import {
  type CompileVerdict,
  EngineLost,
  type KillReason,
  type VerdictEngine,
} from "../verdict/types.js";

type Said =
  | { readonly kind: "started"; readonly pythonVersion: string }
  | { readonly kind: "failed"; readonly error: Error }
  | { readonly kind: "verdict"; readonly verdict: CompileVerdict; readonly memoryGrown: number }
  | { readonly kind: "lost"; readonly reason: KillReason };

export interface EngineHost {
  /** For {@link RemoteEngine.connect}; to be transferred. */
  readonly port: MessagePort;
  /** Ends the engine, also one that is still starting. */
  close(): Promise<void>;
}

/** Starts an engine that is used from another thread. One that does not start fails there. */
export function hostEngine(start: (signal: AbortSignal) => Promise<VerdictEngine>): EngineHost {
  const { port1: own, port2: port } = new MessageChannel();
  const giveUp = new AbortController();
  const starting = start(giveUp.signal);
  const say = (said: Said): void => own.postMessage(said);
  starting.then(
    (engine) => {
      own.on("message", (source: Uint8Array) => void answer(engine, source).then(say));
      say({ kind: "started", pythonVersion: engine.pythonVersion });
    },
    (error: unknown) =>
      say({ kind: "failed", error: error instanceof Error ? error : new Error(String(error)) }),
  );
  return {
    port,
    async close() {
      giveUp.abort();
      const engine = await starting.catch(() => undefined);
      await engine?.close();
      own.close();
    },
  };
}

async function answer(engine: VerdictEngine, source: Uint8Array): Promise<Said> {
  try {
    const verdict = await engine.compile(source);
    return { kind: "verdict", verdict, memoryGrown: engine.memoryGrown };
  } catch (error) {
    if (error instanceof EngineLost) return { kind: "lost", reason: error.reason };
    return { kind: "failed", error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** The other end: judges one source at a time. */
export class RemoteEngine implements VerdictEngine {
  memoryGrown = 0;

  private constructor(
    private readonly port: MessagePort,
    readonly pythonVersion: string,
  ) {}

  /** @throws Error where the engine did not start */
  static async connect(port: MessagePort): Promise<RemoteEngine> {
    const said = await hear(port);
    if (said.kind === "failed") throw said.error;
    if (said.kind !== "started") throw new Error("an engine judged before it was asked");
    return new RemoteEngine(port, said.pythonVersion);
  }

  async compile(source: Uint8Array): Promise<CompileVerdict> {
    const saying = hear(this.port);
    this.port.postMessage(source);
    const said = await saying;
    switch (said.kind) {
      case "verdict":
        this.memoryGrown = said.memoryGrown;
        return said.verdict;
      case "lost":
        throw new EngineLost(said.reason);
      case "failed":
        throw said.error;
      case "started":
        throw new Error("an engine started twice");
    }
  }

  async close(): Promise<void> {
    this.port.close();
  }
}

function hear(port: MessagePort): Promise<Said> {
  return new Promise((resolve) => port.once("message", resolve));
}
