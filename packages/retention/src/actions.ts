import type { DeletionRule, Queryable } from "@sluice/catalog";

/** By which rule something goes, as the audit log has it. */
export type RuleReason = DeletionRule;

/** One version that is to go or to be archived. */
export interface DueVersion {
  readonly scriptId: string;
  readonly versionId: string;
  readonly number: number;
  readonly sha256: string;
  readonly reason: RuleReason;
}

/** What is done to what is due. Whoever does it sees to it that the bytes have a backup that can be read. */
export interface RetentionActions {
  /**
   * Puts versions into the trash, in the transaction that has decided it; the rows of their scripts are locked.
   *
   * @returns the ids of those that went; others are left for the next round
   */
  deleteVersions(tx: Queryable, versions: readonly DueVersion[]): Promise<ReadonlySet<string>>;
  /**
   * Has the bytes of versions go to the archive; outside of any transaction.
   *
   * @returns the ids of those that it was not asked to before: they go with the next packs
   */
  archive(versions: readonly DueVersion[], signal: AbortSignal): Promise<ReadonlySet<string>>;
  /**
   * Asked before anything goes.
   *
   * @throws where backups cannot be checked at this moment: nothing goes then
   */
  checkBackup(): Promise<void>;
}

/** Who does it, as the audit log has it. */
export const RETENTION_ACTOR = "retention";
