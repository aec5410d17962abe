/** So many are remembered, of about 250 bytes each. */
const MOST = 50_000;

/**
 * Which stored bytes have been decoded to the content of a hash before: those of the same digest need not be decoded again to be known
 * for good.
 */
export class KnownForms {
  readonly #digests = new Map<string, string>();

  /**
   * @param sha256 - of the content
   * @param digest - SHA-256 of the bytes as they are stored
   */
  has(sha256: string, digest: string): boolean {
    return this.#digests.get(sha256) === digest;
  }

  add(sha256: string, digest: string): void {
    if (this.#digests.size >= MOST) {
      const oldest = this.#digests.keys().next();
      if (oldest.done !== true) this.#digests.delete(oldest.value);
    }
    this.#digests.set(sha256, digest);
  }
}
