import { MAX_JSON_BYTES } from "@sluice/contracts";
import { PolicyError } from "@sluice/policy-documents";
import express, { type Request, type Response } from "express";
import { ProblemError } from "./problem-error.js";

const readBytes = express.raw({ limit: MAX_JSON_BYTES, inflate: false, type: () => true });
/** RFC 9512, what was usual before it, and JSON. */
const TYPES = /^(?:application\/(?:yaml|x-yaml|json)|text\/yaml) *(?:; *charset="?utf-8"? *)?$/i;
const MOST_ERRORS = 50;

/**
 * The body as a policy of whatever kind, with its text.
 *
 * @param parse - throws `PolicyError`
 * @throws {@link ProblemError} that names every mistake
 */
export async function readPolicyBody<Policy>(
  req: Request,
  res: Response,
  parse: (text: string) => Policy,
): Promise<{ readonly document: Policy; readonly source: string }> {
  if (!TYPES.test(req.get("content-type") ?? "")) {
    throw new ProblemError(
      "unsupported_media_type",
      "Send the policy as application/yaml or application/json, in UTF-8.",
      { headers: { Accept: "application/yaml, application/json" } },
    );
  }
  await new Promise<void>((resolve, reject) => {
    readBytes(req, res, (error?: Error) => (error === undefined ? resolve() : reject(error)));
  });
  const source = toText(Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0));
  try {
    return { document: parse(source), source };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const { problems } = error;
    const errors = problems.slice(0, MOST_ERRORS).map(({ path, message, ...place }) => ({
      in: "body" as const,
      name: path,
      message,
      ...place,
    }));
    throw new ProblemError(
      "invalid_policy",
      `The policy has ${problems.length} ${problems.length === 1 ? "mistake" : "mistakes"}: ${errors
        .slice(0, 3)
        .map(({ name, message }) => (name === "" ? message : `\`${name}\` ${message}`))
        .join("; ")}${problems.length > 3 ? "; …" : "."}`,
      { errors },
    );
  }
}

function toText(bytes: Buffer): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // Told below.
  }
  throw new ProblemError("malformed_text", "The body is not text in UTF-8.");
}
