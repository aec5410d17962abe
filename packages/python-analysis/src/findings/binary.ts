/** What is no script at all: it is told by how the file starts, where that is known, else by what text does not hold. */
import type { Finding } from "@sluice/contracts";
import { finding } from "./finding.js";

interface Kind {
  /** With its article. */
  readonly name: string;
  /** Bytes in Latin-1. */
  readonly magic: string;
  readonly offset?: number;
  /** Whether text may well start like this, so that the file must hold NUL, too. */
  readonly mayBeText?: true;
}

/** As the formats' own specifications have them. */
const KINDS: readonly Kind[] = [
  { name: "a PNG image", magic: "\x89PNG\r\n\x1a\n" },
  { name: "a JPEG image", magic: "\xff\xd8\xff" },
  { name: "a GIF image", magic: "GIF8" },
  { name: "a TIFF image", magic: "II*\0" },
  { name: "a TIFF image", magic: "MM\0*" },
  { name: "a BMP image", magic: "BM", mayBeText: true },
  { name: "an icon", magic: "\0\0\x01\0" },
  { name: "a RIFF file (WAV, AVI or WebP)", magic: "RIFF", mayBeText: true },
  { name: "an MP4 or HEIF file", magic: "ftyp", offset: 4, mayBeText: true },
  { name: "an MP3 file", magic: "ID3", mayBeText: true },
  { name: "an Ogg file", magic: "OggS" },
  { name: "a FLAC file", magic: "fLaC" },
  { name: "a Matroska or WebM file", magic: "\x1aE\xdf\xa3" },
  { name: "a PDF document", magic: "%PDF-" },
  { name: "an Office document of the old kind", magic: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" },
  { name: "a ZIP archive, such as a wheel or an Office document", magic: "PK\x03\x04" },
  { name: "an empty ZIP archive", magic: "PK\x05\x06" },
  { name: "a gzip file", magic: "\x1f\x8b" },
  { name: "a bzip2 file", magic: "BZh", mayBeText: true },
  { name: "an xz file", magic: "\xfd7zXZ\0" },
  { name: "a Zstandard file", magic: "(\xb5/\xfd" },
  { name: "a 7z archive", magic: "7z\xbc\xaf\x27\x1c" },
  { name: "a RAR archive", magic: "Rar!\x1a\x07" },
  { name: "a tar archive", magic: "ustar", offset: 257 },
  { name: "an ar archive, such as a Debian package", magic: "!<arch>\n" },
  { name: "an ELF program or library", magic: "\x7fELF" },
  { name: "a Windows program or library", magic: "MZ", mayBeText: true },
  { name: "a Mach-O program or library", magic: "\xcf\xfa\xed\xfe" },
  { name: "a Mach-O program or library", magic: "\xce\xfa\xed\xfe" },
  { name: "a Java class or a Mach-O program", magic: "\xca\xfe\xba\xbe" },
  { name: "a WebAssembly module", magic: "\0asm" },
  // The two bytes before them count Python's versions.
  { name: "compiled Python (.pyc)", magic: "\r\r\n", offset: 1, mayBeText: true },
  { name: "compiled Python (.pyc)", magic: "\r\n", offset: 2, mayBeText: true },
  { name: "a pickle", magic: "\x80\x04\x95" },
  { name: "a pickle", magic: "\x80\x05\x95" },
  { name: "a NumPy array", magic: "\x93NUMPY" },
  { name: "an HDF5 file", magic: "\x89HDF\r\n\x1a\n" },
  { name: "a Parquet file", magic: "PAR1" },
  { name: "an SQLite database", magic: "SQLite format 3\0" },
  { name: "text in UTF-16", magic: "\xff\xfe" },
  { name: "text in UTF-16", magic: "\xfe\xff" },
];

/** Bytes that are looked at. */
const START = 8_192;
/** Of a hundred bytes, so many that no text holds make a file none. */
const MOST_ODD = 5;

/** @param source - what is no valid script */
export function binaryFindings(source: Uint8Array): Finding[] {
  const kind = kindOf(source.subarray(0, START));
  if (kind === undefined) return [];
  return [finding("source.binary", `the file looks like ${kind}, not like a script`, null)];
}

function kindOf(start: Uint8Array): string | undefined {
  const hasNul = start.includes(0);
  const known = KINDS.find(
    ({ magic, offset = 0, mayBeText }) => (hasNul || !mayBeText) && hasAt(start, magic, offset),
  );
  if (known) return known.name;
  if (!hasNul) return undefined;
  const odd = start.reduce((count, byte) => count + (isOdd(byte) ? 1 : 0), 0);
  if (odd * 100 <= start.length * MOST_ODD) return undefined;
  return isWide(start) ? "text in UTF-16" : "a binary file";
}

function hasAt(bytes: Uint8Array, magic: string, offset: number): boolean {
  for (let i = 0; i < magic.length; i++)
    if (bytes[offset + i] !== magic.charCodeAt(i)) return false;
  return true;
}

/** Control characters but blanks, line ends, the backspace and the escape. */
function isOdd(byte: number): boolean {
  return byte < 0x20 && byte !== 0x1b && (byte < 0x08 || byte > 0x0d);
}

/** Whether every other byte is NUL, and the others hardly ever are. */
function isWide(bytes: Uint8Array): boolean {
  const nuls = [0, 0];
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) nuls[i % 2]!++;
  const [few, many] = nuls.toSorted((a, b) => a - b) as [number, number];
  return many * 2 > bytes.length * 0.9 && few * 20 < bytes.length;
}
