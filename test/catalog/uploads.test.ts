import { randomUUID } from "node:crypto";
import {
  type Catalog,
  claimIdempotencyKey,
  createRegistrar,
  deleteScript,
  expireIdempotencyKeys,
  releaseIdempotencyKeys,
  toRegistration,
} from "@sluice/catalog";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharedPostgres } from "../servers/index.js";
import { created, openFreshCatalog, register, upload } from "./fixture.js";

let catalog: Catalog;

beforeAll(async () => {
  catalog = await openFreshCatalog(sharedPostgres());
});
afterAll(async () => {
  await catalog.close();
});

const registrar = () => createRegistrar(catalog, { onCommitted: () => {} });

async function countVersions(scriptId: string): Promise<number> {
  const { rows } = await catalog.query<{ count: number }>(
    "select count(*)::int as count from versions where script_id = $1",
    [scriptId],
  );
  return rows[0]?.count ?? -1;
}

describe("a name that exists", () => {
  test("gets the next version, if the upload was made for it", async () => {
    const first = await register(catalog, upload("next.py", "1"));
    const second = await registrar().register(
      upload("next.py", "2", { scriptId: first.scriptId, version: 2 }),
    );
    expect(second).toMatchObject({ kind: "created", scriptId: first.scriptId, version: 2 });
  });

  test("moves an upload that was made for another script or number, and writes nothing", async () => {
    const first = await register(catalog, upload("moved.py", "1"));
    const second = await registrar().register(upload("moved.py", "2"));
    expect(second).toEqual({ kind: "moved", scriptId: first.scriptId, nextVersion: 2 });
    expect(await countVersions(first.scriptId)).toBe(1);
  });

  test.each(["version", "reject", "keep_both"] as const)(
    "with the same bytes makes nothing new under on_conflict=%s",
    async (onConflict) => {
      const name = `same-${onConflict}.py`;
      const first = await register(catalog, upload(name, "same"));
      const again = await registrar().register(upload(name, "same", { onConflict }));
      expect(again).toMatchObject({ kind: "unchanged", versionId: first.versionId, version: 1 });
      expect(await countVersions(first.scriptId)).toBe(1);
    },
  );

  test("is refused under on_conflict=reject", async () => {
    const first = await register(catalog, upload("taken.py", "1"));
    const second = await registrar().register(upload("taken.py", "2", { onConflict: "reject" }));
    expect(second).toEqual({ kind: "name_taken", scriptId: first.scriptId, version: 1 });
  });

  test("is numbered under on_conflict=keep_both, and each number is used once", async () => {
    await register(catalog, upload("both.py", "1"));
    const others = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        registrar().register(upload("both.py", `other ${index}`, { onConflict: "keep_both" })),
      ),
    );
    const names = others.map((other) => created(other).filename);
    expect(names.toSorted()).toEqual(
      Array.from({ length: 10 }, (_, index) => `both (${index + 2}).py`).toSorted(),
    );
  });

  test("is another script's in another namespace", async () => {
    const first = await register(catalog, upload("space.py", "1"));
    const second = await register(catalog, upload("space.py", "2", { namespace: "a/b" }));
    expect(second.scriptId).not.toBe(first.scriptId);
  });

  test("is free again once its script was deleted", async () => {
    const first = await register(catalog, upload("gone.py", "1"));
    expect(
      await deleteScript(catalog, {
        scriptId: first.scriptId,
        actor: "alice",
        trashMs: 86_400_000,
      }),
    ).toBe("deleted");
    const late = await registrar().register(
      upload("gone.py", "2", { scriptId: first.scriptId, version: 2 }),
    );
    expect(late).toEqual({ kind: "moved", scriptId: undefined, nextVersion: 1 });
    const second = await register(catalog, upload("gone.py", "2"));
    expect(second).toMatchObject({ version: 1 });
    expect(second.scriptId).not.toBe(first.scriptId);
  });
});

