/** Why a requirement cannot be understood. */
export class RequirementError extends Error {
  override name = "RequirementError";
}

/** Reads a requirement piece by piece. */
export class Scanner {
  #at = 0;

  constructor(readonly text: string) {}

  atEnd(): boolean {
    return this.match(/$/y) !== undefined;
  }

  /** Goes behind what a sticky pattern matches after spaces. */
  match(pattern: RegExp): string | undefined {
    while (this.text[this.#at] === " " || this.text[this.#at] === "\t") this.#at++;
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  take(token: string): boolean {
    if (this.match(/(?=\S)/y) === undefined || !this.text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  expect(pattern: RegExp, what: string): string {
    const found = this.match(pattern);
    if (found === undefined) throw this.error(what);
    return found;
  }

  error(expected: string): RequirementError {
    return new RequirementError(
      `expected ${expected} at character ${this.#at + 1} of ${JSON.stringify(this.text)}`,
    );
  }
}
