import { type Catalog, readEffectivePolicy } from "@sluice/catalog";
import type { Policy } from "@sluice/python-analysis";

const MOST_KEPT = 200;

/** The policies that results are by, each read once. */
export class EffectivePolicies {
  readonly #catalog: Catalog;
  readonly #kept = new Map<string, Policy>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /**
   * @param version - as a version of a script bears it since it was settled
   * @returns `undefined` where no policy that was ever in force had that version
   */
  async read(version: string): Promise<Policy | undefined> {
    const kept = this.#kept.get(version);
    if (kept !== undefined) return kept;
    const policy = (await readEffectivePolicy(this.#catalog, version)) as Policy | undefined;
    if (policy === undefined) return undefined;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size >= MOST_KEPT) this.#kept.delete(oldest);
    this.#kept.set(version, policy);
    return policy;
  }
}
