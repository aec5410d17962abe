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

interface Change {
  readonly frame: Frame;
  readonly name: string;
  /** `undefined`: it was not bound. */
  readonly before: Value | undefined;
}

/** Bindings of names, and how they were before what may not have happened. */
export class Bindings {
  readonly #open: Map<string, Change>[] = [];
  readonly #ids = new Map<Frame, number>();

  /** Whether what is run now may not be run, or more than once. */
  get isUncertain(): boolean {
    return this.#open.length > 0;
  }

  set(frame: Frame, name: string, value: Value | undefined): void {
    const changes = this.#open.at(-1);
    if (changes) {
      const key = `${this.#idOf(frame)} ${name}`;
      if (!changes.has(key)) changes.set(key, { frame, name, before: frame.values.get(name) });
    }
    if (value === undefined) frame.values.delete(name);
    else frame.values.set(name, value);
  }

  /**
   * Runs alternatives, each from the state there is now, and joins what they make of it. With `orNone`, it may be that none of
   * them runs.
   */
  alternatives(runs: readonly (() => void)[], orNone: boolean): void {
    const ends: Map<string, Change & { after: Value | undefined }>[] = [];
    for (const run of runs) {
      this.#open.push(new Map());
      let changes: Map<string, Change>;
      try {
        run();
      } finally {
        changes = this.#open.pop()!;
      }
      const end = new Map<string, Change & { after: Value | undefined }>();
      for (const [key, change] of changes) {
        const { frame, name, before } = change;
        end.set(key, { ...change, after: frame.values.get(name) });
        if (before === undefined) frame.values.delete(name);
        else frame.values.set(name, before);
      }
      ends.push(end);
    }
    if (ends.every((end) => end.size === 0)) return;
    const all = new Map(ends.flatMap((end) => [...end]));
    for (const [key, { frame, name, before }] of all) {
      const outcomes = ends.map((end) => (end.has(key) ? end.get(key)!.after : before));
      if (orNone) outcomes.push(before);
      const bound = outcomes.filter((outcome) => outcome !== undefined);
      const joined = bound.reduce<Value | undefined>(
        (value, other) => (value ? either(value, other) : other),
        undefined,
      );
      // A name that is not bound on every way may be another one further out.
      this.set(
        frame,
        name,
        joined && bound.length < outcomes.length ? either(joined, UNKNOWN) : joined,
      );
    }
  }

  #idOf(frame: Frame): number {
    let id = this.#ids.get(frame);
    if (id === undefined) this.#ids.set(frame, (id = this.#ids.size));
    return id;
  }
}
