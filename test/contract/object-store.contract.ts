import { createHash, randomBytes } from "node:crypto";
import {
  InvalidKeyError,
  ObjectNotFoundError,
  type ObjectStat,
  type ObjectStore,
} from "@sluice/object-store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const BAD_KEYS = [
  "",
  "/",
  "/absolute",
  "trailing/",
  "a//b",
  ".",
  "..",
  "../outside",
  "a/../../outside",
  "a/./b",
  ".hidden",
  "a/.hidden",
  "a\0b",
  "a\nb",
  "a\\b",
  "..\\outside",
  "C:\\outside",
  "a b",
  "a%2F..%2Fb",
  "a?b",
  "a#b",
  "a*b",
  "é",
  "e\u0301",
  "\u202Egnp",
  "👍",
  "a".repeat(256),
  `${"a/".repeat(450)}a`,
];

/**
 * What every object store does, whatever it is made of.
 *
 * @param open - opens the store under test; always the same one
 */
export function objectStoreContract(open: () => Promise<ObjectStore>): void {
  let store: ObjectStore;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());

  describe("put and get", () => {
    test("gives back the bytes, whatever they are", async () => {
      const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256));
      await store.put("bytes/all", bytes);
      expect(await store.get("bytes/all")).toEqual(bytes);
    });

    test("takes an empty object", async () => {
      await store.put("bytes/none", Buffer.alloc(0));
      expect(await store.get("bytes/none")).toEqual(Buffer.alloc(0));
      expect(await store.stat("bytes/none")).toMatchObject({ size: 0 });
    });

    test("takes the largest script there may be, and more", async () => {
      const bytes = randomBytes(10 * 1024 * 1024);
      await store.put("bytes/large", bytes);
      expect(sha256(await store.get("bytes/large"))).toBe(sha256(bytes));
    });

    test("takes a view into a larger buffer", async () => {
      await store.put("bytes/view", Buffer.from("before|inside|after").subarray(7, 13));
      expect(String(await store.get("bytes/view"))).toBe("inside");
    });

    test("replaces an object by a shorter one", async () => {
      await store.put("bytes/again", Buffer.from("the first"));
      await store.put("bytes/again", Buffer.from("2nd"));
      expect(String(await store.get("bytes/again"))).toBe("2nd");
    });

    test("says which object is not there", async () => {
      const error = await rejection(store.get("nowhere/at/all"));
      expect(error).toBeInstanceOf(ObjectNotFoundError);
      expect(error).toMatchObject({ key: "nowhere/at/all" });
    });

    test("does not take a part of a key for an object", async () => {
      await store.put("part/of/a/key", Buffer.from("x"));
      await expect(store.get("part/of")).rejects.toThrow(ObjectNotFoundError);
    });

    test("takes a key of every character that is allowed, and of the longest length", async () => {
      const everyCharacter =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ/abcdefghijklmnopqrstuvwxyz/0123456789/-_.v1..py";
      const longest = `long/${`${"k".repeat(178)}/`.repeat(5)}`.slice(0, 899) + "z";
      for (const key of [everyCharacter, longest]) {
        await store.put(key, Buffer.from(key));
        expect(String(await store.get(key))).toBe(key);
        expect(await keysOf(store, key)).toEqual([key]);
      }
    });
  });

  test("a key above or below another object's works, or is refused and changes nothing", async () => {
    await store.put("clash/a", Buffer.from("a"));
    await store.put("clash/b/c", Buffer.from("c"));
    for (const key of ["clash/a/below", "clash/b"]) {
      const error = await rejection(store.put(key, Buffer.from("new")));
      if (error === undefined) {
        expect(String(await store.get(key))).toBe("new");
        await store.delete(key);
      } else {
        expect(error).toBeInstanceOf(InvalidKeyError);
      }
    }
    expect(await keysOf(store, "clash/")).toEqual(["clash/a", "clash/b/c"]);
  });

  describe("ranges", () => {
    beforeAll(() => store.put("range/digits", Buffer.from("0123456789")));

    test.each([
      [0, 10, "0123456789"],
      [0, 1, "0"],
      [3, 4, "3456"],
      [9, 1, "9"],
      [8, 100, "89"],
      [0, Number.MAX_SAFE_INTEGER, "0123456789"],
      [10, 1, ""],
      [1_000, 5, ""],
      [4, 0, ""],
    ])("offset %i, length %i", async (offset, length, expected) => {
      expect(String(await store.get("range/digits", { offset, length }))).toBe(expected);
    });

    test("of an empty object", async () => {
      await store.put("range/empty", Buffer.alloc(0));
      expect(await store.get("range/empty", { offset: 0, length: 5 })).toEqual(Buffer.alloc(0));
    });

    test.each([
      [0, 5],
      [7, 0],
    ])("of no object: offset %i, length %i", async (offset, length) => {
      await expect(store.get("range/none", { offset, length })).rejects.toThrow(
        ObjectNotFoundError,
      );
    });

    test.each([
      [-1, 5],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
      [Number.POSITIVE_INFINITY, 1],
    ])("refuses offset %d, length %d", async (offset, length) => {
      await expect(store.get("range/digits", { offset, length })).rejects.toThrow(RangeError);
    });
  });

  describe("stat", () => {
    test("gives size and time of the last write", async () => {
      await store.put("stat/it", Buffer.from("12345"));
      const found = await store.stat("stat/it");
      expect(found).toMatchObject({ key: "stat/it", size: 5 });
      // HTTP dates have whole seconds, and a server has a clock of its own.
      expect(Math.abs(Number(found?.modifiedAt) - Date.now())).toBeLessThan(60_000);
    });

    test("gives nothing where nothing is, or only a part of a key", async () => {
      await store.put("stat/a/b", Buffer.from("x"));
      expect(await store.stat("stat/none")).toBeUndefined();
      expect(await store.stat("stat/a")).toBeUndefined();
    });
  });

  describe("copy", () => {
    test("copies, and overwrites", async () => {
      await store.put("copy/from", Buffer.from("original"));
      await store.put("copy/to", Buffer.from("in the way"));
      await store.copy("copy/from", "copy/to");
      await store.put("copy/from", Buffer.from("changed"));
      expect(String(await store.get("copy/to"))).toBe("original");
    });

    test("copies an object onto itself", async () => {
      await store.put("copy/self", Buffer.from("same"));
      await store.copy("copy/self", "copy/self");
      expect(String(await store.get("copy/self"))).toBe("same");
    });

    test.each(["copy/elsewhere", "copy/nothing"])("says what is not there: to %s", async (to) => {
      const error = await rejection(store.copy("copy/nothing", to));
      expect(error).toBeInstanceOf(ObjectNotFoundError);
      expect(error).toMatchObject({ key: "copy/nothing" });
      expect(await store.stat(to)).toBeUndefined();
    });
  });

  describe("delete", () => {
    test("deletes one object and no other", async () => {
      await store.put("delete/a/1", Buffer.from("x"));
      await store.put("delete/a/2", Buffer.from("x"));
      await store.delete("delete/a/1");
      expect(await keysOf(store, "delete/")).toEqual(["delete/a/2"]);
    });

    test("is content where nothing is, or only a part of a key", async () => {
      await store.put("delete/b/1", Buffer.from("x"));
      await store.delete("delete/none");
      await store.delete("delete/b/1/below");
      await store.delete("delete/b");
      expect(await keysOf(store, "delete/b")).toEqual(["delete/b/1"]);
    });

    test("leaves no trace where a key was, so that it can be part of another", async () => {
      await store.put("delete/c/d", Buffer.from("x"));
      await store.delete("delete/c/d");
      await store.put("delete/c", Buffer.from("now an object"));
      expect(String(await store.get("delete/c"))).toBe("now an object");
    });
  });

  describe("list", () => {
    test("gives all keys that begin so, across pages", async () => {
      const keys = Array.from({ length: 1_050 }, (_, index) => `many/${index % 7}/${index}`);
      await inParallel(keys, 32, (key) => store.put(key, Buffer.from(key)));
      expect(await keysOf(store, "many/")).toEqual(keys.toSorted());
    });

    test("takes a prefix that ends within a name", async () => {
      for (const key of ["pre/fix-a", "pre/fix-b/c", "pre/fox", "prefix"]) {
        await store.put(key, Buffer.from("x"));
      }
      expect(await keysOf(store, "pre/fix")).toEqual(["pre/fix-a", "pre/fix-b/c"]);
      expect(await keysOf(store, "pre/")).toEqual(["pre/fix-a", "pre/fix-b/c", "pre/fox"]);
      expect(await keysOf(store, "pre/fix-b/c")).toEqual(["pre/fix-b/c"]);
      expect(await keysOf(store, "pre/fix-b/c/")).toEqual([]);
    });

    test("tells of each object what stat tells", async () => {
      await store.put("tell/me", Buffer.from("12345"));
      const [listed] = await listOf(store, "tell/");
      const found = await store.stat("tell/me");
      expect(listed).toMatchObject({ key: "tell/me", size: 5 });
      // A list may have fractions of a second where an HTTP date has none.
      expect(Math.abs(Number(listed?.modifiedAt) - Number(found?.modifiedAt))).toBeLessThan(1_000);
    });

    test("goes on while what it lists is deleted", async () => {
      const keys = Array.from({ length: 60 }, (_, index) => `going/${index % 5}/${index}`);
      await inParallel(keys, 16, (key) => store.put(key, Buffer.from("x")));
      for await (const { key } of store.list("going/")) await store.delete(key);
      expect(await keysOf(store, "going/")).toEqual([]);
    });

    test("can be left in the middle", async () => {
      await store.put("leave/a", Buffer.from("x"));
      await store.put("leave/b", Buffer.from("x"));
      for await (const { key } of store.list("leave/")) {
        expect(key).toMatch(/^leave\//);
        break;
      }
    });
  });

  describe("keys that could do harm", () => {
    test.each(BAD_KEYS.map((key) => [JSON.stringify(key).slice(0, 40), key]))(
      "%s",
      async (_, key) => {
        const attempts = [
          store.put(key, Buffer.from("x")),
          store.get(key),
          store.stat(key),
          store.copy(key, "harm/copy"),
          store.copy("harm/source", key),
          store.delete(key),
        ];
        for (const attempt of attempts) {
          expect(await rejection(attempt)).toBeInstanceOf(InvalidKeyError);
        }
      },
    );

    test.each(["/", "/a", "a//", "../", ".", "a/..", "a\\", "a\0", "é"])(
      "prefix %j",
      async (prefix) => {
        expect(await rejection(listOf(store, prefix))).toBeInstanceOf(InvalidKeyError);
      },
    );
  });

  describe("many at once", () => {
    test("50 racing puts of one key: nobody ever reads a torn object", async () => {
      // Each writer's object is of a length and a byte of its own.
      const objects = Array.from({ length: 50 }, (_, index) =>
        Buffer.alloc(20_000 + index * 997, index),
      );
      const isWhole = (read: Buffer) => {
        const written = objects[read[0] ?? -1];
        return written !== undefined && written.equals(read);
      };
      const seen: boolean[] = [];
      let writing = true;
      const read = async () => {
        while (writing) {
          const bytes = await store.get("race/key").catch((error: unknown) => error);
          if (bytes instanceof ObjectNotFoundError) continue;
          seen.push(bytes instanceof Buffer && isWhole(bytes));
        }
      };
      const readers = [read(), read(), read()];
      await Promise.all(objects.map((bytes) => store.put("race/key", bytes)));
      writing = false;
      await Promise.all(readers);
      expect(isWhole(await store.get("race/key"))).toBe(true);
      expect(seen).not.toContain(false);
      expect(await keysOf(store, "race/")).toEqual(["race/key"]);
    });

    test("puts beside deletes that empty the same folder", async () => {
      const rounds = Array.from({ length: 100 }, (_, index) => index);
      await Promise.all(
        rounds.map(async (index) => {
          const key = `crossing/${index % 3}/x/${index}`;
          await store.put(key, Buffer.from(String(index)));
          if (index % 2 === 0) await store.delete(key);
        }),
      );
      const left = rounds.filter((index) => index % 2 === 1);
      expect((await keysOf(store, "crossing/")).length).toBe(left.length);
    });

    test("300 reads and writes under way", async () => {
      const keys = Array.from({ length: 300 }, (_, index) => `wide/${index}`);
      await Promise.all(keys.map((key) => store.put(key, Buffer.from(key))));
      const read = await Promise.all(keys.map((key) => store.get(key)));
      expect(read.map(String)).toEqual(keys);
    });
  });

  test("check passes, again and again, and is not seen", async () => {
    const before = await keysOf(store, "");
    await store.check();
    await store.check();
    expect(await keysOf(store, "")).toEqual(before);
  });
}

async function listOf(store: ObjectStore, prefix: string): Promise<ObjectStat[]> {
  const found: ObjectStat[] = [];
  for await (const object of store.list(prefix)) found.push(object);
  return found;
}

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  return (await listOf(store, prefix)).map(({ key }) => key).toSorted();
}

async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const run = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: width }, run));
}

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
