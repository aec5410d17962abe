import { readFileSync } from "node:fs";
import { resolveUses } from "../../src/capabilities/uses.js";
import { parseModule } from "../../src/structure/parse.js";

const LABELS = new Map(
  readFileSync(new URL("../fixtures/capabilities/harmless-modules.txt", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line): [string, ReadonlySet<string>] => {
      const [module, names] = line.split(": ");
      return [module!, new Set(names!.split(" ").filter((name) => name !== "none"))];
    }),
);

/** What a harmless module of the standard library does; `undefined` for one that is not known to be harmless. */
function labelOf(file: string): ReadonlySet<string> | undefined {
  const module = file.replace(/\.py$/, "");
  return LABELS.get(module) ?? LABELS.get(module.replace(/[^/]+$/, "*"));
}

/** Whether a file of the standard library, such as `json/decoder.py`, is one of the harmless. */
export function isHarmless(file: string): boolean {
  return labelOf(file) !== undefined;
}

/** One capability that is reported of a module and that the module has not. */
export interface FalseCapability {
  readonly file: string;
  readonly capability: string;
  /** Each place, with what is reached there: `12 os.system`. */
  readonly places: readonly string[];
}

/** What is falsely reported of a harmless module; `unresolved` counts. */
export async function falseCapabilities(file: string, text: string): Promise<FalseCapability[]> {
  const label = labelOf(file) ?? new Set();
  const parsed = await parseModule(text.replace(/\r\n?/g, "\n"));
  const places = new Map<string, string[]>();
  for (const { capability, reference, node } of resolveUses(parsed).uses) {
    if (label.has(capability)) continue;
    const place = `${parsed.position(node.startIndex).line} ${reference}`;
    places.set(capability, [...(places.get(capability) ?? []), place]);
  }
  return [...places].map(([capability, found]) => ({ file, capability, places: found }));
}

/** How many false capabilities there are to ten thousand lines. */
export function density(found: readonly FalseCapability[], lines: number): number {
  return (found.length * 10_000) / lines;
}
