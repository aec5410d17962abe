/**
 * What becomes of the name that a file was uploaded under. The result is shown, is what versions of a
 * script have in common, and is what a download is saved under. It is never part of a path here.
 */

/** RFC 7578 gives a base name only; what is before the last separator of any system is dropped. */
const SEPARATOR = /[/\\]/;

/**
 * Control, format (bidi, zero-width, tags) and line-separating characters, lone surrogates,
 * noncharacters, and letters that are drawn as nothing (Hangul fillers, Braille blank).
 */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/gu;

/** Names that Windows gives to devices, whatever follows the first dot. */
const DEVICE = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)/iu;

const EXTENSION = /\.[A-Za-z0-9]{1,16}$/;
const PYTHON_EXTENSION = /\.pyw?$/i;

const MAX_BYTES = 255;
const NAMELESS = "script";

/**
 * Makes a file name safe to show and to save under: one segment, NFC, at most 255 bytes of UTF-8 with
 * its extension kept, nothing invisible in it, no device's name, never empty. Doing it twice changes
 * nothing.
 */
export function sanitiseFilename(name: string): string {
  const { stem, extension } = split(clean(name));
  const safe = stem === "" ? NAMELESS : DEVICE.test(stem + extension) ? `_${stem}` : stem;
  const shortened = truncate(safe, MAX_BYTES - Buffer.byteLength(extension));
  // Only a name without an extension can have been cut so that it ends in one of these.
  return extension === "" ? trimEnd(shortened) : shortened + extension;
}

/** Says whether a file of that name is taken for Python: `.py` or `.pyw`, in any case. */
export function isPythonFilename(name: string): boolean {
  return PYTHON_EXTENSION.test(clean(name));
}

const MAX_ORIGINAL_LENGTH = 1_000;

/**
 * The name as it was sent, as far as the catalog can hold it: no NUL, which PostgreSQL has no place
 * for, no lone surrogates, at most 1,000 UTF-16 units.
 */
export function originalFilename(name: string): string {
  const whole = name.replace(/[\0\p{Cs}]/gu, "\ufffd");
  return whole.length <= MAX_ORIGINAL_LENGTH
    ? whole
    : whole.slice(0, MAX_ORIGINAL_LENGTH).replace(/\p{Cs}$/u, "");
}

function clean(name: string): string {
  const segment = name.split(SEPARATOR).at(-1) ?? "";
  return trimEnd(segment.replace(UNSEEN, "").normalize("NFC"));
}

/** Windows drops dots and blanks at the end; a file that it cannot tell from another is a trap. */
function trimEnd(name: string): string {
  return name.replace(/[\s.]+$/u, "");
}

function split(name: string): { stem: string; extension: string } {
  const extension = EXTENSION.exec(name)?.[0] ?? "";
  const stem = name.slice(0, name.length - extension.length).replace(/^[\s.]+/u, "");
  return { stem, extension };
}

/** Cuts between code points. */
function truncate(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  let kept = "";
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept;
}
