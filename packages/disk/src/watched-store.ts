import type { SeenStorage } from "@sluice/catalog";
import type { StorageState } from "@sluice/contracts";
import { type Levels, nextState, type Thresholds, thresholdsOf } from "./levels.js";
import { OneQuestion } from "./one-question.js";
import { readRoom, type Room } from "./room.js";

/** A store whose room is watched: by its file system, by what it says to those who write, or by both. */
export interface StoreToWatch {
  readonly name: string;
  /** What it is, without credentials. */
  readonly description: string;
  /** On the file system that it fills. */
  readonly directory?: string | undefined;
  /** Asks it whether it works, at each look. @throws {@link isFull} errors where it has no room */
  readonly check?: (() => Promise<void>) | undefined;
  /** Writes to it, where it has refused for want of room: only this says that there is room again. */
  readonly probe?: (() => Promise<void>) | undefined;
  /** Says of what a write threw whether it was for want of room. */
  readonly isFull: (error: unknown) => boolean;
  /** Uploads are refused while it is full. */
  readonly holdsIntake: boolean;
}

/** One store and its state, as this process sees it. */
export class WatchedStore {
  readonly #fileSystem: OneQuestion<Room> | undefined;
  readonly #server: OneQuestion<void> | undefined;
  #room: Room | undefined;
  #thresholds: Thresholds | undefined;
  /** Of the last write that found no room. */
  #refusal: { readonly message: string } | undefined;
  #errors: readonly (string | undefined)[] = [];
  #state: StorageState = "ok";
  #since = new Date();
  #checkedAt = new Date();

  constructor(
    readonly store: StoreToWatch,
    private readonly levels: Levels,
  ) {
    const { directory, description, check, probe } = store;
    if (directory !== undefined) {
      this.#fileSystem = new OneQuestion(`the file system of ${directory}`, () =>
        readRoom(directory),
      );
    }
    if (check !== undefined || probe !== undefined) {
      this.#server = new OneQuestion(description, () => this.#ask());
    }
  }

  get name(): string {
    return this.store.name;
  }

  get state(): StorageState {
    return this.#state;
  }

  get since(): Date {
    return this.#since;
  }

  get checkedAt(): Date {
    return this.#checkedAt;
  }

  get room(): Room | undefined {
    return this.#room;
  }

  get seen(): SeenStorage {
    const { description, holdsIntake } = this.store;
    return {
      description,
      holdsIntake,
      ...this.#room,
      thresholds: this.#thresholds,
      refusal: this.#refusal?.message,
      error: this.#errors.find((error) => error !== undefined),
    };
  }

  /** Looks at it. What cannot be looked at stays in its state. */
  async look(): Promise<void> {
    this.#errors = await Promise.all([this.#readRoom(), this.#askServer()]);
    this.#checkedAt = new Date();
  }

  /** The state that follows on one by what was seen. */
  after(before: StorageState): StorageState {
    if (this.#refusal !== undefined) return "full";
    if (this.#room !== undefined && this.#thresholds !== undefined) {
      return nextState(before, this.#room, this.#thresholds);
    }
    // Where only writes tell, there is nothing between having room and having none.
    return this.#errors.every((error) => error === undefined) ? "ok" : before;
  }

  /** @returns whether that is another one */
  enter(state: StorageState, since = new Date()): boolean {
    if (state === this.#state) return false;
    this.#state = state;
    this.#since = since;
    return true;
  }

  /** Remembers that a write found no room, until a probe finds some. How much was free before says nothing any more. */
  refused(error: unknown): void {
    this.#refusal = { message: messageOf(error) };
    this.#room = undefined;
  }

  async #readRoom(): Promise<string | undefined> {
    if (this.#fileSystem === undefined) return undefined;
    try {
      this.#room = await this.#fileSystem.answer();
      this.#thresholds = thresholdsOf(this.levels, this.#room);
      return undefined;
    } catch (error) {
      this.#room = undefined;
      return messageOf(error);
    }
  }

  async #askServer(): Promise<string | undefined> {
    try {
      await this.#server?.answer();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  async #ask(): Promise<void> {
    const { check, probe, isFull } = this.store;
    const refusal = this.#refusal;
    try {
      await (refusal === undefined ? check : (probe ?? check))?.();
      // Another write may have been refused meanwhile.
      if (this.#refusal === refusal) this.#refusal = undefined;
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#refusal = { message: messageOf(error) };
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
