const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g;

/**
 * The first name in well-formed JSON that JSON.parse would silently lose or that schemas do not see: one that an object has
 * twice, or `__proto__`.
 */
export function findNameFault(
  json: string,
): { readonly name: string; readonly message: string } | undefined {
  // For each open bracket: the names of an object so far, or undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  let nameIsNext = false;
  for (const [token] of json.matchAll(TOKEN)) {
    const names = open.at(-1);
    if (token.startsWith('"')) {
      if (!nameIsNext || names === undefined) continue;
      nameIsNext = false;
      const name = JSON.parse(token) as string;
      if (names.has(name)) return { name: shorten(name), message: "is there twice in one object" };
      if (name === "__proto__") return { name, message: "cannot be used" };
      names.add(name);
    } else if (token === "{" || token === "[") {
      open.push(token === "{" ? new Set() : undefined);
      nameIsNext = token === "{";
    } else if (token === ",") {
      nameIsNext = names !== undefined;
    } else {
      open.pop();
      nameIsNext = false;
    }
  }
  return undefined;
}

function shorten(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100).toWellFormed()}…` : name.toWellFormed();
}
