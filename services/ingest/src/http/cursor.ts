import { createHash } from "node:crypto";
import { z } from "zod";
import { ProblemError } from "./problem-error.js";

const SHAPE = z.strictObject({ at: z.unknown(), of: z.string() });

/**
 * A place in a list, for the client to hand back. It names the filters and the order that it belongs
 * to by their hash, and hides nothing: it is not signed, so what comes back is checked like any input.
 */
export function encodeCursor(position: unknown, query: object): string {
  return Buffer.from(JSON.stringify({ at: position, of: hashOf(query) })).toString("base64url");
}

/**
 * @param query - the filters and the order, without the cursor and the limit
 * @throws {@link ProblemError} `invalid_cursor`
 */
export function decodeCursor<Position>(
  cursor: string,
  query: object,
  position: z.ZodType<Position>,
): Position {
  const shape = SHAPE.safeParse(parse(cursor));
  if (!shape.success) throw invalid("This is no cursor of Sluice's.");
  if (shape.data.of !== hashOf(query)) {
    throw invalid(
      "The cursor was given for other filters or another order. Start again without it.",
    );
  }
  const parsed = position.safeParse(shape.data.at);
  if (!parsed.success) throw invalid("This is no cursor of Sluice's.");
  return parsed.data;
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return undefined;
  }
}

function hashOf(query: object): string {
  const sorted = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("base64url").slice(0, 11);
}

function invalid(detail: string): ProblemError {
  return new ProblemError("invalid_cursor", detail);
}
