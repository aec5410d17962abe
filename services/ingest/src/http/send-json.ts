import type { Request, Response } from "express";
import { entityTag, isKnown } from "./entity-tag.js";

/** Sends JSON with its entity tag, or 304 where the client has it already. */
export function sendTagged(
  req: Request,
  res: Response,
  body: unknown,
  options: { type?: string; tag?: (text: string) => string } = {},
): void {
  sendTaggedText(req, res, JSON.stringify(body), { type: "application/json", ...options });
}

/** Sends text of any type as {@link sendTagged} sends JSON. */
export function sendTaggedText(
  req: Request,
  res: Response,
  text: string,
  { type, tag = entityTag }: { type: string; tag?: (text: string) => string },
): void {
  const etag = tag(text);
  res.set("ETag", etag).set("Cache-Control", "private, no-cache");
  if (isKnown(req.get("if-none-match"), etag)) {
    res.status(304).end();
    return;
  }
  res.set("Content-Type", type).send(Buffer.from(text));
}
