import { type Catalog, readPolicyId, readPolicyInForce } from "@sluice/catalog";
import { parsePolicyDocument, type PolicyDocument } from "@sluice/python-analysis";

/** The policy that is in force, and its id in the catalog. */
export interface InForce {
  readonly id: number;
  readonly document: PolicyDocument;
}

/** How long an answer is good for, in milliseconds; whoever settles by an older one is told so by the catalog. */
const FRESH_MS = 1_000;

/** Asks the catalog which policy is in force: a query by index, shared by all who ask within a second. */
export class PolicyInForce {
  readonly #catalog: Catalog;
  #known: InForce | undefined;
  #asked: { readonly at: number; readonly answer: Promise<InForce> } | undefined;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** @throws where the catalog does not answer, or has no policy yet */
  current(): Promise<InForce> {
    const now = performance.now();
    if (this.#asked === undefined || now - this.#asked.at > FRESH_MS) {
      const answer = this.#read();
      this.#asked = { at: now, answer };
      answer.catch(() => (this.#asked = undefined));
    }
    return this.#asked.answer;
  }

  async #read(): Promise<InForce> {
    if (this.#known !== undefined && this.#known.id === (await readPolicyId(this.#catalog)))
      return this.#known;
    const stored = await readPolicyInForce(this.#catalog);
    if (stored === undefined) throw new Error("there is no policy in the catalog yet");
    this.#known = { id: stored.id, document: parsePolicyDocument(stored.source) };
    return this.#known;
  }
}
