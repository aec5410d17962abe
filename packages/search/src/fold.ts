/**
 * Upper and lower case made alike, by Unicode's simple case folding: each code point by itself, so that nothing changes its place.
 * `ß` and `SS` stay apart, as do `İ` and `i`; texts are compared code point by code point, not normalised.
 */

const FOLDED = foldedLetters();

/** @returns text of the same length, in UTF-16 units, that is equal for texts that differ in case only */
export function foldCase(text: string): string {
  const lower = text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return lower.replace(/[^\0-\x7f]/gu, (letter) => FOLDED.get(letter) ?? letter);
}

/**
 * Letters outside ASCII that fold to another one. The engine's own `iu` expressions compare by simple case folding; which letters are
 * the same is asked of them, so that no table of Unicode's has to be kept here.
 */
function foldedLetters(): ReadonlyMap<string, string> {
  const classes = new Map<string, Set<string>>();
  for (let point = 0x80; point < 0x1_ea00; point++) {
    if (point === 0xd800) point = 0xe000;
    const letter = String.fromCodePoint(point);
    const lower = letter.toLowerCase();
    const upper = letter.toUpperCase();
    if (lower === letter && upper === letter) continue;
    for (const other of [lower, upper, upper.toLowerCase(), lower.toUpperCase()])
      if (other !== letter && isSame(letter, other)) unite(classes, letter, other);
  }
  const folded = new Map<string, string>();
  for (const [letter, same] of classes) {
    // The kelvin sign and the long s fold to ASCII; lower case, as all of ASCII does here.
    const first = [...same].toSorted()[0]!.toLowerCase();
    const representative = same.has(first) ? first : [...same].toSorted()[0]!;
    if (representative !== letter) folded.set(letter, representative);
  }
  return folded;
}

function isSame(letter: string, other: string): boolean {
  return (
    other.length === letter.length &&
    [...other].length === 1 &&
    new RegExp(`^${letter}$`, "iu").test(other)
  );
}

function unite(classes: Map<string, Set<string>>, a: string, b: string): void {
  const all = new Set([...(classes.get(a) ?? [a]), ...(classes.get(b) ?? [b])]);
  for (const letter of all) classes.set(letter, all);
}
