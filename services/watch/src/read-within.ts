import type { BigIntStats } from "node:fs";
import { constants, type FileHandle, lstat, open, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";

/** A file that is not uploaded, and why. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The code of a file system's error. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** A file that was written or replaced while it was read: to be looked at again. */
export class ChangedError extends Error {
  override readonly name = "ChangedError";
}

// Without O_NONBLOCK a FIFO that takes a file's place would be waited for.
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;

/** Says whether two looks found the same file with the same bytes, as far as its inode tells. */
export function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return (
    a.ino === b.ino &&
    a.dev === b.dev &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  );
}

/**
 * Reads a regular file below a directory, whatever is swapped for something else meanwhile: the file that was opened is the one that stands
 * at this path, with no symbolic link on the way.
 *
 * @param root - a real path
 * @param expected - what the file was when it was taken for complete
 * @throws {@link RefusedError} where it is no such file; {@link ChangedError} where it was not left alone
 */
export async function readWithin(
  root: string,
  path: string,
  maxBytes: number,
  expected?: BigIntStats,
): Promise<Buffer> {
  const whole = join(root, path);
  const file = await open(whole, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  try {
    const before = await file.stat({ bigint: true });
    if (!before.isFile()) throw new RefusedError("not_a_file", "It is not a regular file.");
    if ((await pathOf(file, whole)) !== whole) {
      if ((await realpath(whole)) === whole) throw new ChangedError();
      throw new RefusedError("symbolic_link", "A symbolic link is on the way to it.");
    }
    const standing = await lstat(whole, { bigint: true });
    if (!isSame(before, standing) || (expected !== undefined && !isSame(before, expected))) {
      throw new ChangedError();
    }
    if (before.size > BigInt(maxBytes)) {
      throw new RefusedError("file_too_large", `It has more than ${maxBytes} bytes.`);
    }
    const bytes = Buffer.allocUnsafe(Number(before.size) + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    const after = await file.stat({ bigint: true });
    if (BigInt(length) !== before.size || !isSame(before, after)) throw new ChangedError();
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

/** Where the kernel has an open file: no folder can be swapped for a link in between. Other systems are asked by its path. */
async function pathOf(file: FileHandle, path: string): Promise<string> {
  return process.platform === "linux" ? readlink(`/proc/self/fd/${file.fd}`) : realpath(path);
}
