import type { Writable } from "node:stream";

/** Whoever read the output has gone. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** An output that is written as fast as it is read. */
export class Output {
  constructor(private readonly stream: Writable) {
    // Each write is told of it, too.
    if (stream.listenerCount("error") === 0) stream.on("error", () => {});
  }

  /**
   * Resolves when the text has been handed over, so that a slow reader is waited for.
   *
   * @throws OutputClosed where nobody reads any more; the stream's own error where it cannot be written otherwise
   */
  async write(text: string): Promise<void> {
    if (text === "") return;
    await new Promise<void>((resolve, reject) => {
      this.stream.write(text, (error?: NodeJS.ErrnoException | null) => {
        if (!error) resolve();
        else if (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED")
          reject(new OutputClosed(error.message));
        else reject(error);
      });
    });
  }
}
