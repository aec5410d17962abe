import { createHash } from "node:crypto";
import { problem, uploadedScript, type UploadedScript } from "@sluice/contracts";
import { RefusedError } from "./read-within.js";

/** Sluice takes no uploads now: nothing is wrong with the file, and it is to be sent again. */
export class WaitError extends Error {
  override readonly name = "WaitError";
  constructor(
    message: string,
    readonly waitMs: number,
  ) {
    super(message);
  }
}

/** The same upload is under way, or was when the API ended: to be sent again later, and no reason to keep others waiting. */
export class UnderWayError extends Error {
  override readonly name = "UnderWayError";
}

export interface FileToUpload {
  /** What tells this state of this file from any other; a second upload of it answers like the first. */
  readonly identity: string;
  readonly namespace: string;
  readonly filename: string;
  readonly bytes: Buffer;
}

/** Statuses that say that the file is wrong, as against the moment or the caller. */
const REFUSALS: readonly number[] = [400, 413, 415, 422];
const DEFAULT_WAIT_MS = 5_000;
const MAX_WAIT_MS = 300_000;
const TIMEOUT_MS = 60_000;

/** Uploads through the API, so that whatever it holds of names, sizes and room holds here as well. */
export class Uploader {
  constructor(
    private readonly url: string,
    private readonly key: string | undefined,
  ) {}

  /**
   * @param given - ends it
   * @throws {@link RefusedError} where the API refuses the file; {@link UnderWayError} where it does not take this one now;
   *   {@link WaitError} where it takes nothing
   */
  async upload(file: FileToUpload, given: AbortSignal): Promise<UploadedScript> {
    const form = new FormData();
    form.set("file", new Blob([file.bytes]), file.filename);
    const target = new URL("/api/v1/upload_script", this.url);
    target.searchParams.set("namespace", file.namespace);
    const key = createHash("sha256").update(file.identity).digest("hex");
    let response: Response;
    let text: string;
    try {
      response = await fetch(target, {
        method: "POST",
        body: form,
        headers: {
          "Idempotency-Key": key,
          ...(this.key === undefined ? {} : { Authorization: `Bearer ${this.key}` }),
        },
        redirect: "error",
        signal: AbortSignal.any([given, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      text = await response.text();
    } catch (error) {
      throw new WaitError(`the API does not answer: ${String(error)}`, DEFAULT_WAIT_MS);
    }
    const body = parse(text);
    if (response.ok) return uploadedScript.parse(body);
    const told = problem.safeParse(body);
    if (told.success && REFUSALS.includes(response.status)) {
      throw new RefusedError(told.data.code, told.data.detail ?? told.data.title);
    }
    if (told.success && told.data.code === "idempotency_key_in_use") throw new UnderWayError();
    const why = told.success ? told.data.code : "no problem document";
    throw new WaitError(`the API answers ${response.status} (${why})`, waitOf(response));
  }
}

function waitOf(response: Response): number {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0
    ? Math.min(Math.max(seconds * 1_000, 100), MAX_WAIT_MS)
    : DEFAULT_WAIT_MS;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
