import { MAX_JSON_BYTES } from "@sluice/contracts";
import express, { type Request, type Response } from "express";
import { ProblemError } from "./problem-error.js";

const readBytes = express.raw({ limit: MAX_JSON_BYTES, inflate: false, type: () => true });
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json *(?:; *charset="?utf-8"? *)?$/i;

/** The body as JSON (RFC 8259), which is UTF-8 and never empty. @throws {@link ProblemError} */
export async function readJson(req: Request, res: Response): Promise<unknown> {
  if (!JSON_TYPE.test(req.get("content-type") ?? "")) {
    throw new ProblemError(
      "unsupported_media_type",
      "Send the body as application/json, in UTF-8.",
      {
        headers: { Accept: "application/json" },
      },
    );
  }
  await new Promise<void>((resolve, reject) => {
    readBytes(req, res, (error?: Error) => (error === undefined ? resolve() : reject(error)));
  });
  const bytes = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    const reason = bytes.length === 0 ? "is empty" : "is not JSON in UTF-8";
    throw new ProblemError("malformed_json", `The body ${reason}.`, { cause });
  }
}
