const FRAME_MAGIC = 0xfd2fb528;
/** The last four bits are free for the writer. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK = 128 * 1024;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/**
 * How many bytes zstd frames can decode to at most, by the headers of their blocks (RFC 8878, 3.1): the decoder itself has no limit,
 * and the size that a frame says of itself it may exceed. Frames that are cut or no frames count as far as they go.
 */
export function decodedAtMost(frames: Buffer): number {
  let most = 0;
  let at = 0;
  while (at + 8 <= frames.length) {
    const magic = frames.readUInt32LE(at);
    if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
      at += 8 + frames.readUInt32LE(at + 4);
      continue;
    }
    if (magic !== FRAME_MAGIC) return most;
    const descriptor = frames[at + 4] ?? 0;
    const hasWindow = (descriptor & 0x20) === 0;
    const contentSize = CONTENT_SIZE_BYTES[descriptor >>> 6] ?? 0;
    at += 5 + (hasWindow ? 1 : 0) + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0);
    at += contentSize === 0 && !hasWindow ? 1 : contentSize;
    for (let last = false; !last;) {
      if (at + 3 > frames.length) return most;
      const header = frames.readUIntLE(at, 3);
      last = (header & 1) === 1;
      const kind = (header >>> 1) & 3;
      const size = header >>> 3;
      // Raw, one byte repeated, compressed.
      most += kind === 2 ? MAX_BLOCK : Math.min(size, MAX_BLOCK);
      at += 3 + (kind === 1 ? 1 : size);
    }
    if ((descriptor & 4) !== 0) at += 4;
  }
  return most;
}
