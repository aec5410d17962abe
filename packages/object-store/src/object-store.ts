/** A place for bytes under keys: a directory, or an S3 bucket. */
export interface ObjectStore {
  /** What it is, without credentials, for logs and errors. */
  readonly description: string;

  /**
   * Writes an object whole or not at all; replaces one of the same key. When it resolves, the bytes
   * survive a crash of this machine (or are the server's to keep).
   *
   * @throws {@link InvalidKeyError} also for a key above or below another object's, as `a` and `a/b`;
   *   some servers take both
   */
  put(key: string, bytes: Buffer): Promise<void>;

  /**
   * Reads an object, or part of it.
   *
   * @param range - bytes from `offset`, `length` of them or as many as there are; all where absent
   * @throws {@link ObjectNotFoundError}
   */
  get(key: string, range?: ByteRange): Promise<Buffer>;

  /** Size in bytes and time of the last write; `undefined` where there is none. */
  stat(key: string): Promise<ObjectStat | undefined>;

  /** Copies within the store, overwriting. @throws {@link ObjectNotFoundError} */
  copy(from: string, to: string): Promise<void>;

  /** Deletes; a key that is not there is no error. */
  delete(key: string): Promise<void>;

  /**
   * Every object whose key begins with the prefix, in no particular order.
   *
   * @param onForeign - told what lies among them and cannot be theirs: somebody else has put it there
   */
  list(prefix: string, onForeign?: (entry: ForeignEntry) => void): AsyncIterable<ObjectStat>;

  /**
   * Resolves where the store answers and can be written to.
   *
   * @throws {@link StoreUnavailableError}, as {@link StoreFullError} where there is merely no room
   */
  check(): Promise<void>;

  /**
   * Writes {@link PROBE_BYTES} and removes them again: resolves where there is room for as much.
   *
   * @throws {@link StoreUnavailableError}, as {@link StoreFullError} where there is no room
   */
  probeRoom(): Promise<void>;

  close(): Promise<void>;
}

export interface OpenOptions {
  /** A directory or bucket that is missing is not made. */
  readonly mustExist?: boolean;
}

/** What must fit for a store that was full to count as one with room. */
export const PROBE_BYTES = 1024 * 1024;

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface ObjectStat {
  readonly key: string;
  readonly size: number;
  readonly modifiedAt: Date;
}

/** Something in a store that is none of its objects. */
export interface ForeignEntry {
  /** Where it is, as the store names it: any text. */
  readonly name: string;
  /** What is wrong with it, to go on after its name. */
  readonly what: string;
}

/** There is no object of that key. */
export class ObjectNotFoundError extends Error {
  override readonly name = "ObjectNotFoundError";
  constructor(readonly key: string) {
    super(`there is no object ${key}`);
  }
}

/** The store could not be reached or refused to serve; trying again later may help. */
export class StoreUnavailableError extends Error {
  override readonly name: string = "StoreUnavailableError";
}

/** There is no such directory or bucket, and it was to be read only. */
export class StoreMissingError extends Error {
  override readonly name = "StoreMissingError";
}

/** The store has no room (or inodes, or quota) left for what was to be written; what it has can be read. */
export class StoreFullError extends StoreUnavailableError {
  override readonly name = "StoreFullError";
}

/** A key that could leave the store or that some server would not take. */
export class InvalidKeyError extends Error {
  override readonly name = "InvalidKeyError";
}
