import { migrate } from "@sluice/catalog";
import {
  type Logger,
  type ServiceSettings,
  type Settings,
  withoutPasswords,
} from "@sluice/runtime";
import { openDataDir } from "./data-dir.js";
import { reservePort } from "./ports.js";
import { apiUrl, prepareServices, whyNotReady, type Service } from "./services.js";
import { messageOf, StartError } from "./start-error.js";
import { openStores, type StoreUrls } from "./stores.js";
import { Supervisor } from "./supervisor.js";

/** How long the ingest of a Sluice that was killed may take to give up its port. */
const ABANDONED_PORT_PATIENCE_MS = 10_000;
const WAITING_NEWS_MS = 10_000;

/** Everything that `npm start` starts, and stops in order. */
export class Sluice {
  readonly #abort = new AbortController();
  readonly #supervisors: Supervisor[] = [];
  readonly #closers: (() => Promise<boolean>)[] = [];
  #started: Promise<void> | undefined;
  #stopped: Promise<boolean> | undefined;

  /** @param say - tells the person at the terminal */
  constructor(
    private readonly settings: Settings,
    private readonly log: Logger,
    private readonly say: (line: string) => void,
  ) {}

  /**
   * Starts everything.
   *
   * @returns the address of the API, when all of it is ready
   * @throws {@link StartError} that names what is in the way, also where it is stopped meanwhile
   */
  start(): Promise<string> {
    const starting = this.#start();
    this.#started = starting.then(
      () => {},
      () => {},
    );
    return starting;
  }

  async #start(): Promise<string> {
    const { signal } = this.#abort;
    const dataDir = openDataDir(this.settings.dataDir);
    this.#closers.push(() => {
      dataDir.release();
      return Promise.resolve(true);
    });
    const patienceMs = dataDir.wasAbandoned ? ABANDONED_PORT_PATIENCE_MS : 0;
    const port = await reservePort(this.settings.host, this.settings.port, patienceMs, signal);
    signal.throwIfAborted();

    const stores = await this.#openStores();
    const settings: ServiceSettings = { ...this.settings, ...stores, port };
    await this.#unlessStopped(migrateCatalog(settings.catalogUrl));
    const services = await prepareServices(settings);
    signal.throwIfAborted();
    await this.#startServices(services);
    return apiUrl(settings.host, port);
  }

  /** What takes its time and cannot be told to give up is not waited for any longer. */
  #unlessStopped<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#abort;
    const stopped = new Promise<never>((_, reject) => {
      const onAbort = (): void => reject(signal.reason as StartError);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
    return Promise.race([work, stopped]);
  }

  async #openStores(): Promise<StoreUrls> {
    const { urls, postgres } = await openStores(this.settings, this.log, this.say, {
      signal: this.#abort.signal,
      unlessStopped: (work) => this.#unlessStopped(work),
      onPostgres: (supervisor) => {
        this.#supervisors.push(supervisor);
        this.#closers.push(() => supervisor.stop());
      },
    });
    if (postgres !== undefined) this.say(`PostgreSQL ${postgres} runs.`);
    return urls;
  }

  async #startServices(services: readonly Service[]): Promise<void> {
    const started = services.map((service) => ({
      service,
      supervisor: new Supervisor(service, this.log, this.say),
    }));
    const pick = (wanted: (name: string) => boolean): Supervisor[] =>
      started.map(({ supervisor }) => supervisor).filter(({ name }) => wanted(name));
    this.#supervisors.push(...pick(() => true));
    // Closed last to first: no more uploads, then what is under way, then what looks after the rest.
    for (const group of [
      pick((name) => name === "janitor"),
      pick((name) => name !== "janitor" && name !== "ingest"),
      pick((name) => name === "ingest"),
    ]) {
      this.#closers.push(async () => {
        const ended = await Promise.all(group.map((supervisor) => supervisor.stop()));
        return ended.every(Boolean);
      });
    }
    const news = setInterval(() => void this.#tellWhatIsMissing(started), WAITING_NEWS_MS);
    try {
      await this.#unlessStopped(Promise.all(started.map(({ supervisor }) => supervisor.start())));
    } finally {
      clearInterval(news);
    }
  }

  async #tellWhatIsMissing(
    started: readonly { service: Service; supervisor: Supervisor }[],
  ): Promise<void> {
    const waiting = started.filter(({ supervisor }) => !supervisor.isReady);
    const reasons = await Promise.all(
      waiting.map(async ({ service }) => {
        const why = await whyNotReady(service.readyUrl);
        return why === undefined ? [] : [`${service.name} (${why})`];
      }),
    );
    // What is ready by now is waited for no more.
    if (reasons.flat().length > 0) this.say(`Still waiting for ${reasons.flat().join(", ")}.`);
  }

  /**
   * Stops everything in order: ingest finishes its requests, the workers what they hold, then the
   * janitor, then PostgreSQL.
   *
   * @returns whether all came to their end by themselves
   */
  stop(): Promise<boolean> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<boolean> {
    this.#abort.abort(new StartError("stopped while it was starting"));
    await this.#started;
    let orderly = true;
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      orderly = (await close()) && orderly;
    }
    return orderly;
  }

  /** Ends everything at once. What was acknowledged is kept; what was under way is done again. */
  kill(): void {
    for (const supervisor of this.#supervisors) supervisor.kill();
  }
}

async function migrateCatalog(url: string): Promise<void> {
  try {
    await migrate(url);
  } catch (error) {
    throw new StartError(
      `the catalog cannot be prepared (${withoutPasswords(url)}): ${messageOf(error)}`,
    );
  }
}
