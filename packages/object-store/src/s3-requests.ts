import { AsyncLocalStorage } from "node:async_hooks";
import http from "node:http";
import https from "node:https";
import { setTimeout as delay } from "node:timers/promises";

/** How long a request may take, and how often it is tried. */
export interface RetryOptions {
  /** Tries in all. */
  readonly attempts: number;
  /** Wait before the second try, in milliseconds; doubled for each one that follows, and halved at random. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** How long one try may take, in milliseconds; a second more for each megabyte that it moves. */
  readonly timeoutMs: number;
  /** No further try after that many milliseconds. */
  readonly giveUpAfterMs: number;
}

/**
 * About four seconds of a server that refuses connections: a restart. Two tries of one that does not
 * answer: connections kept alive to a machine that is gone. Longer is for the caller's own retries.
 */
export const DEFAULT_RETRIES: RetryOptions = {
  attempts: 6,
  firstDelayMs: 200,
  maxDelayMs: 2_000,
  timeoutMs: 10_000,
  giveUpAfterMs: 15_000,
};

/** A request that failed for good. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  constructor(
    override readonly cause: unknown,
    /** HTTP status of the last answer; `undefined` where there was none. */
    readonly status: number | undefined,
    private readonly said: string,
  ) {
    super(explain(cause, status), { cause });
  }

  /** The error code that S3 gave, such as `NoSuchKey`, or the network's, such as `ECONNREFUSED`. */
  get code(): string | undefined {
    return codeOf(this.cause);
  }

  /** The server has no room, or a quota is used up. */
  get saysFull(): boolean {
    const { status, code, said } = this;
    if (status === 507 || (code !== undefined && FULL_CODES.has(code))) return true;
    return status === 500 && NO_ROOM.test(said);
  }
}

/**
 * What servers say that have no room: MinIO with a full disk or a bucket's quota used up, Ceph's gateway, versitygw
 * and others with a quota.
 */
const FULL_CODES: ReadonlySet<string> = new Set([
  "XMinioStorageFull",
  "XMinioAdminBucketQuotaExceeded",
  "QuotaExceeded",
  "InsufficientStorage",
]);
/** How servers pass on `ENOSPC` and `EDQUOT` that have no code for it, as C and Go word them. */
const NO_ROOM = /no space left|disk quota exceeded|\b(?:ENOSPC|EDQUOT)\b/i;

interface Attempt {
  readonly signal: AbortSignal;
  status: number | undefined;
  /** What came with status 500. */
  said: string;
  /** Starts the time-out again, for an answer of that length. */
  allow(bytes: number): void;
}

const currentAttempt = new AsyncLocalStorage<Attempt>();

/**
 * The transport that the client gets, so that each of its HTTP requests ends with the attempt that it
 * belongs to. The client itself has no time-outs.
 */
export function createTransport(ssl: boolean): Pick<typeof http, "request"> {
  const { request } = ssl ? https : http;
  const send = (
    options: http.RequestOptions,
    onResponse: (response: http.IncomingMessage) => void,
  ) => {
    const attempt = currentAttempt.getStore();
    if (attempt === undefined) throw new Error("a request outside of an attempt");
    return request({ ...options, signal: attempt.signal }, (response) => {
      attempt.status = response.statusCode;
      attempt.allow(Number(response.headers["content-length"] ?? 0));
      // An error that comes before the client listens would end the process (minio-js #1430).
      response.on("error", () => undefined);
      if (response.statusCode !== 500) return onResponse(response);
      // The client does not look at its body, which is all that says why.
      void firstOf(response).then((said) => {
        attempt.said = said;
        onResponse(response);
      });
    });
  };
  return { request: send as typeof http.request };
}

const MAX_SAID = 16 * 1024;

/** What a body begins with. Resolves also where it breaks off. */
async function firstOf(response: http.IncomingMessage): Promise<string> {
  let said = "";
  try {
    for await (const chunk of response.setEncoding("utf8")) {
      said += String(chunk);
      if (said.length > MAX_SAID) break;
    }
  } catch {
    // What came of it is all there is.
  }
  return said;
}

/**
 * Runs client calls, again where what went wrong may pass: the network, a time-out, a server that is
 * starting or overloaded. The calls must be idempotent.
 *
 * @param bytes - how much they send, for the time-out
 * @throws {@link RequestError}, always within the time that the options bound
 */
export async function retrying<T>(
  options: RetryOptions,
  bytes: number,
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  for (let tries = 1; ; tries++) {
    try {
      return await attemptOnce(options.timeoutMs, bytes, work);
    } catch (error) {
      const spent =
        tries >= options.attempts || performance.now() - startedAt > options.giveUpAfterMs;
      if (spent || !(error instanceof RequestError && mayPass(error))) throw error;
    }
    const longest = Math.min(options.firstDelayMs * 2 ** (tries - 1), options.maxDelayMs);
    await delay(longest * (0.5 + Math.random() / 2));
  }
}

async function attemptOnce<T>(
  timeoutMs: number,
  bytes: number,
  work: () => Promise<T>,
): Promise<T> {
  const aborter = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let giveUp: (error: Error) => void;
  // Not left to the abort alone: some of the client's promises do not settle when their stream is destroyed.
  const timeout = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const attempt: Attempt = {
    signal: aborter.signal,
    status: undefined,
    said: "",
    allow(expected) {
      const ms = timeoutMs + expected / 1_000;
      clearTimeout(timer);
      timer = setTimeout(() => giveUp(new Error(`no answer within ${ms / 1_000} s`)), ms);
    },
  };
  attempt.allow(bytes);
  try {
    return await Promise.race([currentAttempt.run(attempt, work), timeout]);
  } catch (error) {
    // A response that the client left unread would hold its connection for ever.
    aborter.abort();
    throw new RequestError(error, attempt.status, attempt.said);
  } finally {
    clearTimeout(timer);
  }
}

function mayPass({ status, saysFull }: RequestError): boolean {
  if (saysFull) return false;
  // No answer, or one whose body broke off.
  if (status === undefined || status < 300) return true;
  return status === 408 || status === 429 || status === 500 || (status >= 502 && status <= 504);
}

function codeOf(error: unknown): string | undefined {
  // A host with several addresses fails with one error for each (RFC 8305).
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (error instanceof Error && "code" in error && error.code !== "") return String(error.code);
  return undefined;
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: "key or secret is wrong",
  SignatureDoesNotMatch: "key or secret is wrong",
  XAdminUserNotFound: "key or secret is wrong",
  XMinioStorageFull: "no space left on the server's disk",
  XMinioAdminBucketQuotaExceeded: "the bucket's quota is used up",
  InsufficientStorage: "no space left on the server",
  QuotaExceeded: "the quota is used up",
  AccessDenied: "the key may not do that",
  NoSuchBucket: "the bucket is gone",
  ECONNREFUSED: "nothing listens there",
  EPROTO: "the server does not speak TLS there; ssl=false?",
  ENOTFOUND: "the host name has no address",
  EAI_AGAIN: "the host name has no address",
};

function explain(error: unknown, status: number | undefined): string {
  const code = codeOf(error);
  const known = code === undefined ? undefined : EXPLANATIONS[code];
  if (known !== undefined) return `${known} (${code})`;
  const message = error instanceof Error ? error.message : String(error);
  if (message === "") return code ?? `HTTP status ${status}`;
  return code === undefined ? message : `${message} (${code})`;
}
