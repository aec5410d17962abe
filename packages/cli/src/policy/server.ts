import { policyDryRun, policyInForce, problem } from "@sluice/contracts";
import type { PolicyDryRun, PolicyInForce, Problem } from "@sluice/contracts";
import { visible } from "@sluice/report-formats";
import type { z } from "zod";
import { UsageError } from "../usage-error.js";

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

const DEFAULT_URL = "http://127.0.0.1:8080";
const TYPE = { "Content-Type": "application/yaml" };

/** The policy of a running Sluice. */
export class PolicyServer {
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
    this.#base = `${parsed.href.replace(/\/$/, "")}/api/v1/policy`;
    this.#key = SLUICE_API_KEY?.trim() || undefined;
  }

  /** The policy in force, and the tag that a change of it must bear. */
  async read(): Promise<{ readonly policy: PolicyInForce; readonly tag: string }> {
    const { response, body } = await this.#send("", {}, policyInForce);
    return { policy: body, tag: response.headers.get("etag") ?? "" };
  }

  async put(source: string, tag: string): Promise<PolicyInForce> {
    const headers = { ...TYPE, "If-Match": tag };
    return (await this.#send("", { method: "PUT", body: source, headers }, policyInForce)).body;
  }

  /** Page by page what a policy would change. */
  async *dryRun(source: string): AsyncGenerator<PolicyDryRun> {
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const request = { method: "PUT", body: source, headers: TYPE };
      const { body } = await this.#send(`?dry_run=true&limit=200${next}`, request, policyDryRun);
      yield body;
      cursor = body.next_cursor;
    } while (cursor !== null);
  }

  async #send<Body>(
    query: string,
    init: RequestInit,
    schema: z.ZodType<Body>,
  ): Promise<{ response: Response; body: Body }> {
    const key = this.#key === undefined ? {} : { Authorization: `Bearer ${this.#key}` };
    const url = this.#base + query;
    let response: Response;
    let content: unknown;
    try {
      response = await fetch(url, { ...init, headers: { ...init.headers, ...key } });
      content = JSON.parse(await response.text());
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const why = cause instanceof Error ? cause.message || cause.name : String(cause);
      throw new ServerError(`${this.#base} does not answer: ${visible(why)}`);
    }
    if (!response.ok) throw refused(response, problem.safeParse(content).data);
    const body = schema.safeParse(content);
    if (!body.success) throw new ServerError(`${this.#base} answers what is no policy of Sluice's`);
    return { response, body: body.data };
  }
}

function refused({ status }: Response, said: Problem | undefined): ServerError {
  if (said === undefined) return new ServerError(`the server answers ${status}`);
  const hint = said.code === "unauthorized" ? " SLUICE_API_KEY is what is sent." : "";
  return new ServerError(`${visible(said.detail)}${hint} [${said.code}]`, said);
}
