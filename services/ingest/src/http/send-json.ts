import type { Request, Response } from "express";
import { entityTag, isKnown } from "./entity-tag.js";

/** Sends JSON with its entity tag, or 304 where the client has it already. */
export function sendTagged(
  req: Request,
  res: Response,
  body: unknown,
  { type = "application/json", tag }: { type?: string; tag?: (text: string) => string } = {},
): void {
  const text = JSON.stringify(body);
  const etag = (tag ?? entityTag)(text);
  res.set("ETag", etag).set("Cache-Control", "private, no-cache");
  if (isKnown(req.get("if-none-match"), etag)) {
    res.status(304).end();
    return;
  }
  res.set("Content-Type", type).send(Buffer.from(text));
}
