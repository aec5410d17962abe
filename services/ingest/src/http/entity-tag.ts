import { createHash } from "node:crypto";

/** A strong entity tag of a body (RFC 9110, 8.8.3). */
export function entityTag(body: string): string {
  return `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;
}

const TAG = /\s*(?:,\s*)*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")\s*(?=,|$)/y;

/** The tags in `If-Match` or `If-None-Match`; `*` where any will do. What is malformed matches nothing. */
function parseTags(header: string): readonly string[] | "*" {
  if (header.trim() === "*") return "*";
  const tags: string[] = [];
  TAG.lastIndex = 0;
  for (let match = TAG.exec(header); match?.[1] !== undefined; match = TAG.exec(header))
    tags.push(match[1]);
  return tags;
}

/** `If-None-Match` compares weakly (RFC 9110, 13.1.2): says whether the client has this already. */
export function isKnown(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = parseTags(ifNoneMatch);
  return tags === "*" || tags.some((known) => known.replace(/^W\//, "") === tag);
}

/** `If-Match` compares strongly (RFC 9110, 13.1.1): the tags that it names, or `*`. */
export function tagsToMatch(ifMatch: string): readonly string[] | "*" {
  const tags = parseTags(ifMatch);
  return tags === "*" ? tags : tags.filter((tag) => !tag.startsWith("W/"));
}
