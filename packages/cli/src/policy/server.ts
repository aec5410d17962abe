import { policyDryRun, policyInForce } from "@sluice/contracts";
import type { PolicyDryRun, PolicyInForce } from "@sluice/contracts";
import type { Server } from "../server.js";

const TYPE = { "Content-Type": "application/yaml" };

/** The policy of a running Sluice. */
export class PolicyServer {
  constructor(private readonly server: Server) {}

  /** The policy in force, and the tag that a change of it must bear. */
  async read(): Promise<{ readonly policy: PolicyInForce; readonly tag: string }> {
    const { response, body } = await this.server.send("/policy", {}, policyInForce);
    return { policy: body, tag: response.headers.get("etag") ?? "" };
  }

  async put(source: string, tag: string): Promise<PolicyInForce> {
    const headers = { ...TYPE, "If-Match": tag };
    const request = { method: "PUT", body: source, headers };
    return (await this.server.send("/policy", request, policyInForce)).body;
  }

  /** Page by page what a policy would change. */
  async *dryRun(source: string): AsyncGenerator<PolicyDryRun> {
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const request = { method: "PUT", body: source, headers: TYPE };
      const path = `/policy?dry_run=true&limit=200${next}`;
      const { body } = await this.server.send(path, request, policyDryRun);
      yield body;
      cursor = body.next_cursor;
    } while (cursor !== null);
  }
}
