const CJK_IDEOGRAPH = /^CJK UNIFIED IDEOGRAPH-([0-9A-F]{4,5})$/;

let names: Map<string, string> | undefined;

/** Reads the table of names, which takes a third of a second and is rarely needed. */
export async function loadCharacterNames(): Promise<void> {
  if (names) return;
  const { unicodeAliases, unicodeBaseName } = await import("unicode-name");
  const loaded = new Map<string, string>();
  const add = (from: number, to: number) => {
    for (let code = from; code <= to; code++) {
      const name = unicodeBaseName(code);
      if (name === undefined && unicodeAliases(code) === undefined) continue;
      const character = String.fromCodePoint(code);
      if (name !== undefined) loaded.set(name, character);
      for (const aliases of Object.values(unicodeAliases(code) ?? {})) {
        for (const alias of aliases) loaded.set(alias, character);
      }
    }
  };
  // Ideographs, which have their own planes, are named by rule; private use and the rest have no names.
  add(0x0000, 0x1ffff);
  add(0xe0000, 0xe01ef);
  names = loaded;
}

/**
 * The character that `\N{name}` stands for, by name or alias, in any case, as Python's `unicodedata` has them.
 * `undefined` for an unknown name, and before {@link loadCharacterNames}.
 */
export function characterNamed(name: string): string | undefined {
  const upper = name.toUpperCase();
  const ideograph = CJK_IDEOGRAPH.exec(upper);
  if (ideograph) return String.fromCodePoint(Number.parseInt(ideograph[1]!, 16));
  return names?.get(upper);
}
