import {
  type CandidatePosition,
  type Catalog,
  findCandidates,
  newestDocument,
  readDocuments,
  type ScriptCondition,
  type SearchCandidate,
} from "@sluice/catalog";
import {
  type Found,
  keyOfSegment,
  type Pass,
  planPasses,
  SEGMENT_DOCUMENTS,
  segmentOf,
  type SearchSpec,
  type SearchThreads,
} from "@sluice/search";

export interface SearchDeps {
  readonly catalog: Catalog;
  readonly threads: SearchThreads;
}

/** Where a search goes on: in that pass, behind that candidate. */
export interface SearchPosition extends CandidatePosition {
  readonly pass: number;
}

export interface SearchHit {
  readonly script: SearchCandidate;
  readonly found: Found;
}

export interface SearchPage {
  readonly items: readonly SearchHit[];
  /** `undefined` where everything was looked at. */
  readonly next: SearchPosition | undefined;
  /** `false` where the time was over before the page was full. */
  readonly complete: boolean;
  /** Scripts that took too long to look at, and were passed over. */
  readonly passedOver: number;
}

/** How long one request looks, in milliseconds; what is not found by then is for the next. */
const TIME_MS = 1_000;
/** Segments asked for first, and how many times as many each time when there was little in them. */
const FIRST_SEGMENTS = 1;
const GROWTH = 8;
/** Candidates of one query of the catalog. */
const CANDIDATES = 2_000;
/** Looked at in one go: few at first, since a common pattern needs no more. */
const FIRST_LOOK = 32;
const LARGEST_LOOK = 512;
/** Bytes of source looked at in one go. */
const LOOK_BYTES = 4 * 1024 * 1024;

/** No script has it: all of a document's candidates are before the next document and this. */
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/**
 * Finds scripts, those that fit best first, and of these the ones with the newest content first.
 *
 * @param at - where the page before ended
 * @param timeMs - how long to look
 * @throws `ExpressionError`, `SearchBusyError`
 */
export async function searchScripts(
  deps: SearchDeps,
  spec: SearchSpec,
  {
    at,
    limit,
    timeMs = TIME_MS,
  }: { at: SearchPosition | undefined; limit: number; timeMs?: number },
): Promise<SearchPage> {
  // A query that is none is told before anything is looked for.
  await verify(deps, spec, undefined, [], { wanted: 1, timeMs });
  const search = new Search(deps, spec, limit, performance.now() + timeMs);
  const passes = planPasses(spec);
  const newest = await newestDocument(deps.catalog);
  for (let pass = at?.pass ?? 0; pass < passes.length; pass++) {
    const from = pass === at?.pass ? at : { document: newest + 1, scriptId: FIRST_ID };
    const stopped = await search.run(passes[pass]!, from);
    if (stopped !== undefined) return search.page({ pass, ...stopped });
    if (search.isOver && pass + 1 < passes.length)
      return search.page({ pass: pass + 1, document: newest + 1, scriptId: FIRST_ID });
  }
  return search.page(undefined);
}

class Search {
  readonly #items: SearchHit[] = [];
  #passedOver = 0;
  #look = FIRST_LOOK;

  constructor(
    private readonly deps: SearchDeps,
    private readonly spec: SearchSpec,
    private readonly limit: number,
    private readonly until: number,
  ) {}

  get isOver(): boolean {
    return this.#items.length >= this.limit || performance.now() >= this.until;
  }

  page(next: SearchPosition | undefined): SearchPage {
    return {
      items: this.#items,
      next,
      complete: next === undefined || this.#items.length >= this.limit,
      passedOver: this.#passedOver,
    };
  }

  /** @returns where it had to stop; `undefined` at the end of the pass */
  async run(pass: Pass, start: CandidatePosition): Promise<CandidatePosition | undefined> {
    let position = start;
    let segments = FIRST_SEGMENTS;
    while (position.document > 0) {
      const last = segmentOf(position.document);
      const first = Math.max(0, last - segments + 1);
      // So many segments are all that are left, or would be asked for one by one.
      const isRest = first === 0 && segments > GROWTH;
      const from = first * SEGMENT_DOCUMENTS;
      let found = 0;
      for (;;) {
        const candidates = await findCandidates(this.deps.catalog, {
          documents: pass.documents,
          scripts: pass.scripts,
          conditions: conditionsOf(this.spec),
          from,
          segments: isRest ? undefined : range(first, last).map(keyOfSegment),
          before: position,
          limit: CANDIDATES,
        });
        found += candidates.length;
        const stopped = await this.#lookAt(candidates, pass);
        if (stopped !== undefined) return stopped;
        if (candidates.length < CANDIDATES) break;
        position = candidates.at(-1)!;
      }
      if (first === 0) return undefined;
      position = { document: from, scriptId: FIRST_ID };
      if (this.isOver) return position;
      const perSegment = found / (last - first + 1);
      if (perSegment * segments * GROWTH <= 4 * CANDIDATES) segments *= GROWTH;
    }
    return undefined;
  }

  async #lookAt(
    candidates: readonly SearchCandidate[],
    pass: Pass,
  ): Promise<CandidatePosition | undefined> {
    let begun = 0;
    while (begun < candidates.length) {
      const part = take(candidates, begun, this.#look);
      const { found, looked, gaveUp } = await verify(this.deps, this.spec, pass.rank, part, {
        wanted: this.limit - this.#items.length,
        timeMs: Math.max(1, this.until - performance.now()),
      });
      for (const { index, found: hit } of found)
        this.#items.push({ script: part[index]!, found: hit });
      if (gaveUp) this.#passedOver++;
      begun += looked;
      const last = candidates[begun - 1];
      if (this.isOver && last !== undefined)
        return { document: last.document, scriptId: last.scriptId };
      this.#look = Math.min(LARGEST_LOOK, this.#look * 2);
    }
    return undefined;
  }
}

/** Some candidates whose sources are not too much at once; one at least. */
function take(
  candidates: readonly SearchCandidate[],
  from: number,
  count: number,
): readonly SearchCandidate[] {
  let bytes = 0;
  let to = from;
  while (to < candidates.length && to - from < count) {
    bytes += candidates[to]!.size;
    if (to > from && bytes > LOOK_BYTES) break;
    to++;
  }
  return candidates.slice(from, to);
}

async function verify(
  { catalog, threads }: SearchDeps,
  spec: SearchSpec,
  rank: Pass["rank"],
  candidates: readonly SearchCandidate[],
  { wanted, timeMs }: { wanted: number; timeMs: number },
) {
  const numbers = [...new Set(candidates.map(({ document }) => document))];
  return threads.verify({
    spec,
    rank,
    candidates: candidates.map(({ document, filename }) => ({ document, filename })),
    documents: numbers.length === 0 ? new Map() : await readDocuments(catalog, numbers),
    wanted,
    timeMs,
  });
}

function conditionsOf({ fields }: SearchSpec): ScriptCondition[] {
  return fields.flatMap(({ field, value, negated }) =>
    field === "namespace" || field === "tag" || field === "state" || field === "verdict"
      ? [{ field, value, negated }]
      : [],
  );
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
