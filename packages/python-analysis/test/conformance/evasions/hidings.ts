/** Ways to write a constant string. */
export const HIDINGS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => `'${text}'`,
  concatenated: (text) => `('${text.slice(0, 2)}' + '${text.slice(2)}')`,
  implicit: (text) => `('${text.slice(0, 1)}' '${text.slice(1)}')`,
  escaped: (text) => `'\\x${text.charCodeAt(0).toString(16)}${text.slice(1)}'`,
  joined: (text) => `''.join(['${[...text].join("', '")}'])`,
  reversed: (text) => `'${[...text].toReversed().join("")}'[::-1]`,
  sliced: (text) => `'__${text}__'[2:-2]`,
  formatted: (text) => `f"{'${text.slice(0, 3)}'}${text.slice(3)}"`,
  percent: (text) => `('%s%s' % ('${text.slice(0, 2)}', '${text.slice(2)}'))`,
  "str.format": (text) => `'{}${text.slice(2)}'.format('${text.slice(0, 2)}')`,
  replaced: (text) => `'${text.slice(0, 1)}#${text.slice(1)}'.replace('#', '')`,
  upper: (text) =>
    text === text.toLowerCase() ? `'${text.toUpperCase()}'.lower()` : `'${text}'.strip()`,
  chr: (text) => [...text].map((c) => `chr(${c.charCodeAt(0)})`).join(" + "),
  "map(chr)": (text) => `''.join(map(chr, [${[...text].map((c) => c.charCodeAt(0)).join(", ")}]))`,
  "chr in a comprehension": (text) =>
    `''.join(chr(c - 1) for c in [${[...text].map((c) => c.charCodeAt(0) + 1).join(", ")}])`,
  bytes: (text) => `b'${text}'.decode()`,
  "bytes of numbers": (text) =>
    `bytes([${[...text].map((c) => c.charCodeAt(0)).join(", ")}]).decode()`,
  hex: (text) => `bytes.fromhex('${Buffer.from(text).toString("hex")}').decode()`,
  base64: (text) =>
    `__import__('base64').b64decode('${Buffer.from(text).toString("base64")}').decode()`,
  rot13: (text) => `__import__('codecs').decode('${rot13(text)}', 'rot13')`,
};

function rot13(text: string): string {
  return text.replace(/[a-z]/gi, (c) =>
    String.fromCharCode(c.charCodeAt(0) + (c.toLowerCase() < "n" ? 13 : -13)),
  );
}
