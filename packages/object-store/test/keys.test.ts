import {
  blobKey,
  exportIndexKey,
  exportSegmentKey,
  hashOfKey,
  kindOfKey,
  metadataKey,
  quarantineKey,
  uploadKey,
} from "@sluice/object-store";
import { expect, test } from "vitest";
import { isKey } from "../src/input-rules.js";

const hash = "0123456789abcdef".repeat(4);
const script = "01a2094b-5a3c-761f-a6e9-09ad8dfdcae2";

test("every key that Sluice makes is known as what it is, with its hash", () => {
  const at = new Date("2026-11-25T12:00:00Z");
  const keys: readonly [string, string, string?][] = [
    [uploadKey(at, script, 1, "f00"), "upload"],
    [uploadKey(at, script, 2, "f00"), "upload"],
    [blobKey(hash), "blob", hash],
    [blobKey(hash, "zstd"), "blob", hash],
    [blobKey(hash, "gzip"), "blob", hash],
    [metadataKey(hash), "metadata", hash],
    [quarantineKey(hash), "quarantine", hash],
    [`backups/${blobKey(hash, "gzip")}`, "backup", hash],
    [`backups/${quarantineKey(hash)}`, "backup", hash],
    [`backups/manifests/${script}/v12.json`, "manifest"],
    [exportIndexKey("20261125T120000Z-1"), "export"],
    [exportSegmentKey("20261125T120000Z-1", "0001"), "export"],
  ];
  for (const [key, kind, sha256] of keys)
    expect([isKey(key), kindOfKey(key), hashOfKey(key)]).toEqual([true, kind, sha256]);
});

test("what only looks like one is not", () => {
  for (const key of [
    "notes.txt",
    "uploads/notes.txt",
    `uploads/2026-11-25/${script}/v1.py.bak`,
    `blobs/${hash}`,
    `blobs/sha256/ff/23/${hash}`,
    `blobs/sha256/01/23/${hash}.txt`,
    `blobs/sha256/01/23/${hash}.zst/more`,
    `blobs/sha256/01/23/${hash.toUpperCase()}`,
    `quarantine/sha256/01/23/${hash}.zst`,
    `backups/manifests/${script}/v1.json.tmp`,
    "backups/notes",
    "backups/catalog/",
  ])
    expect([key, kindOfKey(key)]).toEqual([key, undefined]);
});
