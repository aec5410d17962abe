import {
  OpenApiGeneratorV31,
  OpenAPIRegistry,
  type RouteConfig,
  type ZodRequestBody,
} from "@asteasolutions/zod-to-openapi";
import { type Answer, MAX_FILE_BYTES, MERGE_PATCH_TYPE, type Operation } from "./operation.js";
import { type OperationId, OPERATIONS } from "./operations.js";
import { problem, type ProblemCode, PROBLEMS } from "./problems.js";

/** Those that any operation under `/api` can have. */
export const COMMON_PROBLEMS = [
  "invalid_query",
  "unauthorized",
  "malformed_request",
  "internal_error",
] as const satisfies readonly ProblemCode[];

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31["generateDocument"]>;

/** The OpenAPI 3.1 document, made of the schemas that requests are checked by. */
export function openApiDocument(version: string): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  registry.registerComponent("securitySchemes", "apiKey", {
    type: "http",
    scheme: "bearer",
    description: "One of API_KEYS. Asked for only where the server was started with some.",
  });
  for (const [id, operation] of Object.entries(OPERATIONS) as [OperationId, Operation][]) {
    registry.registerPath(toRoute(id, operation));
  }
  return new OpenApiGeneratorV31(registry.definitions, {
    sortComponents: "alphabetically",
  }).generateDocument({
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version,
      description:
        "Takes Python scripts and carries each through dedup, validation, extraction, compression and backup.\n\n" +
        "Errors are problem documents (RFC 9457) with a stable `code`; [what each code means](/docs/problems).",
    },
    servers: [{ url: "/" }],
  });
}

function toRoute(operationId: OperationId, operation: Operation): RouteConfig {
  const { method, path, tag, summary, description, params, query, headers, body, answers, open } =
    operation;
  const hasQuery = Object.keys(query.shape).length > 0;
  return {
    method,
    path,
    operationId,
    tags: [tag],
    summary,
    ...(description && { description }),
    security: open ? [] : [{ apiKey: [] }],
    request: {
      ...(params && { params }),
      ...(hasQuery && { query }),
      ...(headers && { headers }),
      ...(body && { body: requestBody(body) }),
    },
    responses: { ...toResponses(answers), ...problemResponses(operation) },
  };
}

function requestBody(body: NonNullable<Operation["body"]>): ZodRequestBody {
  if (body === "policy") {
    return {
      required: true,
      content: {
        "application/yaml": { schema: { type: "string" } },
        "application/json": { schema: { type: "object" } },
      },
    };
  }
  if (body !== "form" && "mergePatch" in body) {
    const media = { schema: body.mergePatch };
    return { required: true, content: { [MERGE_PATCH_TYPE]: media, "application/json": media } };
  }
  if (body !== "form") return { required: true, content: { "application/json": { schema: body } } };
  return {
    required: true,
    content: {
      "multipart/form-data": {
        schema: {
          type: "object",
          required: ["file"],
          additionalProperties: false,
          properties: {
            file: {
              type: "string",
              format: "binary",
              description: `A script, named *.py or *.pyw, of at most ${MAX_FILE_BYTES.toLocaleString("en")} bytes`,
            },
          },
        },
      },
    },
  };
}

function toResponses(answers: Operation["answers"]): RouteConfig["responses"] {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { description, headers, content }]) => [
      status,
      {
        description,
        ...(headers && { headers: toHeaders(headers) }),
        ...(content && { content: toContent(content) }),
      },
    ]),
  );
}

function toHeaders(headers: NonNullable<Answer["headers"]>) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      name,
      { description, schema: { type: "string" as const } },
    ]),
  );
}

function toContent(content: NonNullable<Answer["content"]>) {
  return Object.fromEntries(
    Object.entries(content).map(([type, schema]) => {
      if (schema === "binary")
        return [type, { schema: { type: "string" as const, format: "binary" } }];
      if (schema === "text") return [type, { schema: { type: "string" as const } }];
      return [type, { schema }];
    }),
  );
}

/** One response for each status, naming the codes that come with it. */
function problemResponses({ answers, problems, path, open }: Operation): RouteConfig["responses"] {
  const guarded: readonly ProblemCode[] = open ? [] : ["unauthorized"];
  const common = path.startsWith("/api/") ? COMMON_PROBLEMS : guarded;
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set([...problems, ...common])) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus]
      .filter(([status]) => !(status in answers))
      .toSorted(([a], [b]) => a - b)
      .map(([status, codes]) => [
        status,
        {
          description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join("\n\n"),
          content: { "application/problem+json": { schema: problem } },
        },
      ]),
  );
}
