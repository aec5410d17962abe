import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RequirementError } from "../../src/dependencies/requirement-scanner.js";
import { parseRequirement, parseVersionSpecifier } from "../../src/dependencies/requirement.js";
import { findBlocks } from "../../src/dependencies/script-metadata.js";
import { satisfies } from "../../src/dependencies/version.js";

interface Fixture {
  requirements: [raw: string, found: object | null][];
  /** Final releases. */
  releases: string[];
  /** The content of the one `script` block; `null` without one, `false` with more than one. */
  blocks: [text: string, content: string | false | null][];
  /** Those that satisfy the specifiers; `null` where they are refused. */
  specifiers: [raw: string, satisfied: string[] | null][];
}

/** Made by conformance/make-requirement-fixtures.py. */
const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/requirements.json", import.meta.url), "utf8"),
) as Fixture;

/** What `packaging` takes, but the specification does not. */
const isTooLenient = (raw: string) =>
  // A name ends with a letter or a digit.
  /^a_(?![a-z])/.test(raw) || raw.endsWith("===");

const orNull = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch (error) {
    if (error instanceof RequirementError) return null;
    throw error;
  }
};

test("requirements are those of the package `packaging`", () => {
  const different = fixture.requirements.flatMap(([raw, expected]) => {
    const actual = orNull(() => {
      const { name, extras, specifier, url, marker } = parseRequirement(raw);
      const specifiers = specifier === "" ? [] : [...new Set(specifier.split(","))].sort();
      return { name, extras: extras.toSorted(), specifiers, url, marker };
    });
    return JSON.stringify(actual) === JSON.stringify(expected) ? [] : [{ raw, expected, actual }];
  });
  const [lenient, others] = [true, false].map((is) =>
    different.filter(({ raw }) => isTooLenient(raw) === is),
  );
  expect(others).toEqual([]);
  expect(lenient!.every(({ expected, actual }) => expected !== null && actual === null)).toBe(true);
  // Known differences that are none any more should be known no more.
  expect(lenient!.length).toBeGreaterThan(1);
});

test("version specifiers are those of the package `packaging`", () => {
  const different = fixture.specifiers.flatMap(([raw, expected]) => {
    const actual = orNull(() => {
      const specifier = parseVersionSpecifier(raw);
      return fixture.releases.filter((release) => satisfies(release, specifier));
    });
    return JSON.stringify(actual) === JSON.stringify(expected) ? [] : [{ raw, expected, actual }];
  });
  expect(different).toEqual([]);
});

test("blocks are those of the specification's reference implementation", () => {
  const different = fixture.blocks.flatMap(([text, expected]) => {
    const [found, more] = findBlocks(text).blocks.filter(({ type }) => type === "script");
    const actual = more ? false : found ? `${found.content}\n` : null;
    return actual === expected ? [] : [{ text, expected, actual }];
  });
  expect(different).toEqual([]);
  expect(fixture.blocks.some(([, content]) => content === false)).toBe(true);
});

test("what a requirement is written as is the same requirement", () => {
  for (const [raw] of fixture.requirements) {
    const { normalised } = orNull(() => parseRequirement(raw)) ?? {};
    if (normalised !== undefined) expect(parseRequirement(normalised).normalised).toBe(normalised);
  }
});
