import { type Problem, problem } from "@sluice/contracts";
import { visible } from "@sluice/report-formats";
import { Option } from "commander";
import type { z } from "zod";
import { UsageError } from "./usage-error.js";

/** The server could not be asked, or did not do what it was asked for. */
export class ServerError extends Error {
  override readonly name = "ServerError";

  /** @param problem - what the server said, if it said anything */
  constructor(
    message: string,
    readonly problem?: Problem,
  ) {
    super(message);
  }
}

export interface ServerArguments {
  readonly server?: string;
}

const DEFAULT_URL = "http://127.0.0.1:8080";

export const SERVER_HELP = `
--server is the URL of the server; SLUICE_URL if not said, else ${DEFAULT_URL}. SLUICE_API_KEY is
the key to send.`;

export function serverOption(): Option {
  return new Option("--server <url>", "the server that is meant");
}

/** A running Sluice. */
export class Server {
  readonly #base: string;
  readonly #key: string | undefined;

  /**
   * @param url - of the option; SLUICE_URL, or this machine's, if not said
   * @throws UsageError where it is none
   */
  constructor(url: string | undefined, { SLUICE_URL, SLUICE_API_KEY }: NodeJS.ProcessEnv) {
    const text = url ?? (SLUICE_URL?.trim() || DEFAULT_URL);
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:")
      throw new UsageError(`the server must be a URL such as ${DEFAULT_URL}, not ${visible(text)}`);
    this.#base = `${parsed.href.replace(/\/$/, "")}/api/v1`;
    this.#key = SLUICE_API_KEY?.trim() || undefined;
  }

  /**
   * @param path - below `/api/v1`, with its query
   * @throws ServerError where it does not answer, refuses, or answers something else
   */
  async send<Body>(
    path: string,
    init: RequestInit,
    schema: z.ZodType<Body>,
  ): Promise<{ readonly response: Response; readonly body: Body }> {
    const key = this.#key === undefined ? {} : { Authorization: `Bearer ${this.#key}` };
    const url = this.#base + path;
    const named = url.replace(/\?.*$/s, "");
    let response: Response;
    let content: unknown;
    try {
      response = await fetch(url, { ...init, headers: { ...init.headers, ...key } });
      content = JSON.parse(await response.text());
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const why = cause instanceof Error ? cause.message || cause.name : String(cause);
      throw new ServerError(`${named} does not answer: ${visible(why)}`);
    }
    if (!response.ok) throw refused(response, problem.safeParse(content).data);
    const body = schema.safeParse(content);
    if (!body.success) throw new ServerError(`${named} does not answer as Sluice does`);
    return { response, body: body.data };
  }
}

function refused({ status }: Response, said: Problem | undefined): ServerError {
  if (said === undefined) return new ServerError(`the server answers ${status}`);
  const hint = said.code === "unauthorized" ? " SLUICE_API_KEY is what is sent." : "";
  return new ServerError(`${visible(said.detail)}${hint} [${said.code}]`, said);
}
