import {
  type Operation,
  type OperationId,
  OPERATIONS,
  type ProblemError as Wrong,
} from "@sluice/contracts";
import type { Request, Response } from "express";
import type { z } from "zod";
import { ProblemError } from "./problem-error.js";

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;
type Member<Op, Name extends string> =
  Op extends Readonly<Record<Name, infer Value>> ? Value : undefined;

/** A request as the operation's schemas made it, beside what express has of it. */
export interface Exchange<Id extends OperationId> {
  readonly params: Parsed<Member<(typeof OPERATIONS)[Id], "params">>;
  readonly query: Parsed<Member<(typeof OPERATIONS)[Id], "query">>;
  readonly req: Request;
  readonly res: Response;
}

/** An operation with what answers it. */
export interface Route {
  readonly operation: Operation;
  readonly handle: (req: Request, res: Response) => Promise<void>;
}

/** Binds a handler to an operation: what reaches it has passed the operation's schemas. */
export function route<Id extends OperationId>(
  id: Id,
  handle: (exchange: Exchange<Id>) => Promise<void> | void,
): Route {
  const operation: Operation = OPERATIONS[id];
  return {
    operation,
    async handle(req, res) {
      const params = operation.params && check(operation.params, req.params, "path");
      const query = check(operation.query, req.query, "query");
      await handle({ params, query, req, res } as Exchange<Id>);
    },
  };
}

const CODES = {
  path: "invalid_id",
  query: "invalid_query",
  body: "invalid_body",
  header: "invalid_header",
} as const;
const MAX_ERRORS = 20;

/**
 * @param name - of the header
 * @param whyUnknown - what to say of a body's field that the schema does not name
 * @throws {@link ProblemError} that names each wrong part
 */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: keyof typeof CODES,
  name?: string,
  whyUnknown: (field: string, path: readonly PropertyKey[]) => string = () =>
    "is not a field that can be written",
): z.output<Schema> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const all = parsed.error.issues.flatMap((issue) => describe(issue, where, name, whyUnknown));
  // Of one place its first fault is enough.
  const errors = all
    .filter((error, index) => index === all.findIndex((first) => first.name === error.name))
    .slice(0, MAX_ERRORS);
  const said = errors.map(
    (error) => `${error.name ? `\`${error.name}\`` : "The body"} ${error.message}`,
  );
  throw new ProblemError(CODES[where], `${said.join("; ")}.`, { errors });
}

function describe(
  issue: z.core.$ZodIssue,
  where: keyof typeof CODES,
  name = "",
  whyUnknown: (field: string, path: readonly PropertyKey[]) => string,
): Wrong[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      in: where,
      name: shorten(where === "body" ? pointer([...issue.path, key]) : key),
      message:
        where === "body" ? whyUnknown(key, issue.path) : "is not a parameter of this operation",
    }));
  }
  const place = where === "body" ? pointer(issue.path) : name || String(issue.path[0] ?? "");
  return [{ in: where, name: shorten(place), message: messageOf(issue, where) }];
}

function messageOf(issue: z.core.$ZodIssue, where: keyof typeof CODES): string {
  // What is wrong with a name is the name's own issue.
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  if (issue.code !== "invalid_type") return issue.message;
  if (issue.input === undefined) return "must be there";
  // A parameter that is there twice comes as an array.
  if (where !== "body" && issue.expected === "string" && Array.isArray(issue.input))
    return "must be there once";
  if (issue.expected === "null") return "must be null";
  return `must be of type ${issue.expected === "record" ? "object" : issue.expected}`;
}

/** RFC 6901. */
function pointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function shorten(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
