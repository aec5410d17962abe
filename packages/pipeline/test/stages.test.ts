import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CHUNK_MAX_BYTES,
  CHUNK_MAX_VERSIONS,
  FIRST_STAGE,
  STAGE_NAMES,
  STAGES,
  toChunks,
} from "../src/index.js";

describe("the map", () => {
  test("reaches every stage from the first, and none twice", () => {
    const reached: string[] = [];
    const visit = (stage: (typeof STAGE_NAMES)[number]): void => {
      reached.push(stage);
      STAGES[stage].next.forEach(visit);
    };
    visit(FIRST_STAGE);
    expect(reached.toSorted()).toEqual([...STAGE_NAMES].toSorted());
  });
});

describe("chunks", () => {
  const sizeLists = fc.array(fc.integer({ min: 0, max: 2 * CHUNK_MAX_BYTES }), { maxLength: 300 });

  test("hold everything, in order, within their limits, and no fewer than they could", () => {
    fc.assert(
      fc.property(sizeLists, (sizes) => {
        const versions = sizes.map((size, index) => ({ size, index }));
        const chunks = toChunks(versions);
        expect(chunks.flat()).toEqual(versions);
        for (const [position, chunk] of chunks.entries()) {
          const bytes = chunk.reduce((sum, { size }) => sum + size, 0);
          expect(chunk.length).toBeGreaterThan(0);
          expect(chunk.length).toBeLessThanOrEqual(CHUNK_MAX_VERSIONS);
          expect(chunk.length === 1 || bytes <= CHUNK_MAX_BYTES).toBe(true);
          const next = chunks[position + 1]?.[0];
          if (next !== undefined) {
            expect(chunk.length === CHUNK_MAX_VERSIONS || bytes + next.size > CHUNK_MAX_BYTES).toBe(
              true,
            );
          }
        }
      }),
    );
  });
});
