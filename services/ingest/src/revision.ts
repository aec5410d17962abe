import { entityTag, tagsToMatch } from "./http/entity-tag.js";

/**
 * Entity tags that carry the revision of the user's fields before the hash of the rest, so that what
 * the pipeline writes in the meantime does not get in the way of a user's change.
 */
export function revisionTag(revision: number): (body: string) => string {
  return (body) => `"r${revision}.${entityTag(body).slice(1)}`;
}

const REVISION_TAG = /^"r(\d+)\.[\w-]{27}"$/;

/** Says whether `If-Match` names that revision. The hash after it may be an older one, but must be one. */
export function namesRevision(ifMatch: string, revision: number): boolean {
  const tags = tagsToMatch(ifMatch);
  return tags === "*" || tags.some((tag) => REVISION_TAG.exec(tag)?.[1] === String(revision));
}
