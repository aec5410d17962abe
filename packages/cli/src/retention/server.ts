import { retention, retentionDryRun } from "@sluice/contracts";
import type { Retention, RetentionDryRun } from "@sluice/contracts";
import type { Server } from "../server.js";

const TYPE = { "Content-Type": "application/yaml" };

/** The retention policy of a running Sluice. */
export class RetentionServer {
  constructor(private readonly server: Server) {}

  /** The policy in force, and the tag that a change of it must bear. */
  async read(): Promise<{ readonly body: Retention; readonly tag: string }> {
    const { response, body } = await this.server.send("/retention", {}, retention);
    return { body, tag: response.headers.get("etag") ?? "" };
  }

  async put(source: string, tag: string): Promise<Retention> {
    const headers = { ...TYPE, "If-Match": tag };
    return (
      await this.server.send("/retention", { method: "PUT", body: source, headers }, retention)
    ).body;
  }

  /** Page by page what a policy would remove at the moment of the first one. */
  async *dryRun(source: string): AsyncGenerator<RetentionDryRun> {
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const request = { method: "PUT", body: source, headers: TYPE };
      const path = `/retention?dry_run=true&limit=200${next}`;
      const { body } = await this.server.send(path, request, retentionDryRun);
      yield body;
      cursor = body.next_cursor;
    } while (cursor !== null);
  }
}
