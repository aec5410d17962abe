import { isCatalogFull, isUnavailable } from "@sluice/catalog";
import { roomOf, type StorageMonitor } from "@sluice/disk";
import { ProblemError } from "../http/problem-error.js";
import { RETRY_AFTER_FULL } from "../http/problems.js";

/** Whether anything that brings new bytes is taken: not while a store that has to take them is full. */
export class Intake {
  constructor(private readonly storage: Pick<StorageMonitor, "closedBy" | "look" | "refused">) {}

  /** @throws {@link ProblemError} `insufficient_storage` where it is closed */
  assertOpen(): void {
    const full = this.storage.closedBy;
    if (full.length === 0) return;
    const described = full.map(({ name, seen }) => `${name} (${roomOf(seen)})`).join(", ");
    throw new ProblemError(
      "insufficient_storage",
      `There is no room left in ${described}, and nothing was stored. Try again later: uploads are taken again by themselves when there is room.`,
      { stores: full.map(({ name }) => name), headers: RETRY_AFTER_FULL },
    );
  }

  /**
   * Does what brings new bytes, where that is taken. Where the catalog fails meanwhile for want of room, the problem says so.
   *
   * @throws {@link ProblemError} `insufficient_storage`; whatever the work throws
   */
  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    this.assertOpen();
    try {
      return await work();
    } catch (error) {
      if (isCatalogFull(error)) this.storage.refused("catalog", error);
      // PostgreSQL ends where it has no room for its log: the connection breaks, and does not say why.
      else if (isUnavailable(error)) await this.storage.look();
      else throw error;
      this.assertOpen();
      throw error;
    }
  }
}
