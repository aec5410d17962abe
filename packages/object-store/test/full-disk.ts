/** Fills the disk that its argument names, and prints what the store made of it. */
import { readdirSync } from "node:fs";

import { FileSystemObjectStore } from "../src/filesystem.js";

const [directory = ""] = process.argv.slice(2);
const store = await FileSystemObjectStore.open(directory);
await store.put("a/small", Buffer.from("kept"));
const error: unknown = await store.put("b/large", Buffer.alloc(4_000_000)).then(
  () => undefined,
  (reason: unknown) => reason,
);
const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).toSorted();
await store.put("c", Buffer.from("written"));
const result = {
  error: error instanceof Error ? error.name : undefined,
  message: error instanceof Error ? error.message : undefined,
  files,
  small: String(await store.get("a/small")),
  afterwards: String(await store.get("c")),
};
process.stdout.write(JSON.stringify(result));
