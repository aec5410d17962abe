import type { z } from "zod";
import type { ProblemCode } from "./problems.js";

/** Bytes of the largest script that is taken. */
export const MAX_FILE_BYTES = 10 * 1024 * 1024;
/** Bytes of the largest JSON body that is taken. */
export const MAX_JSON_BYTES = 256 * 1024;

/** RFC 7396. */
export const MERGE_PATCH_TYPE = "application/merge-patch+json";
export const DIFF_TYPE = "text/x-diff";
/** RFC 4180. */
export const CSV_TYPE = "text/csv";
export const SARIF_TYPE = "application/sarif+json";

/** One answer of an operation that is no problem. */
export interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A schema, or `binary` for bytes and `text` for text that are described in words only. */
  readonly content?: Readonly<Record<string, z.ZodType | "binary" | "text">>;
}

/** One method of one path: what requests to it are checked by and what documents it. */
export interface Operation {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** As OpenAPI writes it: `/api/v1/scripts/{id}`. */
  readonly path: string;
  readonly tag:
    | "Upload"
    | "Scripts"
    | "Search"
    | "Analysis"
    | "Review"
    | "Policy"
    | "Operations"
    | "Stages"
    | "Service";
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  /** Strict: what it does not name is refused. */
  readonly query: z.ZodObject;
  /** Names in lower case. Those that no schema can check are only described. */
  readonly headers?: z.ZodObject;
  /** A form with a file, a policy in YAML or JSON, a JSON merge patch, or JSON of that schema. */
  readonly body?: "form" | "policy" | { readonly mergePatch: z.ZodType } | z.ZodType;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Beside those that any operation can have. */
  readonly problems: readonly ProblemCode[];
  /** Answered without an API key. */
  readonly open?: boolean;
}
