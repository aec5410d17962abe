import type { ProblemCode } from "@sluice/contracts";
import type { Logger } from "@sluice/runtime";

declare global {
  namespace Express {
    /** What is known about a request from its beginning to its line in the log. */
    interface Locals {
      requestId: string;
      log: Logger;
      /** Path of the operation, such as `/api/v1/scripts/{id}`; `unknown` where there is none. */
      route: string;
      /** Who sent it, as the audit log names them. */
      actor: string;
      /** What the log's line says besides, such as the ids that the request was about. */
      about: Record<string, unknown>;
      problem?: ProblemCode;
      /** The error behind a problem that is ours. */
      cause?: unknown;
      clientGone?: boolean;
    }
  }
}
