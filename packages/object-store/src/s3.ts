import http from "node:http";
import https from "node:https";
import { Client } from "minio";

import { assertKey, assertPrefix, assertRange, isKey } from "./input-rules.js";
import {
  type ByteRange,
  type ForeignEntry,
  InvalidKeyError,
  ObjectNotFoundError,
  type ObjectStat,
  type ObjectStore,
  type OpenOptions,
  PROBE_BYTES,
  StoreFullError,
  StoreMissingError,
  StoreUnavailableError,
} from "./object-store.js";
import {
  createTransport,
  DEFAULT_RETRIES,
  RequestError,
  retrying,
  type RetryOptions,
} from "./s3-requests.js";
import type { S3Location } from "./url.js";

/** What servers say that keep keys as paths, to a key above or below another object's. */
const PATH_CONFLICTS = new Set(["ObjectParentIsFile", "ExistingObjectIsDirectory"]);
/** No valid key has a segment that begins with a dot. */
const CHECK_KEY = ".check";
const PROBE_KEY = ".probe";
/** How long a write that went well stands for the right to write, in milliseconds. */
const WRITE_PROOF_MS = 60_000;
/** More at once gain nothing from one server; each is a file handle. */
const MAX_SOCKETS = 64;
const KEYS_PER_PAGE = 1_000;

/**
 * Objects in a bucket of an S3 server, through nothing but the plain API: PUT, GET, HEAD, DELETE and
 * copy of objects, ListObjectsV2, HEAD and PUT of the bucket.
 *
 * Every request has a time-out and is tried again where that may help; every failure is a
 * {@link StoreUnavailableError} or says which object is missing.
 */
export class S3ObjectStore implements ObjectStore {
  readonly description: string;
  readonly #bucket: string;
  readonly #client: Client;
  readonly #agent: http.Agent;
  readonly #retries: RetryOptions;
  #writeProvenAt = Number.NEGATIVE_INFINITY;

