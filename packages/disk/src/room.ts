import { statfs } from "node:fs/promises";

/** The room that a file system has for a user without privileges. */
export interface Room {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeInodes: number;
  /** 0 where the file system makes them as they are needed. */
  readonly totalInodes: number;
}

/**
 * The room of the file system that a directory is on.
 *
 * @throws where the directory is gone
 */
export async function readRoom(directory: string): Promise<Room> {
  const { bsize, blocks, bavail, files, ffree } = await statfs(directory);
  return {
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    freeInodes: ffree,
    totalInodes: files,
  };
}
