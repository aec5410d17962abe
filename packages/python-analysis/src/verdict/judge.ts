import { type DecodedSource, decodeSource } from "../decode.js";
import { type Budget, findBomb } from "./bombs.js";
import type { CompileVerdict, VerdictEngine } from "./types.js";

/** A script's verdict, and its text for whoever goes on with it. */
export interface Judgement {
  readonly decoded: DecodedSource;
  readonly verdict: CompileVerdict;
}

/**
 * Everything that a verdict takes. Bytes that are no text are sent to CPython, too, for its own words on them.
 *
 * @throws {@link EngineLost} as {@link VerdictEngine.compile} does
 */
export async function judge(
  source: Uint8Array,
  engine: VerdictEngine,
  budget: Budget,
): Promise<Judgement> {
  const decoded = decodeSource(source);
  const bomb = decoded.ok ? findBomb(source, budget) : undefined;
  if (!bomb) return { decoded, verdict: await engine.compile(source) };
  const { killed, message } = bomb;
  const error = { type: "MemoryError", message, line: null, column: null };
  return { decoded, verdict: { valid: false, error, killed } };
}
