import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { MAX_FILE_BYTES } from "@sluice/contracts";
import type { EntryError } from "../entry.js";
import { fileError } from "./failure.js";

/** A script's bytes, or why there are none. */
export type Content = { readonly bytes: Buffer } | { readonly error: EntryError };

/** Reads a file that was found to be a regular one. Never throws. */
export async function readFile(name: Buffer): Promise<Content> {
  try {
    // It may have been replaced by a FIFO since it was found, and opening that would wait.
    const file = await open(name, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = await file.stat();
      if (!stats.isFile()) return { error: { code: "not-a-file", message: "not a regular file" } };
      return await readStream(file.createReadStream({ autoClose: false, end: MAX_FILE_BYTES }));
    } finally {
      await file.close();
    }
  } catch (error) {
    return { error: fileError(error) };
  }
}

/** Reads to the end, or to where it is larger than anything that can be uploaded. Never throws. */
export async function readStream(stream: AsyncIterable<Buffer>): Promise<Content> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_FILE_BYTES)
        return {
          error: {
            code: "too-large",
            message: `more than ${MAX_FILE_BYTES} bytes, and so not read`,
          },
        };
    }
  } catch (error) {
    return { error: fileError(error) };
  }
  return { bytes: Buffer.concat(chunks, size) };
}
