import {
  findCopy,
  healBlob,
  type HealDeps,
  healUpload,
  isEmpty,
  type KnownBytes,
} from "@sluice/backup";
import { hasCopies, readScrubPass, type Version } from "@sluice/catalog";
import type { Storage } from "@sluice/contracts";
import { type BlobEncoding, StoreFullError, StoreUnavailableError } from "@sluice/object-store";
import type { Logger } from "@sluice/runtime";
import pLimit from "p-limit";

export interface ContentHealerDeps extends HealDeps {
  readonly log: Logger;
  readonly onRescued: (outcome: Rescue["kind"]) => void;
}

/** A version's bytes, held against their hash. */
export interface Content {
  /** As they are stored. */
  readonly stored: Buffer;
  readonly encoding: BlobEncoding;
  readonly storage: Storage;
  /** As they were uploaded; absent where the stored bytes are known to be theirs without decoding them. */
  readonly plain?: Buffer;
}

/** What became of bytes that were not there, or not those that the hash names. */
export type Rescue =
  /** From the copy, with the blob repaired where that could be done. */
  | { readonly kind: "copy"; readonly content: Content }
  /** The blob is good, or has moved, by now. */
  | { readonly kind: "again" }
  /** Nothing gives them back, and the version is marked. */
  | { readonly kind: "lost" };

/** Each holds a connection of the catalog, and downloads are no hurry to it. */
const AT_ONCE = 2;

/** Repairs, on the spot, what downloads and uploads find damaged or missing in the object store. */
export class ContentHealer {
  readonly #underWay = new Map<string, Promise<Rescue>>();
  readonly #limit = pLimit(AT_ONCE);

  constructor(private readonly deps: ContentHealerDeps) {}

  /**
   * Finds a version's bytes elsewhere and repairs what is stored. Whoever asks for the same bytes meanwhile gets the same answer.
   *
   * @throws `StoreUnavailableError` where a store is away, or seems to be another one than it should be: nothing is marked then
   */
  rescue(version: Version): Promise<Rescue> {
    const key = version.blob === undefined ? version.versionId : version.sha256;
    const running = this.#underWay.get(key);
    if (running !== undefined) return running;
    const rescue = this.#limit(() => this.#rescue(version))
      .then((rescued) => {
        this.deps.onRescued(rescued.kind);
        return rescued;
      })
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, rescue);
    return rescue;
  }

  /**
   * Puts back what a version has lost, from the same bytes that somebody has sent again.
   *
   * @param content - held against the version's hash
   * @throws `StoreUnavailableError`, where they could not be put back
   */
  async putBack(
    { versionId, sha256 }: Pick<Version, "versionId" | "sha256">,
    content: Buffer,
  ): Promise<void> {
    await this.#limit(() =>
      this.#heal(versionId, sha256, { content, from: "an upload of the same bytes" }),
    );
  }

  async #rescue(version: Version): Promise<Rescue> {
    const { objects, backup, log } = this.deps;
    const { versionId, sha256 } = version;
    // Where it cannot be asked at all, nothing is said of this object.
    await objects.check().catch((error: unknown) => {
      if (!(error instanceof StoreFullError)) throw error;
    });
    const copy = await findCopy(backup, sha256, []);
    const content = copy.state === "good" ? toContent(copy) : undefined;
    const wrong = await this.#wrongVolume(copy.state);
    if (wrong !== undefined) {
      log.error(
        { sha256, why: wrong },
        "nothing is repaired or marked: is the right volume mounted?",
      );
      if (content === undefined) throw new StoreUnavailableError(wrong);
      return { kind: "copy", content };
    }
    try {
      const known = "why" in copy ? undefined : { content: copy.content, from: copy.key };
      const healed = await this.#heal(versionId, sha256, known);
      if (content === undefined) return { kind: healed?.unrepairable ? "lost" : "again" };
    } catch (error) {
      // There is no room to put it back: what was asked for is there nevertheless.
      if (content === undefined || !(error instanceof StoreUnavailableError)) throw error;
      log.error({ err: error, sha256 }, "a blob could not be repaired from its copy");
    }
    return { kind: "copy", content };
  }

  /** The blob first: with it the upload it came of is settled. */
  async #heal(versionId: string, sha256: string, known: KnownBytes | undefined) {
    const healed =
      (await healBlob(this.deps, sha256, known)) ?? (await healUpload(this.deps, versionId, known));
    if (healed?.blob !== undefined)
      this.deps.log.error({ sha256, ...healed }, "bytes were damaged or missing");
    return healed;
  }

  /** Why a store seems not to be the one that it should be. */
  async #wrongVolume(copy: "good" | "missing" | "damaged"): Promise<string | undefined> {
    const { catalog, objects, backup } = this.deps;
    const halted = (await readScrubPass(catalog))?.halted;
    if (halted !== undefined) return halted;
    if (await isEmpty(objects)) return "the object store is empty";
    if (copy === "missing" && (await hasCopies(catalog)) && (await isEmpty(backup)))
      return "the backup store is empty";
    return undefined;
  }
}

function toContent({
  content,
  stored,
  encoding,
}: {
  content: Buffer;
  stored: Buffer;
  encoding: BlobEncoding;
}): Content & { readonly plain: Buffer } {
  return { plain: content, stored, encoding, storage: "hot" };
}
