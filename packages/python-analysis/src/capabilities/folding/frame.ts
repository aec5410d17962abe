import type { SyntaxNode } from "../../structure/types.js";
import { either, UNKNOWN, type Value } from "./value.js";

/** The names of a block of Python while it is run. */
export class Frame {
  readonly kind: "module" | "function" | "class" | "comprehension";
  /** In which names are looked up that this one does not have. */
  readonly parent: Frame | null;
  /** The function that is run, if it is one. */
  readonly node: SyntaxNode | null;
  readonly values = new Map<string, Value>();
  /** Names that were something else before. */
  readonly rebound = new Set<string>();
  /** Names that are bound in the module instead. */
  readonly globals = new Set<string>();

  constructor(kind: Frame["kind"], parent: Frame | null, node: SyntaxNode | null = null) {
    this.kind = kind;
    this.parent = parent;
    this.node = node;
  }

  get module(): Frame {
    return this.parent?.module ?? this;
  }
}

/** What names were before something was run, and what they are after that; `undefined`: not bound. */
interface Change {
  readonly before: Value | undefined;
  after: Value | undefined;
}

type Changes = Map<Frame, Map<string, Change>>;

/** Bindings of names, and how they were before what may not have happened. */
export class Bindings {
  /** `null`: none so far, as it is most often. */
  readonly #open: (Changes | null)[] = [];

  /** Whether what is run now may not be run, or more than once. */
  get isUncertain(): boolean {
    return this.#open.length > 0;
  }

  set(frame: Frame, name: string, value: Value | undefined): void {
    const last = this.#open.length - 1;
    if (last >= 0) {
      const changes = (this.#open[last] ??= new Map<Frame, Map<string, Change>>());
      let ofFrame = changes.get(frame);
      if (!ofFrame) changes.set(frame, (ofFrame = new Map()));
      if (!ofFrame.has(name))
        ofFrame.set(name, { before: frame.values.get(name), after: undefined });
    }
    if (value === undefined) frame.values.delete(name);
    else frame.values.set(name, value);
  }

  /**
   * Runs alternatives, each from the state there is now, and joins what they make of it. With `orNone`, it may be that none of
   * them runs.
   *
   * @param go - runs one of them
   */
  alternatives<Run>(runs: readonly Run[], orNone: boolean, go: (run: Run) => void): void {
    const ends: (Changes | null)[] = [];
    for (const run of runs) {
      this.#open.push(null);
      go(run);
      const changes = this.#open.pop()!;
      if (changes) takeBack(changes);
      ends.push(changes);
    }
    if (ends.every((end) => end === null)) return;
    const all = new Map<Frame, Map<string, Outcome>>();
    for (const [i, end] of ends.entries()) {
      for (const [frame, changes] of end ?? []) {
        let ofFrame = all.get(frame);
        if (!ofFrame) all.set(frame, (ofFrame = new Map()));
        for (const [name, { before, after }] of changes) {
          let outcome = ofFrame.get(name);
          if (!outcome) ofFrame.set(name, (outcome = new Outcome(before)));
          outcome.add(i, after);
        }
      }
    }
    for (const [frame, outcomes] of all)
      for (const [name, outcome] of outcomes)
        this.set(frame, name, outcome.of(ends.length, orNone));
  }
}

function takeBack(changes: Changes): void {
  for (const [{ values }, ofFrame] of changes) {
    for (const [name, change] of ofFrame) {
      change.after = values.get(name);
      if (change.before === undefined) values.delete(name);
      else values.set(name, change.before);
    }
  }
}

/** What a name is after one of several ways. */
class Outcome {
  readonly #before: Value | undefined;
  #joined: Value | undefined;
  #isAlwaysBound = true;
  /** How many ways have been looked at. */
  #count = 0;

  constructor(before: Value | undefined) {
    this.#before = before;
  }

  /** @param way - one that changes the name, each after those before it */
  add(way: number, after: Value | undefined): void {
    if (this.#count < way) this.#take(this.#before);
    this.#take(after);
    this.#count = way + 1;
  }

  of(ways: number, orNone: boolean): Value | undefined {
    if (this.#count < ways || orNone) this.#take(this.#before);
    // A name that is not bound on every way may be another one further out.
    return this.#joined && !this.#isAlwaysBound ? either(this.#joined, UNKNOWN) : this.#joined;
  }

  #take(value: Value | undefined): void {
    if (value === undefined) this.#isAlwaysBound = false;
    else this.#joined = this.#joined ? either(this.#joined, value) : value;
  }
}
