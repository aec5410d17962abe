import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Catalog } from "@sluice/catalog";
import { type ObjectStore, openObjectStore } from "@sluice/object-store";
import { readSource } from "@sluice/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFreshCatalog, sha256Of } from "../catalog/fixture.js";
import { describeWith, sharedPostgres } from "../servers/index.js";

describeWith(["postgres"], "a script's bytes", () => {
  let catalog: Catalog;
  let objects: ObjectStore;
  let directory: string;
  beforeAll(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    directory = mkdtempSync(join(tmpdir(), "sluice-source-"));
    objects = await openObjectStore(pathToFileURL(directory).href);
  });
  afterAll(async () => {
    await objects.close();
    await catalog.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const identity = (key: string, length: number) =>
    ({ key, offset: 0, length, encoding: "identity" }) as const;
  const keep = (sha256: string, key: string, length: number) =>
    catalog.query(
      "insert into blobs (sha256, size, key, length, encoding) values ($1, $3::integer, $2, $3::integer, 'identity')",
      [sha256, key, length],
    );

  test("are followed to where another stage has moved them", async () => {
    const text = "moved = 1\n";
    await objects.put("blobs/new", Buffer.from(text));
    await keep(sha256Of(text), "blobs/new", text.length);
    const script = { sha256: sha256Of(text), blob: identity("blobs/old", text.length) };
    const { bytes, place } = await readSource({ catalog, objects }, script);
    expect(bytes.toString()).toBe(text);
    expect(place.key).toBe("blobs/new");
  });

  test("that are lost are not looked for for ever", async () => {
    const text = "lost = 1\n";
    await keep(sha256Of(text), "blobs/lost", text.length);
    const script = { sha256: sha256Of(text), blob: identity("blobs/lost", text.length) };
    await expect(readSource({ catalog, objects }, script)).rejects.toThrow("no object blobs/lost");
  });

  test("that are not those of the hash are refused", async () => {
    const text = "right = 1\n";
    await objects.put("blobs/wrong", Buffer.from("wrong = 1\n"));
    const script = { sha256: sha256Of(text), blob: identity("blobs/wrong", text.length) };
    await expect(readSource({ catalog, objects }, script)).rejects.toThrow(
      /does not hold the bytes/,
    );
  });
});
