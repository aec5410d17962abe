import type { BigIntStats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServiceSettings } from "@sluice/runtime";

/**
 * Where Sluice keeps its own files on this machine. Each upload puts a `.py` there: taken from a drop folder that holds the store it would be
 * uploaded again, and again, for ever.
 */
export class OwnStores {
  private constructor(
    private readonly stores: readonly string[],
    private readonly inodes: ReadonlySet<string>,
  ) {}

  /** Looks for them anew, since they may be made, or mounted, at any time. */
  static async find({
    dataDir,
    objectStoreUrl,
    backupUrl,
  }: Pick<ServiceSettings, "dataDir" | "objectStoreUrl" | "backupUrl">): Promise<OwnStores> {
    const stores = [objectStoreUrl, backupUrl]
      .filter((url) => url.startsWith("file://"))
      .map((url) => fileURLToPath(url));
    const inodes = new Set<string>();
    for (const place of [dataDir, ...stores]) {
      const found = await stat(place, { bigint: true }).catch(() => undefined);
      if (found !== undefined) inodes.add(identityOf(found));
    }
    const real = stores.map((store) => realpath(store).catch(() => store));
    return new OwnStores(await Promise.all(real), inodes);
  }

  /** Says whether a folder is one of them, whatever path leads to it. */
  has(folder: BigIntStats): boolean {
    return this.inodes.has(identityOf(folder));
  }

  /** Says whether a directory is in an object store or a backup store. One may be in `SLUICE_DATA`, beside the stores. */
  hold(root: string): boolean {
    return this.stores.some((store) => root === store || root.startsWith(`${store}${sep}`));
  }
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
