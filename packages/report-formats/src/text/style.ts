import { createColors } from "picocolors";

/** How parts of the text are told apart. */
export type Style = ReturnType<typeof createColors>;

/** @param colour - whether the reader shows ANSI colours */
export function createStyle(colour: boolean): Style {
  return createColors(colour);
}
