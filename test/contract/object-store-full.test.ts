import { openObjectStore, StoreFullError } from "@sluice/object-store";
import { expect, test } from "vitest";
import { describeWith, startS3, mountSmallDisk } from "../servers/index.js";

const MB = 1024 * 1024;

for (const kind of ["minio", "versitygw"] as const) {
  describeWith([kind, "mount"], `${kind} on a disk that is full`, () => {
    test("is a full store, keeps what it had, and takes writes again when there is room", async (context) => {
      const disk = await mountSmallDisk(64);
      const server = await startS3(kind, { data: disk.seenFromHere });
      try {
        if (server.own === undefined) context.skip("S3_TEST_URL names somebody else's server");
        const store = await openObjectStore(server.bucketUrl());
        const large = Buffer.alloc(2 * MB, "x");
        await store.put("kept", Buffer.from("before"));
        await store.probeRoom();
        disk.leave(0);
        const refused = await Promise.allSettled([store.put("large", large), store.probeRoom()]);
        for (const outcome of refused) {
          expect(outcome).toEqual({ status: "rejected", reason: expect.any(StoreFullError) });
        }
        expect(String(await store.get("kept"))).toBe("before");
        expect(await store.stat("large")).toBeUndefined();
        await store.delete("kept");
        disk.leave(48 * MB);
        // MinIO goes by what it saw of its disk a second ago.
        await expect
          .poll(() =>
            store.probeRoom().then(
              () => "room",
              (error: unknown) => String(error),
            ),
          )
          .toBe("room");
        await store.put("large", large);
        expect((await store.get("large")).equals(large)).toBe(true);
        const keys: string[] = [];
        for await (const { key } of store.list("")) keys.push(key);
        expect(keys).toEqual(["large"]);
        await store.close();
      } finally {
        await server.stop();
        await disk.remove();
      }
    });
  });
}
