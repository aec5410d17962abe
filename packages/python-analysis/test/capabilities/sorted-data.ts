/** The form in which data/capabilities.json is kept, so that each fact has one place: `sort-data.ts` writes it, a test holds it. */

type Table = Record<string, string>;
type Lists = Record<string, string[]>;

export interface CapabilityData {
  readonly capabilities: Table;
  readonly stdlib: Lists;
  readonly members: Record<string, Table>;
  readonly "any-attribute": Table;
  readonly methods: Record<string, Table>;
  readonly properties: Record<string, Table>;
  readonly returns: Record<string, Table>;
  readonly aliases: Table;
  readonly reexported: string;
  readonly "on-import": Table;
  readonly pypi: Lists;
}

/**
 * The same facts in order: keys and the names in them by code point, one key for all names of one module that share a value,
 * what is harmless last, capabilities in the order in which the taxonomy has them. A module's own list is what its tables add up
 * to, where it has any.
 */
export function sortedData(data: CapabilityData): CapabilityData {
  const order = Object.keys(data.capabilities);
  const byOrder = (a: string, b: string): number =>
    order.indexOf(capabilityOf(a)) - order.indexOf(capabilityOf(b));
  const grants = (text: string): string => words(text).toSorted(byOrder).join(" ");
  const table = (entries: Table): Table => {
    const namesOf = new Map<string, Set<string>>();
    for (const [names, value] of Object.entries(entries)) {
      const known = namesOf.get(grants(value)) ?? new Set();
      namesOf.set(grants(value), known);
      for (const name of words(names)) known.add(name);
    }
    return Object.fromEntries(
      [...namesOf]
        .toSorted(([a], [b]) => (a === "" ? 1 : b === "" ? -1 : compare(a, b)))
        .map(([value, names]) => [[...names].toSorted(compare).join(" "), value]),
    );
  };
  const tables = (entries: Record<string, Table>): Record<string, Table> =>
    sortedKeys(entries, table);
  const types = (entries: Record<string, Table>): Record<string, Table> =>
    sortedKeys(entries, (value) =>
      sortedKeys(value, (names) => words(names).toSorted(compare).join(" ")),
    );
  const members = tables(data.members);
  const lists = (entries: Lists): Lists =>
    sortedKeys(entries, (list, module) =>
      [...(capabilitiesIn(members, module) ?? new Set(list))].toSorted(byOrder),
    );
  return {
    capabilities: data.capabilities,
    stdlib: lists(data.stdlib),
    members,
    "any-attribute": data["any-attribute"],
    methods: tables(data.methods),
    properties: types(data.properties),
    returns: types(data.returns),
    aliases: sortedKeys(data.aliases, (target) => target),
    reexported: words(data.reexported).toSorted(compare).join(" "),
    "on-import": sortedKeys(data["on-import"], grants),
    pypi: lists(data.pypi),
  };
}

/** What the tables of a module and of what is in it give; `undefined` where it has none. */
function capabilitiesIn(
  members: Record<string, Table>,
  module: string,
): ReadonlySet<string> | undefined {
  const found = new Set<string>();
  let has = false;
  for (const [owners, entries] of Object.entries(members)) {
    if (!words(owners).some((owner) => owner === module || owner.startsWith(`${module}.`)))
      continue;
    has = true;
    for (const value of Object.values(entries)) {
      for (const word of words(value)) {
        for (const name of word.replace(/\??(?:\(.*\))?$/, "").split("|")) found.add(name);
      }
    }
  }
  return has ? found : undefined;
}

function capabilityOf(grant: string): string {
  return /^[a-z.]+/.exec(grant)?.[0] ?? grant;
}

function sortedKeys<T>(
  entries: Record<string, T>,
  value: (old: T, key: string) => T,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(entries)
      .map(([key, old]): [string, T] => [words(key).toSorted(compare).join(" "), value(old, key)])
      .toSorted(([a], [b]) => compare(a, b)),
  );
}

function words(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