describe("uploads at the same time", () => {
  test("of one new name make one script; the others learn which", async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => {
        // A registrar each, so that they do not share a transaction.
        return registrar().register(upload("race.py", `body ${index}`));
      }),
    );
    const winners = answers.filter(({ kind }) => kind === "created").map(created);
    expect(winners).toHaveLength(1);
    for (const answer of answers.filter(({ kind }) => kind !== "created")) {
      expect(answer).toEqual({ kind: "moved", scriptId: winners[0]?.scriptId, nextVersion: 2 });
    }
  });

  test("share commits, and each commit tells what it made pending", async () => {
    const told: string[][] = [];
    const shared = createRegistrar(catalog, {
      onCommitted: (uploads) => told.push(uploads.map(({ versionId }) => versionId)),
    });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => shared.register(upload(`group-${index}.py`, "x"))),
    );
    expect(told.flat().toSorted()).toEqual(
      answers.map((answer) => created(answer).versionId).toSorted(),
    );
    expect(told.length).toBeLessThan(200);
  });

  test("on overlapping names in opposite order do not fail each other", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `cross-${index}.py`);
    const one = registrar();
    const other = registrar();
    await Promise.all(names.map((name) => one.register(upload(name, "0"))));
    const answers = await Promise.all([
      ...names.map((name) => one.register(upload(name, "0"))),
      ...names.toReversed().map((name) => other.register(upload(name, "0"))),
    ]);
    expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(["unchanged"]));
  });
});

test("an original name with NUL and half a surrogate pair is kept as text can keep it", async () => {
  const { versionId } = await register(
    catalog,
    upload("odd.py", "1", { originalFilename: "a\0b\ud800.py" }),
  );
  const { rows } = await catalog.query<{ original_filename: string }>(
    "select original_filename from versions where id = $1",
    [versionId],
  );
  expect(rows[0]?.original_filename).toBe("a\ufffdb\ufffd.py");
});

describe("an idempotency key", () => {
  const claim = (key: string, fingerprint: string, holder = randomUUID()) =>
    claimIdempotencyKey(catalog, { key, fingerprint, holder });

  test("is claimed once; the same request waits, another is refused", async () => {
    const key = randomUUID();
    expect(await claim(key, "f")).toEqual({ kind: "new" });
    expect(await claim(key, "f")).toEqual({ kind: "in_progress" });
    expect(await claim(key, "g")).toEqual({ kind: "mismatch" });
  });

  test("of many at once is claimed by one", async () => {
    const key = randomUUID();
    const claims = await Promise.all(Array.from({ length: 20 }, () => claim(key, "f")));
    expect(claims.filter(({ kind }) => kind === "new")).toHaveLength(1);
    expect(claims.filter(({ kind }) => kind === "in_progress")).toHaveLength(19);
  });

  test("replays the first answer to the same request, and refuses another", async () => {
    const key = randomUUID();
    await claim(key, "f");
    const first = await register(
      catalog,
      upload("idempotent.py", "1", { idempotency: { key, fingerprint: "f" } }),
    );
    const again = await claim(key, "f");
    expect(again.kind === "replay" && toRegistration(again.recorded)).toEqual(first);
    expect(await claim(key, "g")).toEqual({ kind: "mismatch" });
  });

  test("is free again after it was released, and after its holder has died", async () => {
    const key = randomUUID();
    const holder = randomUUID();
    await claim(key, "f", holder);
    await releaseIdempotencyKeys(catalog, [{ key, holder }]);
    expect(await claim(key, "g")).toEqual({ kind: "new" });
    await catalog.query("update idempotency_keys set claimed_until = now() where key = $1", [key]);
    expect(await claim(key, "h")).toEqual({ kind: "new" });
  });

  test("is not released once it has an answer", async () => {
    const key = randomUUID();
    const holder = randomUUID();
    await claim(key, "f", holder);
    await register(catalog, upload("kept.py", "1", { idempotency: { key, fingerprint: "f" } }));
    await releaseIdempotencyKeys(catalog, [{ key, holder }]);
    expect(await claim(key, "f")).toMatchObject({ kind: "replay" });
  });

  test("is released by whoever holds it, not by the one before", async () => {
    const key = randomUUID();
    const before = randomUUID();
    await claim(key, "f", before);
    await catalog.query("update idempotency_keys set claimed_until = now() where key = $1", [key]);
    await claim(key, "f");
    await releaseIdempotencyKeys(catalog, [{ key, holder: before }]);
    expect(await claim(key, "f")).toEqual({ kind: "in_progress" });
  });

  test("is forgotten in time", async () => {
    const key = randomUUID();
    await claim(key, "f");
    await expireIdempotencyKeys(catalog, new Date(Date.now() + 1000));
    expect(await claim(key, "g")).toEqual({ kind: "new" });
  });
});
