import { z } from "zod";

interface ProblemDeclaration {
  readonly status: number;
  /** The same for every occurrence; what is particular to one is in its `detail`. */
  readonly title: string;
  /** What to do about it, as the documentation says it. */
  readonly help: string;
}

/**
 * Every `code` a problem document can carry. A code is a promise: it is never renamed and never means
 * something else.
 */
export const PROBLEMS = {
  malformed_request: {
    status: 400,
    title: "The request is not well-formed HTTP",
    help: "Check the client, or whatever stands between it and Sluice.",
  },
  malformed_json: {
    status: 400,
    title: "The body is not JSON",
    help: "Send one JSON document, in UTF-8.",
  },
  malformed_text: {
    status: 400,
    title: "The body is not text",
    help: "Send it in UTF-8, without NUL.",
  },
  malformed_multipart: {
    status: 400,
    title: "The body is not well-formed multipart/form-data",
    help: "Let a library build the body (RFC 7578): boundary, part headers and the closing boundary must be there.",
  },
  invalid_id: {
    status: 400,
    title: "The path names something that is no id or no version number",
    help: "Take ids as Sluice gave them; versions count from 1.",
  },
  invalid_query: {
    status: 400,
    title: "A query parameter is unknown or has a wrong value",
    help: "`errors` names each one and what it may be.",
  },
  invalid_cursor: {
    status: 400,
    title: "The cursor does not belong to this list",
    help: "A cursor holds for the filters and the order it was given with. Start again without it.",
  },
  invalid_body: {
    status: 400,
    title: "The body does not have the shape it must have",
    help: "`errors` names each wrong place.",
  },
  invalid_header: {
    status: 400,
    title: "A request header has a wrong value",
    help: "`errors` names it and what it may be.",
  },
  missing_file: {
    status: 400,
    title: "There is no file in the form",
    help: "Send one part named `file` with a file name: `curl -F file=@script.py`.",
  },
  repeated_file: {
    status: 400,
    title: "There is more than one file in the form",
    help: "Send one request for each file.",
  },
  unexpected_field: {
    status: 400,
    title: "There is a field in the form that does not belong there",
    help: "Send nothing but the part named `file`; options go into the query.",
  },
  unauthorized: {
    status: 401,
    title: "No valid API key was sent",
    help: "Send `Authorization: Bearer KEY`.",
  },
  not_found: {
    status: 404,
    title: "There is nothing at this path",
    help: "See /openapi.json for what there is.",
  },
  script_not_found: {
    status: 404,
    title: "There is no such script",
    help: "It was never uploaded, or has been deleted.",
  },
  purged: {
    status: 410,
    title: "It was purged from the trash",
    help: "Its time there is over; `GET /scripts/{id}/retention` says when and why it was deleted. While a copy is kept, `sluice restore --script` may bring it back.",
  },
  unknown_stage: {
    status: 404,
    title: "There is no such stage",
    help: "`GET /api/v1/stages` lists them.",
  },
  version_not_found: {
    status: 404,
    title: "The script has no such version",
    help: "`GET /api/v1/scripts/{id}/versions` lists them.",
  },
  no_metadata: {
    status: 404,
    title: "This version has no metadata and will have none",
    help: "Only Python that compiles has; the report says what is wrong with it.",
  },
  no_report: {
    status: 404,
    title: "This version has no report and will have none",
    help: "Validation failed for a reason of Sluice's own; the status says which. Retry the version.",
  },
  change_not_found: {
    status: 404,
    title: "There is no such bulk change",
    help: "`GET /api/v1/metadata/changes` lists them.",
  },
  method_not_allowed: {
    status: 405,
    title: "This path does not have that method",
    help: "`Allow` names those it has.",
  },
  no_diff: {
    status: 406,
    title: "There is no whole diff of these versions",
    help: "Ask for application/json, which says why and gives what there is, or download both.",
  },
  not_acceptable: {
    status: 406,
    title: "The answer exists in no form that was asked for",
    help: "Widen `Accept` or `Accept-Encoding`.",
  },
  request_timeout: {
    status: 408,
    title: "The request did not arrive in time",
    help: "Try again over a faster connection.",
  },
  name_taken: {
    status: 409,
    title: "A script of that name exists",
    help: "Choose another name or namespace, or another `on_conflict`.",
  },
  under_legal_hold: {
    status: 409,
    title: "The script is under legal hold",
    help: "`GET /scripts/{id}/legal_hold` says why and by whom. It can be deleted when the hold is lifted.",
  },
  no_legal_hold: {
    status: 404,
    title: "The script is under no legal hold",
    help: "`PUT /scripts/{id}/legal_hold` places one.",
  },
  not_paused: {
    status: 409,
    title: "The clean-up has not stopped there",
    help: "Read `GET /retention` again: it goes on, or has stopped for another reason since.",
  },
  scrub_running: {
    status: 409,
    title: "A pass of the scrub is under way",
    help: "`GET /scrub` says how far it is. Ask again when it is over, or has halted.",
  },
  upload_contended: {
    status: 409,
    title: "Too many uploads of this name at once",
    help: "Nothing was stored. Try again.",
  },
  idempotency_key_in_use: {
    status: 409,
    title: "The first request with this Idempotency-Key is still under way",
    help: "Wait for its answer, or try again after `Retry-After` seconds.",
  },
  not_ready: {
    status: 409,
    title: "The pipeline has not come so far yet",
    help: "Wait with `GET …/status?wait=20`, then ask again.",
  },
  not_approvable: {
    status: 409,
    title: "There is nothing in the version that a person could grant or refuse",
    help: "`detail` says why. Only what the policy leaves to a person can be decided on.",
  },
  sha256_mismatch: {
    status: 409,
    title: "The version has other bytes than the request says",
    help: "Look at the version again, and send its `sha256`.",
  },
  not_failed: {
    status: 409,
    title: "Only a failed version can be retried",
    help: "`GET …/status` says where it stands.",
  },
  change_over: {
    status: 409,
    title: "The bulk change is over already",
    help: "What it has changed stays changed. Make another one to change it back; the history says what was there.",
  },
  preview_outdated: {
    status: 412,
    title: "The dry run does not hold any more",
    help: "Make another dry run with the same request, look at it, and send its ETag in `If-Match`.",
  },
  content_gone: {
    status: 410,
    title: "The version's bytes are not kept any more",
    help: "Upload them again.",
  },
  revision_mismatch: {
    status: 412,
    title: "Somebody else changed it in the meantime",
    help: "Read it again, apply the change to what is there now, and send the new ETag in `If-Match`.",
  },
  file_too_large: {
    status: 413,
    title: "The file is too large",
    help: "A script has at most 10 MB (10,485,760 bytes).",
  },
  body_too_large: {
    status: 413,
    title: "The body is too large",
    help: "`detail` says how large it may be.",
  },
  unsupported_media_type: {
    status: 415,
    title: "The body is of a type that is not taken here",
    help: "Send the Content-Type that `detail` names.",
  },
  unsupported_content_encoding: {
    status: 415,
    title: "The body is in a content coding that is not taken here",
    help: "Send it as it is, without Content-Encoding.",
  },
  unsupported_file_type: {
    status: 415,
    title: "Only Python scripts are taken",
    help: "The file's name must end in .py or .pyw.",
  },
  range_not_satisfiable: {
    status: 416,
    title: "The range lies outside of the content",
    help: "`Content-Range` says how long it is.",
  },
  policy_not_found: {
    status: 404,
    title: "There never was such a policy",
    help: "`GET /api/v1/policies` lists all that were in force.",
  },
  invalid_policy: {
    status: 422,
    title: "The policy has mistakes",
    help: "`errors` names each one with its path in the policy. `sluice policy check` does so without a server.",
  },
  idempotency_key_reused: {
    status: 422,
    title: "This Idempotency-Key belongs to another request",
    help: "Use a new key for each request that is not a retry.",
  },
  confirmation_required: {
    status: 428,
    title: "The deletion has to be confirmed",
    help: "Add `?confirm=` with the id of the script.",
  },
  if_match_required: {
    status: 428,
    title: "The change has to say what it changes",
    help: "Send `If-Match` with the ETag of what you read.",
  },
  headers_too_large: {
    status: 431,
    title: "The request's headers are too large",
    help: "Send fewer or shorter ones.",
  },
  unknown_capability: {
    status: 422,
    title: "There is no capability of that name",
    help: "`detail` names those that there are.",
  },
  not_asked: {
    status: 422,
    title: "The version does not ask for that",
    help: "`detail` names what it asks for. Nothing was recorded.",
  },
  end_date_passed: {
    status: 422,
    title: "The decision would have ended already",
    help: "Send an `expires_at` in the future, or none.",
  },
  internal_error: {
    status: 500,
    title: "Something went wrong in Sluice",
    help: "Try again; if it stays, tell the operator the `request_id`.",
  },
  content_damaged: {
    status: 500,
    title: "The version's bytes are lost or damaged",
    help: "The version is marked (`integrity`), and the operator is told. Upload the same bytes again to bring it back.",
  },
  catalog_unavailable: {
    status: 503,
    title: "The catalog does not answer",
    help: "Try again after `Retry-After` seconds.",
  },
  queue_unavailable: {
    status: 503,
    title: "The queue does not answer",
    help: "Uploads and reads go on without it. Try again after `Retry-After` seconds.",
  },
  object_store_unavailable: {
    status: 503,
    title: "The object store does not answer",
    help: "Try again after `Retry-After` seconds.",
  },
  comparison_too_large: {
    status: 422,
    title: "The versions differ too much to be compared here",
    help: "Download both (`GET …/content?version=n`) and compare them where you are.",
  },
  too_many_comparisons: {
    status: 503,
    title: "Too many versions are being compared at once",
    help: "Try again after `Retry-After` seconds.",
  },
  search_overloaded: {
    status: 503,
    title: "Too much is being searched for at once",
    help: "Try again after `Retry-After` seconds.",
  },
  overloaded: {
    status: 503,
    title: "Too much is being uploaded at once",
    help: "Nothing was stored. Try again after `Retry-After` seconds.",
  },
  insufficient_storage: {
    status: 507,
    title: "There is no room left to store it",
    help: "Nothing was stored; `stores` and `detail` name what is full. Try again after `Retry-After` seconds: uploads are taken again by themselves when there is room. What is stored can be read, changed and deleted meanwhile.",
  },
} as const satisfies Record<string, ProblemDeclaration>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Where one thing that was wrong is. */
export const problemError = z
  .object({
    in: z.enum(["path", "query", "header", "body"]),
    name: z
      .string()
      .describe("The parameter or header, a JSON Pointer into the body, or a path in the policy"),
    message: z.string(),
    line: z.int().optional().describe("In a policy, where it stands; counts from 1"),
    column: z.int().optional().describe("In a policy, where it stands; counts from 1"),
  })
  .meta({ id: "ProblemError" });
export type ProblemError = z.infer<typeof problemError>;

/** The codes as a Markdown table. */
const CODES = [
  "| code | status | meaning | what to do |",
  "| --- | --- | --- | --- |",
  ...Object.entries(PROBLEMS).map(
    ([code, { status, title, help }]) => `| \`${code}\` | ${status} | ${title} | ${help} |`,
  ),
].join("\n");

/** RFC 9457, with Sluice's own members. */
export const problem = z
  .object({
    type: z.string().describe("Where the code is explained"),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What was wrong this time, and what to do"),
    instance: z.string().describe("The path that was asked for"),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]).describe(CODES),
    request_id: z.string().describe("Names the request in Sluice's logs"),
    errors: z.array(problemError).optional(),
    script_id: z.uuid().optional().describe("With `name_taken`: the script that has the name"),
    dependency: z
      .enum(["catalog", "object_store", "queue"])
      .optional()
      .describe("With 503: what did not answer"),
    stores: z
      .array(z.string())
      .optional()
      .describe(
        "With `insufficient_storage`: names of the stores that are full, as in GET /api/v1/storage",
      ),
  })
  .meta({ id: "Problem", description: "Problem details as of RFC 9457" });
export type Problem = z.infer<typeof problem>;
