import type { Problem, ProblemCode } from "@sluice/contracts";

type ProblemMembers = Pick<Problem, "errors" | "script_id" | "dependency" | "stores">;

export interface ProblemOptions extends Partial<ProblemMembers> {
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** Ends a request with a problem document. Its message is the document's `detail`: no internals. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Partial<ProblemMembers>;

  constructor(
    readonly code: ProblemCode,
    detail: string,
    { headers = {}, cause, ...members }: ProblemOptions = {},
  ) {
    super(detail, { cause });
    this.headers = headers;
    this.members = members;
  }
}

/** The client went away before its request was whole or its answer ready; nobody is there to answer. */
export class ClientGoneError extends Error {
  override readonly name = "ClientGoneError";
  constructor() {
    super("the client closed the connection");
  }
}
