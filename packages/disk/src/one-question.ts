/** How long an answer may take. */
const ANSWER_MS = 3_000;

/**
 * A question to something that may not answer for long, if ever: nobody waits longer than a few seconds for it, and it is not asked
 * again before it has answered.
 */
export class OneQuestion<Answer> {
  #asked: Promise<Answer> | undefined;

  constructor(
    private readonly what: string,
    private readonly ask: () => Promise<Answer>,
  ) {}

  /** @throws what the question threw, or that it was not answered in time */
  async answer(): Promise<Answer> {
    this.#asked ??= this.ask().finally(() => (this.#asked = undefined));
    const asked = this.#asked;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `${this.what} does not answer within ${ANSWER_MS / 1_000} s`;
      timer = setTimeout(() => reject(new Error(message)), ANSWER_MS);
    });
    try {
      return await Promise.race([asked, late]);
    } finally {
      clearTimeout(timer);
      // Where it fails after that, nobody is told.
      asked.catch(() => {});
    }
  }
}
