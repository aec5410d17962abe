import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";

/** What the scanner says of some bytes. */
export type Scan =
  | { readonly kind: "clean" }
  /** `signature` is the name of the first one that matched, such as `Win.Test.EICAR_HDB-1`. */
  | { readonly kind: "infected"; readonly signature: string };

/** The daemon cannot be reached, went away, or does not answer at all: nobody's fault, come back later. */
export class ClamdUnavailableError extends Error {
  override readonly name = "ClamdUnavailableError";
}

/** The daemon answered, but has not scanned these bytes: they are over its limits, or took it too long. */
export class ClamdRefusedError extends Error {
  override readonly name = "ClamdRefusedError";
}

export interface ClamdOptions {
  /** `tcp://HOST:PORT` or `unix:///PATH` */
  readonly url: string;
  /** How long one scan may take, in milliseconds. */
  readonly timeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
const CHUNK_BYTES = 65_536;
/** An answer is one line. What is longer is no clamd. */
const LONGEST_REPLY = 4_096;
const LONGEST_SIGNATURE = 200;
const DEFAULT_PORT = 3310;

/**
 * A ClamAV daemon, spoken to by the protocol of clamd(8): one connection for each scan, over which the bytes are sent (INSTREAM).
 *
 * Nothing counts as clean but the daemon's own `OK`. clamd says `OK`, too, of what it gave up for its limits, unless
 * `AlertExceedsMax yes` is in its configuration; `StreamMaxLength`, `MaxScanSize` and `MaxFileSize` must be larger than any script.
 */
export class Clamd {
  readonly #url: string;
  readonly #timeoutMs: number;

  constructor({ url, timeoutMs }: ClamdOptions) {
    this.#url = url;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Has bytes scanned.
   *
   * @param signal - ends it, with the signal's reason
   * @throws {@link ClamdUnavailableError}, {@link ClamdRefusedError}
   */
  async scan(bytes: Uint8Array, signal?: AbortSignal): Promise<Scan> {
    let reply: string;
    try {
      reply = await this.#ask("INSTREAM", this.#timeoutMs, signal, instream(bytes));
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      // A daemon that is alive has its difficulties with these bytes; one that hangs has them with all.
      await this.check(signal);
      throw new ClamdRefusedError(`clamd has not scanned it within ${this.#timeoutMs / 1000} s`);
    }
    return scanOf(reply);
  }

  /**
   * Asks whether the daemon is there.
   *
   * @throws {@link ClamdUnavailableError}
   */
  async check(signal?: AbortSignal): Promise<void> {
    let reply: string;
    try {
      reply = await this.#ask("PING", CONNECT_TIMEOUT_MS, signal);
    } catch (error) {
      if (error instanceof NoAnswerError) throw new ClamdUnavailableError("clamd does not answer");
      throw error;
    }
    if (reply !== "PONG") {
      throw new ClamdUnavailableError(`what listens at ${this.#url} is no clamd`);
    }
  }

  /** Sends one command and what belongs to it, and waits for the answer. */
  async #ask(
    command: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    body: Iterable<Uint8Array> = [],
  ): Promise<string> {
    signal?.throwIfAborted();
    const socket = await this.#connect(signal);
    return new Promise((resolve, reject) => {
      let reply = "";
      let problem: unknown;
      const timer = setTimeout(() => socket.destroy(new NoAnswerError()), timeoutMs);
      socket.setEncoding("latin1");
      socket.on("data", (text: string) => {
        reply += text;
        if (reply.includes("\0") || reply.length > LONGEST_REPLY) socket.destroy();
      });
      socket.on("error", (error) => (problem ??= error));
      socket.once("close", () => {
        clearTimeout(timer);
        const end = reply.indexOf("\0");
        // A daemon that will not read any further answers first, then resets the connection.
        if (end >= 0) resolve(reply.slice(0, end));
        else if (signal?.aborted === true) reject(signal.reason as Error);
        else if (problem instanceof NoAnswerError) reject(problem);
        else reject(this.#gone(problem));
      });
      socket.write(`z${command}\0`);
      void send(socket, body);
    });
  }

  /** The signal goes on to end the socket. */
  #connect(signal: AbortSignal | undefined): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...addressOf(this.#url), ...(signal && { signal }) });
      const fail = (problem?: unknown): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(signal?.aborted === true ? (signal.reason as Error) : this.#gone(problem));
      };
      const timer = setTimeout(fail, CONNECT_TIMEOUT_MS);
      socket.once("error", fail);
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.off("error", fail);
        resolve(socket);
      });
    });
  }

  #gone(problem: unknown): ClamdUnavailableError {
    const code = problem instanceof Error && "code" in problem ? ` (${String(problem.code)})` : "";
    return new ClamdUnavailableError(`clamd at ${this.#url} is not there, or went away${code}`);
  }
}

/** The time was over before there was an answer. */
class NoAnswerError extends Error {}

function addressOf(url: string): { path: string } | { host: string; port: number } {
  const { protocol, hostname, port, pathname } = new URL(url);
  if (protocol === "unix:") return { path: decodeURIComponent(pathname) };
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, port: port === "" ? DEFAULT_PORT : Number(port) };
}

/** Chunks with their lengths before them, in network byte order, and one of no length at the end. */
function* instream(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    const chunk = bytes.subarray(start, start + CHUNK_BYTES);
    yield lengthOf(chunk);
    yield chunk;
  }
  yield lengthOf(new Uint8Array());
}

function lengthOf({ length }: Uint8Array): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(length);
  return prefix;
}

/** No faster than the daemon reads, so that its answer is not lost behind what it does not want any more. */
async function send(socket: Socket, parts: Iterable<Uint8Array>): Promise<void> {
  for (const part of parts) {
    // What has come meanwhile is read first: a write that fails would end the connection with it.
    await setImmediate();
    if (!socket.writable) return;
    if (!socket.write(part)) await drained(socket);
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      socket.off("drain", go);
      socket.off("close", go);
      resolve();
    };
    socket.on("drain", go);
    socket.on("close", go);
  });
}

function scanOf(reply: string): Scan {
  if (reply === "stream: OK") return { kind: "clean" };
  const signature = /^stream: (.+) FOUND$/s.exec(reply)?.[1];
  if (signature === undefined) {
    throw new ClamdRefusedError(`clamd has not scanned it: ${printable(reply)}`);
  }
  // With AlertExceedsMax: it was not scanned to its end.
  if (signature.startsWith("Heuristics.Limits.Exceeded")) {
    throw new ClamdRefusedError(`clamd has not scanned it to the end: ${printable(signature)}`);
  }
  return { kind: "infected", signature: printable(signature) };
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, LONGEST_SIGNATURE);
}
