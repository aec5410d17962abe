import { readFileSync } from "node:fs";

const FIXTURE = new URL("../fixtures/stdlib-names.json", import.meta.url);

/** A module of the standard library → its public names → the public methods of a class. */
export type StdlibNames = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** What `npm run fixtures:stdlib` wrote down; constants are left out, but for functions and classes that are named alike. */
export function stdlibNames(): StdlibNames {
  const fixture = JSON.parse(readFileSync(FIXTURE, "utf8")) as Record<string, string>;
  return new Map(
    Object.entries(fixture).map(([module, names]) => [
      module,
      new Map(
        [...names.matchAll(/([^ (]+)(?:\(([^)]*)\))?/g)].map(([, name, members]) => [
          name!,
          members?.split(" ") ?? [],
        ]),
      ),
    ]),
  );
}
