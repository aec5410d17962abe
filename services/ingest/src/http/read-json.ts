import { MAX_JSON_BYTES, MERGE_PATCH_TYPE } from "@sluice/contracts";
import express, { type Request, type Response } from "express";
import { findNameFault } from "./json-names.js";
import { ProblemError } from "./problem-error.js";

const readBytes = express.raw({ limit: MAX_JSON_BYTES, inflate: false, type: () => true });
/** No patch: what says how to change something is not what to put in its place. */
const JSON_TYPE = {
  pattern:
    /^application\/(?:(?!(?:merge|json)-patch\+)[\w.-]+\+)?json *(?:; *charset="?utf-8"? *)?$/i,
  called: "application/json",
  header: "Accept",
};
/** RFC 5789, 2.2: `Accept-Patch` tells which patches would have been taken. */
export const MERGE_PATCH = {
  pattern: /^application\/(?:merge-patch\+)?json *(?:; *charset="?utf-8"? *)?$/i,
  called: MERGE_PATCH_TYPE,
  header: "Accept-Patch",
};

/**
 * The body as JSON (RFC 8259), which is UTF-8, never empty, and names no member of an object twice (RFC 7493, 2.3).
 *
 * @throws {@link ProblemError}
 */
export async function readJson(
  req: Request,
  res: Response,
  type: typeof JSON_TYPE = JSON_TYPE,
): Promise<unknown> {
  if (!type.pattern.test(req.get("content-type") ?? "")) {
    throw new ProblemError("unsupported_media_type", `Send the body as ${type.called}, in UTF-8.`, {
      headers: { [type.header]: type.called },
    });
  }
  await new Promise<void>((resolve, reject) => {
    readBytes(req, res, (error?: Error) => (error === undefined ? resolve() : reject(error)));
  });
  const bytes = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    const reason = bytes.length === 0 ? "is empty" : "is not JSON in UTF-8";
    throw new ProblemError("malformed_json", `The body ${reason}.`, { cause });
  }
  const fault = findNameFault(text);
  if (fault !== undefined) {
    const { name, message } = fault;
    throw new ProblemError("invalid_body", `The name ${JSON.stringify(name)} ${message}.`, {
      errors: [{ in: "body", name, message }],
    });
  }
  return value;
}
