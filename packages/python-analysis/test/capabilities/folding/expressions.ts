import fc from "fast-check";

/** Python expressions that are constant, by what they give. */
interface Expressions {
  text: string;
  bytes: string;
  integer: string;
  texts: string;
  integers: string;
}

const quote = (text: string) =>
  `'${text.replace(/[\\'\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}'`;
const WORDS = [
  "",
  "a",
  "sys",
  "tem",
  "OS",
  "x y",
  "a-b_c",
  " pad ",
  "%s{}",
  "é😀",
  "aXbXc",
  "0x1f",
  "42",
  "it's",
  "\t\n",
  "flfgrz",
];
const word = fc.constantFrom(...WORDS).map(quote);
const small = fc.integer({ min: -5, max: 12 }).map(String);
const index = fc.option(fc.integer({ min: -6, max: 6 }), { nil: "" }).map(String);
const step = fc.constantFrom("", ":", ":1", ":2", ":-1", ":-2", ":3");

/** Expressions of every kind that is folded, in each other. Some raise. */
export const expressions = fc.letrec<Expressions>((tie) => {
  const { text, bytes, integer, texts, integers } = {
    text: tie("text") as fc.Arbitrary<string>,
    bytes: tie("bytes") as fc.Arbitrary<string>,
    integer: tie("integer") as fc.Arbitrary<string>,
    texts: tie("texts") as fc.Arbitrary<string>,
    integers: tie("integers") as fc.Arbitrary<string>,
  };
  const made = (parts: readonly fc.Arbitrary<string>[], make: (...parts: string[]) => string) =>
    fc.tuple(...parts).map((all) => make(...all));
  const method = (...names: string[]) => fc.constantFrom(...names);
  return {
    text: fc.oneof(
      { maxDepth: 4 },
      word,
      word,
      made(
        [
          fc.constantFrom(
            "\\x73\\u0079s",
            "\\163y",
            "\\N{LATIN SMALL LETTER S}",
            "\\q\\\\",
            "a\\\nb",
          ),
        ],
        (t) => `'${t}'`,
      ),
      made([text, text], (a, b) => `(${a} + ${b})`),
      made([word, word], (a, b) => `(${a} ${b})`),
      made([text, small], (a, n) => `(${a} * ${n})`),
      made([text, index, index, step], (t, i, j, s) => `${t}[${i}:${j}${s}]`),
      made([text, small], (t, i) => `${t}[${i}]`),
      made([text, texts], (t, l) => `${t}.join(${l})`),
      made(
        [
          text,
          method(
            "upper",
            "lower",
            "swapcase",
            "title",
            "capitalize",
            "casefold",
            "strip",
            "lstrip",
            "rstrip",
          ),
        ],
        (t, m) => `${t}.${m}()`,
      ),
      made(
        [text, text, method("strip", "lstrip", "rstrip", "removeprefix", "removesuffix")],
        (t, c, m) => `${t}.${m}(${c})`,
      ),
      made([text, text, text], (t, a, b) => `${t}.replace(${a}, ${b})`),
      made([text, word, small], (t, a, n) => `${t}.replace(${a}, 'Q', ${n})`),
      made(
        [text, small, method("zfill", "ljust", "rjust", "center")],
        (t, n, m) => `${t}.${m}(${n})`,
      ),
      made(
        [text, word, fc.constantFrom("0", "1", "2", "-1"), method("partition", "rpartition")],
        (t, s, i, m) => `${t}.${m}(${s})[${i}]`,
      ),
      made([text, text, small], (t, s, i) => `${t}.split(${s})[${i}]`),
      made([text, word, method("split", "rsplit")], (t, s, m) => `'|'.join(${t}.${m}(${s}, 1))`),
      made([text], (t) => `'|'.join(${t}.split())`),
      made([integer], (n) => `chr(${n} % 1000)`),
      made(
        [fc.constantFrom("%s", "%r", "<%5s>", "<%-5s>", "%.2s", "%%%s", "%a"), text],
        (f, t) => `('${f}' % (${t},))`,
      ),
      made(
        [
          fc.constantFrom(
            "%d",
            "%05d",
            "%x",
            "%#X",
            "%+d",
            "%c",
            "%o",
            "%-4d|",
            "% d",
            "%s",
            "%i",
            "%3c",
          ),
          integer,
        ],
        (f, n) => `('${f}' % ${n})`,
      ),
      made([word, word], (a, b) => `('%(a)s%(b)s' % {'a': ${a}, 'b': ${b}})`),
      made([text, text], (a, b) => `'{}-{}'.format(${a}, ${b})`),
      made([text, text], (a, b) => `'{1}{0}{{}}'.format(${a}, ${b})`),
      made([text, integer], (a, b) => `'{a!r:>8}{b:04x}'.format(a=${a}, b=${b})`),
      made([texts], (l) => `'{0[1]}{0[0]}'.format(${l})`),
      made(
        [
          text,
          fc.constantFrom(
            "",
            "!r",
            "!s",
            ":>9",
            ":<9",
            ":^9",
            ":*^9",
            ":.3",
            "!r:10.4",
            ":{5+1}",
            ":09",
          ),
        ],
        (t, f) => `(lambda s: f"a{s${f}}z")(${t})`,
      ),
      made(
        [
          integer,
          fc.constantFrom(
            "d",
            "x",
            "#x",
            "b",
            "o",
            "08b",
            ">6",
            "+",
            "c",
            "^7d",
            "X",
            "=+8d",
            "s",
            ",",
          ),
        ],
        (n, f) => `format(${n}, '${f}')`,
      ),
      made([bytes], (b) => `${b}.decode()`),
      made([bytes], (b) => `${b}.decode('latin-1')`),
      made([bytes], (b) => `${b}.hex()`),
      made(
        [
          bytes,
          fc.constantFrom("utf8", "ascii", "L1", "utf-16", "utf-16-le", "cp1252", "unicode_escape"),
        ],
        (b, e) => `str(${b}, '${e}')`,
      ),
      made([text], (t) => `codecs.decode(${t}, 'rot13')`),
      made([text], (t) => `codecs.encode(${t}, 'rot_13')`),
      made([text, word, word], (t, a, b) => `${t}.translate(str.maketrans(${a}, ${b}))`),
      made([text], (t) => `${t}.translate({97: 'Z', 115: None, 120: 121})`),
      made([text], (t) => `''.join(reversed(${t}))`),
      made([text], (t) => `''.join(sorted(${t}))`),
      made([text, small], (t, n) => `''.join(chr(ord(c) ^ ${n}) for c in ${t})`),
      made([integers], (l) => `''.join(map(chr, ${l}))`),
      made([texts], (l) => `''.join(x for i, x in enumerate(${l}) if i != 1)`),
      made([texts, texts], (a, b) => `''.join(p + q for p, q in zip(${a}, ${b}))`),
      made([texts], (l) => `''.join(filter(None, ${l}))`),
      made([text, text, integer], (a, b, n) => `(${a} if ${n} > 3 else ${b})`),
      made([text, text], (a, b) => `(${a} or ${b})`),
      made([text, text], (a, b) => `(w := ${a}) + ${b} + w`),
      made([word, text, text], (k, a, b) => `{${k}: ${a}, 'k': ${b}}.get(${k}, 'd')`),
      made([text, text], (a, b) => `''.join({'a': ${a}, 'b': ${b}}.values())`),
      made([text, text], (a, b) => `(lambda p, q='!': p + q + ${b})(${a})`),
      made([integer], (n) => `hex(${n}) + oct(${n}) + bin(${n})`),
      made([texts], (l) => `functools.reduce(lambda a, b: a + b, ${l})`),
      made([texts], (l) => `str(${l})`),
      made([text], (t) => `repr(${t})`),
      made([text], (t) => `re.sub('[aeiou]+', '.', ${t})`),
      made([text], (t) => `str.upper(${t}).__add__(${t})`),
    ),
    bytes: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(
        "b'sys'",
        "b'\\x00\\xff\\101'",
        "rb'\\x41'",
        "b'c3lzdGVt'",
        "b''",
        "b'=?\\n'",
      ),
      made(
        [text, fc.constantFrom("", "'utf8'", "'latin-1'", "'utf-16'", "'ascii'", "'utf-16-be'")],
        (t, e) => `${t}.encode(${e})`,
      ),
      made([integers], (l) => `bytes(${l})`),
      made([integers], (l) => `bytes(n & 255 for n in ${l})`),
      made([integers], (l) => `bytes(bytearray(n % 256 for n in ${l}))`),
      made([bytes, bytes], (a, b) => `(${a} + ${b})`),
      made([bytes, index, index, step], (t, i, j, s) => `${t}[${i}:${j}${s}]`),
      made([bytes], (b) => `base64.b64decode(base64.b64encode(${b}))`),
      made([bytes], (b) => `base64.b64decode(${b})`),
      made([bytes], (b) => `bytes.fromhex(${b}.hex())`),
      made([bytes], (b) => `binascii.unhexlify(binascii.hexlify(${b}))`),
      made([bytes], (b) => `binascii.a2b_base64(${b} + b'==')`),
      made([bytes], (b) => `base64.b16decode(base64.b16encode(${b}))`),
      made([bytes, small], (b, n) => `bytes((c ^ ${n}) & 0xff for c in ${b})`),
      made([bytes], (b) => `codecs.decode(codecs.encode(${b}, 'hex'), 'hex')`),
      made([bytes, bytes], (a, b) => `bytes(x ^ y for x, y in zip(${a}, itertools.cycle(${b})))`),
      made([bytes, bytes], (a, b) => `${a}.replace(${b}, b'-')`),
      made([fc.constantFrom("b'%s!'", "b'%5b'"), bytes], (f, b) => `${f} % ${b}`),
      made([integer], (n) => `(${n} & 0xffff).to_bytes(4, 'big')`),
    ),
    integer: fc.oneof(
      { maxDepth: 3 },
      small,
      fc.constantFrom("0x73", "0b101", "0o17", "1_000", "True", "115"),
      made([text], (t) => `len(${t})`),
      made([word], (t) => `ord(${t})`),
      made(
        [integer, fc.constantFrom("+", "-", "*", "//", "%", "^", "|", "&", ">>"), integer],
        (a, o, b) => `(${a} ${o} ${b})`,
      ),
      made([integer], (n) => `(-${n})`),
      made([integer], (n) => `(~${n})`),
      made(
        [
          fc.constantFrom("'73'", "'0x73'", "'0b11'", "' 12 '", "'zz'", "'1_0'", "'-7'"),
          fc.constantFrom("16", "0", "10", "36", "2"),
        ],
        (t, b) => `int(${t}, ${b})`,
      ),
      made([text, word, method("find", "rfind", "count", "index")], (t, w, m) => `${t}.${m}(${w})`),
      made([integers], (l) => `sum(${l})`),
      made([integers], (l) => `max(${l})`),
      made([bytes], (b) => `int.from_bytes(${b}, 'little')`),
    ),
    texts: fc.oneof(
      { maxDepth: 3 },
      made([fc.array(word, { maxLength: 4 }).map((all) => all.join(", "))], (l) => `[${l}]`),
      made([text, text], (a, b) => `(${a}, ${b})`),
      made([texts, fc.constantFrom("[::-1]", "[1:]", "[:2]")], (l, s) => `list(${l})${s}`),
      made([texts], (l) => `[x.upper() for x in ${l}]`),
      made([texts], (l) => `[*${l}, 'z']`),
      made([texts], (l) => `sorted(${l}, key=len, reverse=True)`),
      made([text], (t) => `${t}.split('X')`),
      made([texts, texts], (a, b) => `list(itertools.chain(${a}, ${b}))`),
    ),
    integers: fc.oneof(
      { maxDepth: 3 },
      made([fc.array(integer, { maxLength: 4 }).map((all) => all.join(", "))], (l) => `[${l}]`),
      made([small, small], (a, b) => `range(${a}, ${b}, 2)`),
      made([text], (t) => `[ord(c) for c in ${t}]`),
      made([bytes], (b) => `list(${b})`),
      made([integers], (l) => `[n + 90 for n in ${l}]`),
    ),
  };
});
