import { type DecisionOutcome, recordApproval, type Recorded } from "@sluice/catalog";
import {
  type ApprovalRequest,
  approvalRequest,
  type AskedItem,
  CAPABILITY_NAMES,
  type RecordedApproval,
  takesIn,
} from "@sluice/contracts";
import { isFinal } from "@sluice/pipeline";
import type { Dependencies } from "../dependencies.js";
import { ProblemError } from "../http/problem-error.js";
import { readJson } from "../http/read-json.js";
import { check, route, type Route } from "../http/route.js";
import { once, readIdempotencyKey } from "../idempotency.js";
import { toApproval } from "./approval-shapes.js";
import { notFound } from "./find.js";
import { statusUrl } from "./shapes.js";

export function decideApproval({ catalog, claims }: Dependencies): Route {
  return route("decideApproval", async ({ params, req, res }) => {
    const key = readIdempotencyKey(req);
    const request = check(approvalRequest, await readJson(req, res), "body");
    const { actor } = res.locals;
    Object.assign(res.locals.about, { script_id: params.id, version: request.version, actor });

    const identity = ["decideApproval", params.id, request, actor];
    const replay = (recorded: unknown) => recorded as RecordedApproval;
    const body = await once(claims, { key, identity, replay, res }, async (keyed) => {
      checkRequest(request);
      const outcome = await recordApproval(catalog, {
        scriptId: params.id,
        version: request.version,
        sha256: request.sha256,
        decision: request.decision,
        capabilities: request.capabilities,
        imports: request.imports,
        reason: request.reason,
        actor,
        expiresAt: request.expires_at ?? undefined,
        idempotency: keyed && { ...keyed, answer: toBody },
      });
      if (outcome.kind === "recorded") return toBody(outcome);
      if (outcome.kind === "not_found")
        throw await notFound(catalog, { scriptId: params.id, version: request.version });
      throw toProblem(outcome, params.id);
    });
    res.status(201).set("Cache-Control", "no-store").json(body);
  });
}

function toBody({ approval, state }: Recorded): RecordedApproval {
  return { ...toApproval(approval), state };
}

/** What can be wrong with a request whatever it is about. */
function checkRequest({ capabilities, expires_at: end }: ApprovalRequest): void {
  const unknown = capabilities.filter(
    (pattern) => !CAPABILITY_NAMES.some((name) => takesIn(pattern, name)),
  );
  if (unknown.length > 0) {
    throw new ProblemError(
      "unknown_capability",
      `${listed(unknown)} is none. There are ${CAPABILITY_NAMES.join(", ")}, groups of them such as filesystem.*, and * for all that are asked for.`,
    );
  }
  if (end && end.getTime() <= Date.now()) {
    throw new ProblemError("end_date_passed", `\`expires_at\` is ${end.toISOString()}.`);
  }
}

type Refusal = Exclude<DecisionOutcome, { readonly kind: "recorded" | "not_found" }>;

function toProblem(refusal: Refusal, scriptId: string): ProblemError {
  const version = `Version ${refusal.version}`;
  switch (refusal.kind) {
    case "other_bytes":
      return new ProblemError("sha256_mismatch", `${version} has the sha256 ${refusal.sha256}.`);
    case "not_asked":
      return new ProblemError(
        "not_asked",
        `${version} does not ask for ${listed([...refusal.capabilities, ...refusal.imports])}. ` +
          `It asks for ${describeAsked(refusal.asked)}.`,
      );
    case "undecidable":
      if (!isFinal(refusal.state)) {
        return new ProblemError(
          "not_ready",
          `${version} is ${refusal.state}. Wait with GET ${statusUrl(scriptId, refusal.version)}?wait=20.`,
          { headers: { "Retry-After": "1" } },
        );
      }
      return new ProblemError("not_approvable", `${version} ${WHY[whyNot(refusal)]}`);
  }
}

const WHY = {
  failed: "has failed, for no fault of its own. Try it again with POST …/retry first.",
  allowed: "asks for nothing: the policy allows all that it does.",
  refused: "is refused by the policy, and only the policy can change that; its report says why.",
  malicious: "is malicious, whoever approves of it; its report says why.",
  invalid: "is not valid Python that Sluice can read; its report says why.",
  needs_approval: "has a report that does not say what it asks for. Upload it again.",
} as const;

function whyNot({
  state,
  verdict,
}: Extract<Refusal, { readonly kind: "undecidable" }>): keyof typeof WHY {
  return state === "failed" ? "failed" : (verdict ?? "failed");
}

function describeAsked(asked: readonly AskedItem[]): string {
  const namesOf = (kind: AskedItem["kind"]) =>
    asked.filter((item) => item.kind === kind).map(({ name }) => name);
  const capabilities = namesOf("capability");
  const imports = namesOf("import");
  const parts = [
    ...(capabilities.length > 0 ? [`the capabilities ${listed(capabilities)}`] : []),
    ...(imports.length > 0 ? [`the imports ${listed(imports)}`] : []),
  ];
  return parts.length > 0 ? parts.join(" and ") : "nothing";
}

/** As many as a reader can take in. */
const MOST_LISTED = 50;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_LISTED).map((name) => JSON.stringify(name));
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
