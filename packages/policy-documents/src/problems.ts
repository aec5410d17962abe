import type { z } from "zod";
import type { Place, WrittenContent } from "./content.js";

/** One mistake in a policy. */
export interface PolicyProblem extends Partial<Place> {
  /** Where it is, such as `imports.allowed[2]`; empty for the document as a whole. */
  readonly path: string;
  readonly message: string;
}

/** A policy that cannot be used, with every mistake in it. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";

  constructor(readonly problems: readonly PolicyProblem[]) {
    super(
      problems
        .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
        .join("\n"),
    );
  }
}

/** Whatever a schema has no words of its own for is said without those of the library. */
export const PARSING = { reportInput: true, error: messageOf } as const;

const KINDS: Readonly<Record<string, string>> = {
  object: "a mapping",
  array: "a list",
  string: "text",
  boolean: "true or false",
};

function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") {
    const kind = KINDS[issue.expected] ?? issue.expected;
    return issue.input === null
      ? `must be ${kind}, and is empty; leave it out if it says nothing`
      : `must be ${kind}`;
  }
  if (issue.code === "invalid_value") return `must be one of ${issue.values.join(", ")}`;
  if (issue.code === "too_big") return `may be ${String(issue.maximum)} long at most`;
  return undefined;
}

/**
 * What a schema found wrong, where it stands in the document.
 *
 * @param outer - the path of what was parsed
 * @param settingsAt - what there is to set in the mapping at a path (below `outer`); `undefined` where it is not worth listing
 */
export function problemsOf(
  issue: z.core.$ZodIssue,
  {
    written,
    outer = [],
    settingsAt,
  }: {
    readonly written: WrittenContent;
    readonly outer?: readonly PropertyKey[];
    readonly settingsAt: (path: readonly PropertyKey[]) => readonly string[] | undefined;
  },
): PolicyProblem[] {
  const path = [...outer, ...issue.path];
  if (issue.code !== "unrecognized_keys")
    return [{ path: pathText(path), message: issue.message, ...written.placeOf(path) }];
  const settings = settingsAt(issue.path);
  const known = settings ? `; there are ${settings.join(", ")}` : "";
  return issue.keys.map((key) => ({
    path: pathText([...path, key]),
    message: `is no setting of a policy${known}`,
    ...written.placeOfKey([...path, key]),
  }));
}

export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}
