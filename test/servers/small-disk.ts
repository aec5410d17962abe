import { spawn } from "node:child_process";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { once } from "node:events";
import { join } from "node:path";

import { guard, temporaryDirectory } from "./guard.js";

/** A file system of its own, in memory, that is gone when this process is. */
export interface SmallDisk {
  /** Its directory, as programs that {@link command} starts see it. */
  readonly path: string;
  /** The same directory, as this process sees it. */
  readonly seenFromHere: string;
  /** Put in front of a program's command line, so that it sees the disk. */
  readonly command: readonly string[];
  /** Another program's files take the last byte, and again whatever comes free, until there is room. */
  fill(): Filling;
  /** Another program's file grows or shrinks until that many bytes are free. */
  leave(freeBytes: number): void;
  /** Another program's files, all empty, become that many. */
  crowd(files: number): void;
  remove(): Promise<void>;
}

export interface Filling {
  /** Resolves when the disk has been full for the first time. */
  readonly full: Promise<void>;
  /** Gives the room back. */
  giveRoom(): Promise<void>;
}

const BLOCK = Buffer.alloc(16 * 1024 * 1024);
const SMALLEST = 1;

/**
 * Mounts it where only programs that are started by its command see it, so that no mount is left
 * behind, however the test ends. Needs root.
 */
export async function mountSmallDisk(
  megabytes: number,
  { inodes = 0 }: { inodes?: number } = {},
): Promise<SmallDisk> {
  const path = temporaryDirectory();
  const script =
    'mount -t tmpfs -o "size=$2m,nr_inodes=$3,mode=0711" none "$1" && echo mounted && exec sleep infinity';
  const holder = guard(
    spawn(
      "unshare",
      ["--mount", "sh", "-c", script, "sh", path, String(megabytes), String(inodes)],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    ),
  );
  const { stdout, pid } = holder;
  if (stdout === null || pid === undefined) throw new Error("unshare was not started");
  const ended = once(holder, "exit").then(() => {
    throw new Error("the disk could not be mounted");
  });
  ended.catch(() => {});
  await Promise.race([once(stdout, "data"), ended]);
  const seenFromHere = `/proc/${pid}/root${path}`;
  return {
    path,
    seenFromHere,
    command: ["nsenter", `--mount=/proc/${pid}/ns/mnt`, "--"],
    fill: () => fill(join(seenFromHere, "filling")),
    leave: (freeBytes) => leave(seenFromHere, freeBytes),
    crowd(files) {
      const names = Array.from({ length: files }, (_, index) => `crowd-${index}`);
      for (const name of names) writeFileSync(join(seenFromHere, name), "");
      for (const name of readdirSync(seenFromHere)) {
        if (name.startsWith("crowd-") && !names.includes(name)) rmSync(join(seenFromHere, name));
      }
    },
    async remove() {
      const exited = once(holder, "exit");
      holder.kill("SIGKILL");
      await exited;
    },
  };
}

function leave(directory: string, freeBytes: number): void {
  const free = (): number => {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  };
  const file = openSync(join(directory, "leaving"), "a");
  try {
    // Never more room on the way than in the end.
    const lacking = freeBytes - free();
    if (lacking > 0) ftruncateSync(file, Math.max(0, fstatSync(file).size - lacking));
    for (let left = free() - freeBytes; left > 0; left = free() - freeBytes) {
      writeSync(file, BLOCK.subarray(0, Math.min(left, BLOCK.length)));
    }
  } finally {
    closeSync(file);
  }
}

function fill(file: string): Filling {
  let stopped = false;
  let tellFull = (): void => {};
  const full = new Promise<void>((resolve) => (tellFull = resolve));
  const writing = (async () => {
    let size = BLOCK.length;
    while (!stopped) {
      try {
        writeFileSync(file, BLOCK.subarray(0, size), { flag: "a" });
        size = Math.min(size * 2, BLOCK.length);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
        if (size === SMALLEST) tellFull();
        size = Math.max(SMALLEST, Math.floor(size / 2));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  return {
    full,
    async giveRoom() {
      stopped = true;
      await writing;
      rmSync(file);
    },
  };
}