  private constructor(location: S3Location, retries: RetryOptions) {
    const { host, port, ssl, bucket } = location;
    const authority = host.includes(":") ? `[${host}]` : host;
    this.description = `s3://${authority}${port === undefined ? "" : `:${port}`}/${bucket}`;
    this.#bucket = bucket;
    this.#retries = retries;
    const agentOptions = { keepAlive: true, maxSockets: MAX_SOCKETS, scheduling: "lifo" } as const;
    this.#agent = ssl ? new https.Agent(agentOptions) : new http.Agent(agentOptions);
    this.#client = new Client({
      endPoint: host,
      ...(port === undefined ? {} : { port }),
      useSSL: ssl,
      region: location.region,
      accessKey: location.accessKey,
      secretKey: location.secretKey,
      transport: createTransport(ssl),
      transportAgent: this.#agent,
      retryOptions: { disableRetry: true },
    });
  }

  /**
   * Opens a bucket as a store; it is made if it is missing, unless it must exist.
   *
   * @param retries - other than the default only in tests
   * @throws {@link StoreUnavailableError} where the server does not answer, or refuses; {@link StoreMissingError}
   */
  static async open(
    location: S3Location,
    { mustExist = false, retries = DEFAULT_RETRIES }: OpenOptions & { retries?: RetryOptions } = {},
  ): Promise<S3ObjectStore> {
    const store = new S3ObjectStore(location, retries);
    try {
      await store.#makeBucket(location.region, mustExist);
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  async put(key: string, bytes: Buffer): Promise<void> {
    assertKey(key);
    await this.#send(`put ${key}`, bytes.length, () =>
      this.#client.putObject(this.#bucket, key, bytes, bytes.length),
    );
  }

  async get(key: string, range?: ByteRange): Promise<Buffer> {
    assertKey(key);
    if (range !== undefined) assertRange(range);
    if (range?.length === 0) {
      // HTTP has no empty range (RFC 9110, 14.1.1).
      if ((await this.stat(key)) === undefined) throw new ObjectNotFoundError(key);
      return Buffer.alloc(0);
    }
    try {
      return await this.#send(`get ${key}`, 0, () => this.#read(key, range));
    } catch (error) {
      if (isAbsence(error)) throw new ObjectNotFoundError(key);
      if (statusOf(error) === 416) return Buffer.alloc(0);
      throw error;
    }
  }

  async stat(key: string): Promise<ObjectStat | undefined> {
    assertKey(key);
    try {
      const { size, lastModified } = await this.#send(`stat ${key}`, 0, () =>
        this.#client.statObject(this.#bucket, key),
      );
      return { key, size, modifiedAt: lastModified };
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  async copy(from: string, to: string): Promise<void> {
    assertKey(from);
    assertKey(to);
    if (from === to) {
      // S3 refuses it.
      if ((await this.stat(from)) === undefined) throw new ObjectNotFoundError(from);
      return;
    }
    try {
      await this.#send(`copy ${from} to ${to}`, 0, () =>
        this.#client.copyObject(this.#bucket, to, `/${this.#bucket}/${from}`),
      );
    } catch (error) {
      if (isAbsence(error)) throw new ObjectNotFoundError(from);
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    assertKey(key);
    try {
      await this.#send(`delete ${key}`, 0, () => this.#client.removeObject(this.#bucket, key));
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
  }

  async *list(
    prefix: string,
    onForeign?: (entry: ForeignEntry) => void,
  ): AsyncIterable<ObjectStat> {
    assertPrefix(prefix);
    let token = "";
    do {
      const page = await this.#page(prefix, token);
      for (const { name, size, lastModified } of page.objects) {
        if (name === undefined || name === CHECK_KEY || name === PROBE_KEY) continue;
        if (!isKey(name)) {
          onForeign?.({ name, what: "has a key that Sluice gives to none of its objects" });
          continue;
        }
        yield { key: name, size: size ?? 0, modifiedAt: new Date(lastModified ?? 0) };
      }
      token = page.isTruncated ? page.nextContinuationToken : "";
    } while (token !== "");
  }

  /** Reads one small object; writes it first where no such write went well within the last minute. */
  async check(): Promise<void> {
    if (Date.now() - this.#writeProvenAt > WRITE_PROOF_MS) {
      await this.#send("check", 0, () =>
        this.#client.putObject(this.#bucket, CHECK_KEY, Buffer.from("ok"), 2),
      );
      this.#writeProvenAt = Date.now();
    }
    try {
      await this.#send("check", 0, () => this.#read(CHECK_KEY, undefined));
    } catch (error) {
      this.#writeProvenAt = Number.NEGATIVE_INFINITY;
      throw error;
    }
  }

  async probeRoom(): Promise<void> {
    const bytes = Buffer.alloc(PROBE_BYTES);
    await this.#send("probe", bytes.length, () =>
      this.#client.putObject(this.#bucket, PROBE_KEY, bytes, bytes.length),
    );
    await this.#send("probe", 0, () => this.#client.removeObject(this.#bucket, PROBE_KEY));
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  async #read(key: string, range: ByteRange | undefined): Promise<Buffer> {
    const stream =
      range === undefined
        ? await this.#client.getObject(this.#bucket, key)
        : await this.#client.getPartialObject(this.#bucket, key, range.offset, range.length);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  async #makeBucket(region: string, mustExist: boolean): Promise<void> {
    try {
      // Unlike an answer to HEAD, one to GET says why it is a refusal.
      await this.#page(CHECK_KEY, "");
      return;
    } catch (error) {
      if (codeOf(error) !== "NoSuchBucket") throw error;
    }
    if (mustExist)
      throw new StoreMissingError(`${this.description}: there is no bucket ${this.#bucket}`);
    try {
      await this.#send("make the bucket", 0, () => this.#client.makeBucket(this.#bucket, region));
    } catch (error) {
      // Another process was faster; or a try did it whose answer was lost.
      const code = codeOf(error);
      if (code !== "BucketAlreadyOwnedByYou" && code !== "BucketAlreadyExists") throw error;
    }
  }

  #page(prefix: string, token: string) {
    return this.#send(`list ${prefix}`, 0, () =>
      this.#client.listObjectsV2Query(this.#bucket, prefix, token, "", KEYS_PER_PAGE, ""),
    );
  }

  async #send<T>(operation: string, bytes: number, work: () => Promise<T>): Promise<T> {
    try {
      return await retrying(this.#retries, bytes, work);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.code !== undefined && PATH_CONFLICTS.has(error.code)) {
        throw new InvalidKeyError(`${operation}: ${error.message}`, { cause: error });
      }
      const ErrorClass = error.saysFull ? StoreFullError : StoreUnavailableError;
      throw new ErrorClass(`${this.description}: ${operation}: ${error.message}`, {
        cause: error,
      });
    }
  }
}

function requestErrorOf(error: unknown): RequestError | undefined {
  return error instanceof StoreUnavailableError && error.cause instanceof RequestError
    ? error.cause
    : undefined;
}

function statusOf(error: unknown): number | undefined {
  return requestErrorOf(error)?.status;
}

function codeOf(error: unknown): string | undefined {
  return requestErrorOf(error)?.code;
}

/** Not every 404 is one: a missing bucket, with versitygw also an unknown user, is a server set up wrongly. */
function isAbsence(error: unknown): boolean {
  const code = codeOf(error);
  // An answer to HEAD has no body, and so no code; the client makes one up.
  return code === "NoSuchKey" || code === "NotFound";
}
