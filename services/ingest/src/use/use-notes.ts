import type { ScriptUse } from "@sluice/catalog";
import type { Logger } from "@sluice/runtime";

/** Scripts that are noted in one statement, and that are remembered at most while the catalog is away. */
const BATCH = 1_000;
const MOST_REMEMBERED = 100_000;

export interface UseNotesOptions {
  readonly record: (uses: readonly ScriptUse[]) => Promise<void>;
  readonly log: Pick<Logger, "warn">;
  /** Time between two writes, in milliseconds. */
  readonly everyMs: number;
}

/**
 * Gathers which scripts are used and notes it now and then, so that reading one costs no write. A process that is killed loses what
 * it gathered since its last write.
 */
export class UseNotes {
  readonly #options: UseNotesOptions;
  readonly #timer: NodeJS.Timeout;
  #gathered = new Map<string, { downloads: number; metadataReads: number }>();
  #writing: Promise<void> = Promise.resolve();

  constructor(options: UseNotesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.flush(), options.everyMs);
  }

  downloaded(scriptId: string): void {
    this.#add(scriptId, 1, 0);
  }

  metadataRead(scriptId: string): void {
    this.#add(scriptId, 0, 1);
  }

  #add(scriptId: string, downloads: number, metadataReads: number): void {
    const use = this.#gathered.get(scriptId);
    if (use !== undefined) {
      use.downloads += downloads;
      use.metadataReads += metadataReads;
    } else if (this.#gathered.size < MOST_REMEMBERED) {
      this.#gathered.set(scriptId, { downloads, metadataReads });
    }
  }

  /** Writes what was gathered, one write after the other; what cannot be written now is kept for the next time. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const uses = [...this.#gathered].map(([scriptId, use]) => ({ scriptId, ...use }));
    this.#gathered = new Map();
    for (let from = 0; from < uses.length; from += BATCH) {
      try {
        await this.#options.record(uses.slice(from, from + BATCH));
      } catch (error) {
        this.#options.log.warn({ err: error }, "uses of scripts are not noted yet");
        for (const { scriptId, downloads, metadataReads } of uses.slice(from))
          this.#add(scriptId, downloads, metadataReads);
        return;
      }
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }
}
