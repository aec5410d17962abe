import { createHash } from "node:crypto";
import type { SourceLine } from "../source-lines.js";

/** Characters of a line that tell it from others; of longer ones, those at the place. */
const LONGEST = 1_000;

/** What a result is about, without where it is. */
interface Subject {
  readonly ruleId: string;
  readonly text: string;
  readonly line: SourceLine | undefined;
  /** Counts from 1, in code points. */
  readonly column: number | null;
}

/**
 * Fingerprints that stay the same where lines are added or removed elsewhere: one of the rule and the message, and one of these and
 * the line. The number behind the colon counts results of one file that are alike.
 */
export class Fingerprints {
  readonly #counts = new Map<string, number>();

  of({ ruleId, text, line, column }: Subject): Record<string, string> {
    const message = this.#numbered(["message", ruleId, text]);
    if (line === undefined) return { "messageHash/v1": message };
    return {
      "messageHash/v1": message,
      "lineHash/v1": this.#numbered(["line", ruleId, text, content(line, column)]),
    };
  }

  #numbered(parts: readonly string[]): string {
    const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
    const count = (this.#counts.get(hash) ?? 0) + 1;
    this.#counts.set(hash, count);
    return `${hash}:${count}`;
  }
}

function content(line: SourceLine, column: number | null): string {
  if (line.text.length <= LONGEST) return line.text.trim();
  const start = line.offset(Math.max((column ?? 1) - 1, 0));
  return line.text.slice(start, start + LONGEST);
}
