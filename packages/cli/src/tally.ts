import type { Entry } from "./entry.js";

/** How a run's files came out. */
export class Tally {
  readonly verdicts = { allowed: 0, needs_approval: 0, refused: 0, malicious: 0, invalid: 0 };
  /** Files that could not be read. */
  unread = 0;
  /** Files that Sluice itself failed on. */
  failed = 0;

  add({ report, error }: Entry): void {
    if (report) this.verdicts[report.verdict]++;
    if (error?.code === "internal") this.failed++;
    else if (error) this.unread++;
  }

  get files(): number {
    const judged = Object.values(this.verdicts).reduce((sum, number) => sum + number, 0);
    return judged + this.unread + this.failed;
  }

  /** 0: all valid and allowed; 1: some not, or not read; 3: Sluice's fault. */
  get exitCode(): 0 | 1 | 3 {
    if (this.failed > 0) return 3;
    return this.verdicts.allowed === this.files ? 0 : 1;
  }
}
