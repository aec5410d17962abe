import type { ByteRange, ForeignEntry, ObjectStat, ObjectStore } from "./object-store.js";
import { openObjectStore } from "./open.js";
import { parseObjectStoreUrl } from "./url.js";

/**
 * A store that is opened when it is first used: for whoever needs it now and then, and is to start and to go on without it.
 * Where it cannot be opened, each operation fails with {@link StoreUnavailableError}, and the next one tries again.
 */
export class DeferredObjectStore implements ObjectStore {
  #opened: ObjectStore | undefined;
  #opening: Promise<ObjectStore> | undefined;

  /** @throws {@link ObjectStoreUrlError} where the URL is wrong */
  constructor(private readonly url: string) {
    parseObjectStoreUrl(url);
  }

  get description(): string {
    return this.#opened?.description ?? "a store that was not needed yet";
  }

  async put(key: string, bytes: Buffer): Promise<void> {
    return (await this.#store()).put(key, bytes);
  }

  async get(key: string, range?: ByteRange): Promise<Buffer> {
    return (await this.#store()).get(key, range);
  }

  async stat(key: string): Promise<ObjectStat | undefined> {
    return (await this.#store()).stat(key);
  }

  async copy(from: string, to: string): Promise<void> {
    return (await this.#store()).copy(from, to);
  }

  async delete(key: string): Promise<void> {
    return (await this.#store()).delete(key);
  }

  async *list(
    prefix: string,
    onForeign?: (entry: ForeignEntry) => void,
  ): AsyncIterable<ObjectStat> {
    yield* (await this.#store()).list(prefix, onForeign);
  }

  async check(): Promise<void> {
    return (await this.#store()).check();
  }

  async probeRoom(): Promise<void> {
    return (await this.#store()).probeRoom();
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    await this.#opened?.close();
  }

  #store(): Promise<ObjectStore> {
    this.#opening ??= openObjectStore(this.url).then(
      (opened) => (this.#opened = opened),
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }
}
