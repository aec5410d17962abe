import { createHash } from "node:crypto";

/** A version that somebody gave to some content, and a hash of that content. */
export function versionOf(version: string, content: unknown): string {
  const hash = createHash("sha256").update(canonicalJson(content)).digest("hex");
  return `${version}+${hash.slice(0, 12)}`;
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
