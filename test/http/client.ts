import {
  COMMON_PROBLEMS,
  type Operation,
  type OperationId,
  OPERATIONS,
  problem,
  PROBLEMS,
} from "@sluice/contracts";
import { type Problem, type UploadedScript } from "@sluice/contracts";
import { expect } from "vitest";
import type { Ingest } from "./ingest.js";

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

const SERVED_ANYWHERE: readonly string[] = [...COMMON_PROBLEMS, "method_not_allowed", "not_found"];

/** Sends a request and holds the answer against the operation's contract, whatever it is. */
export async function call<Body>(
  { url }: Pick<Ingest, "url">,
  id: OperationId,
  path: string,
  init: RequestInit = {},
): Promise<Answer<Body>> {
  const operation: Operation = OPERATIONS[id];
  const response = await fetch(url + path, { method: operation.method.toUpperCase(), ...init });
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  const answer = operation.answers[response.status];
  const schema = answer?.content?.[type.split(";")[0] as string];
  let body: unknown = text;
  if (type.startsWith("application/problem+json")) {
    body = expectProblem(response, text);
    expect([...operation.problems, ...SERVED_ANYWHERE]).toContain((body as Problem).code);
  } else {
    expect(answer, `${operation.path} has no answer ${response.status}: ${text}`).toBeDefined();
    if (typeof schema === "object") {
      body = JSON.parse(text);
      // Strict: what the document does not tell of is not to be sent.
      const strict: typeof schema =
        "strict" in schema && typeof schema.strict === "function"
          ? (schema.strict() as typeof schema)
          : schema;
      const parsed = strict.safeParse(body);
      expect(parsed.error?.issues ?? [], text).toEqual([]);
    } else if (type.includes("json")) {
      body = JSON.parse(text);
    }
  }
  return { status: response.status, headers: response.headers, body: body as Body };
}

/** Checks that a problem document is one. */
export function expectProblem(response: Response, text: string): Problem {
  const parsed = problem.strict().parse(JSON.parse(text));
  expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(parsed.status).toBe(response.status);
  expect(parsed.title).toBe(PROBLEMS[parsed.code].title);
  expect(parsed.status).toBe(PROBLEMS[parsed.code].status);
  expect(parsed.request_id).toBe(response.headers.get("x-request-id"));
  expect(parsed.type).toBe(`/docs/problems#${parsed.code}`);
  return parsed;
}

/** A form with one file. */
export function form(name: string, bytes: string | Uint8Array<ArrayBuffer>): FormData {
  const data = new FormData();
  data.set("file", new Blob([bytes]), name);
  return data;
}

export function upload<Body = UploadedScript>(
  ingest: Pick<Ingest, "url">,
  name: string,
  bytes: string | Uint8Array<ArrayBuffer>,
  { query = "", headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<Answer<Body>> {
  return call(ingest, "uploadScript", `/api/v1/upload_script${query}`, {
    body: form(name, bytes),
    headers,
  });
}
