/** Fills the disk that its argument names, and prints what the store made of it. */
import { readdirSync, rmSync, writeFileSync } from "node:fs";

import { FileSystemObjectStore } from "../src/filesystem.js";

const [directory = ""] = process.argv.slice(2);
const store = await FileSystemObjectStore.open(directory);
await store.put("a/small", Buffer.from("kept"));
const error: unknown = await store.put("b/large", Buffer.alloc(4_000_000)).then(
  () => undefined,
  (reason: unknown) => reason,
);
const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).toSorted();
const filling = fill();
const check: unknown = await store.check().then(
  () => undefined,
  (reason: unknown) => reason,
);
const whileFull = String(await store.get("a/small"));
for (const path of filling) rmSync(path);
await store.check();
await store.put("c", Buffer.from("written"));
const result = {
  error: error instanceof Error ? error.name : undefined,
  message: error instanceof Error ? error.message : undefined,
  files,
  check: check instanceof Error ? check.name : undefined,
  whileFull,
  small: String(await store.get("a/small")),
  afterwards: String(await store.get("c")),
};
process.stdout.write(JSON.stringify(result));

/** Takes every byte and every inode that is left. @returns the files that it made */
function fill(): string[] {
  const paths: string[] = [];
  try {
    for (;;) {
      const path = `${directory}/.filling-${paths.length}`;
      writeFileSync(path, "", { flag: "wx" });
      paths.push(path);
      for (;;) writeFileSync(path, Buffer.alloc(4_096), { flag: "a" });
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
  return paths;
}
