/** The encodings of source that are accepted, found as Python's `encodings` finds a codec. */
import { readFileSync } from "node:fs";

/** An encoding with a character for each byte, or none; those below 80 are ASCII's. */
export interface SingleByteCodec {
  /** `iso-8859-1`, or Python's name for its codec. */
  readonly name: string;
  /** The characters of the bytes 80 to FF. */
  readonly upperHalf: readonly (string | undefined)[];
}

export type Codec = "utf-8" | "ascii" | SingleByteCodec;

interface CodecNames {
  /** The names of the modules of `encodings`. */
  readonly modules: ReadonlyMap<string, Codec>;
  /** As `encodings.aliases` has them. */
  readonly aliases: ReadonlyMap<string, Codec>;
}

const LATIN_1: SingleByteCodec = { name: "iso-8859-1", upperHalf: readRuns("80-ff") };

const COMMON: CodecNames = {
  modules: new Map<string, Codec>([
    ["utf_8", "utf-8"],
    ["ascii", "ascii"],
    ["latin_1", LATIN_1],
    ["iso8859_1", LATIN_1],
  ]),
  aliases: new Map<string, Codec>([
    ...named("utf-8", "cp65001 u8 utf utf8 utf8_ucs2 utf8_ucs4"),
    ...named(
      "ascii",
      "646 ansi_x3.4_1968 ansi_x3.4_1986 ansi_x3_4_1968 cp367 csascii ibm367 iso646_us iso_646.irv_1991 iso_ir_6 us us_ascii",
    ),
    ...named(
      LATIN_1,
      "8859 cp819 csisolatin1 ibm819 iso8859 iso8859_1 iso_8859_1 iso_8859_1_1987 iso_ir_100 l1 latin latin1",
    ),
  ]),
};

let others: CodecNames | undefined;

/**
 * Finds what a declared encoding means.
 *
 * @returns `undefined` for what Python does not know or Sluice does not accept
 */
export function findCodec(declared: string): Codec | undefined {
  const name = declared
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, "_")
    .replace(/^_|_$/g, "");
  return search(COMMON, name) ?? search((others ??= readOthers()), name);
}

/** As `encodings.search_function` does. */
function search({ modules, aliases }: CodecNames, name: string): Codec | undefined {
  return aliases.get(name) ?? aliases.get(name.replaceAll(".", "_")) ?? modules.get(name);
}

function named(codec: Codec, names: string): [string, Codec][] {
  return names.split(" ").map((name) => [name, codec]);
}

function readOthers(): CodecNames {
  const file = new URL("../data/single-byte-encodings.json", import.meta.url);
  const data = JSON.parse(readFileSync(file, "utf8")) as Record<
    string,
    { readonly aliases: readonly string[]; readonly upper_half: string }
  >;
  const modules = new Map<string, Codec>();
  const aliases = new Map<string, Codec>();
  for (const [name, entry] of Object.entries(data)) {
    const codec = { name, upperHalf: readRuns(entry.upper_half) };
    modules.set(name, codec);
    for (const alias of entry.aliases) aliases.set(alias, codec);
  }
  return { modules, aliases };
}

/** Reads code points such as `20ac . 201a a0-ff`. */
function readRuns(runs: string): (string | undefined)[] {
  return runs.split(" ").flatMap((run) => {
    if (run === ".") return [undefined];
    const [first, last = first] = run.split("-").map((point) => Number.parseInt(point, 16)) as [
      number,
      number?,
    ];
    return Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i));
  });
}
