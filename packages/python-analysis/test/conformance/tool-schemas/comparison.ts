import { isDeepStrictEqual } from "node:util";
import type { ToolDescription, ToolProfile } from "@sluice/contracts";
import { cleanDocstring } from "../../../src/docstring/clean.js";

/** What a reference made of a function: a tool, or the name of what it raised. */
export type Answer =
  | { readonly error: string }
  | { readonly error?: never; readonly name: string; readonly description?: string };

/** With the order of `properties` made part of what is compared. */
export function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const isMap = key === "properties" && typeof inner === "object" && inner !== null;
      return [
        key,
        isMap ? Object.entries(inner).map(([name, each]) => [name, ordered(each)]) : ordered(inner),
      ];
    }),
  );
}

/**
 * The tool to expect. The SDK shows a docstring as it is compiled: with its indentation before Python 3.13, without since. This
 * reader always shows it without.
 */
export function expectedTool(
  answer: Exclude<Answer, { readonly error: string }>,
  profile: ToolProfile,
): unknown {
  return profile === "mcp"
    ? { ...answer, description: cleanDocstring(answer.description ?? "") }
    : answer;
}

/** Whether a description says what the reference answers, down to the order of properties. */
export function agrees(answer: Answer, found: ToolDescription, profile: ToolProfile): boolean {
  if (answer.error !== undefined) return found.tool === null;
  return isDeepStrictEqual(ordered(found.tool), ordered(expectedTool(answer, profile)));
}
