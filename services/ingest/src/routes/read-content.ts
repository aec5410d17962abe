import { sha256Of } from "@sluice/blobs";
import { sanitiseFilename } from "@sluice/contracts";
import type { BlobEncoding } from "@sluice/object-store";
import { create as contentDisposition } from "content-disposition";
import { loadContent, plainOf } from "../content/load.js";
import type { Dependencies } from "../dependencies.js";
import { chooseRange, rangeHolds } from "../http/byte-range.js";
import { chooseCoding } from "../http/content-coding.js";
import { isKnown } from "../http/entity-tag.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { findVersion } from "./find.js";

export function readContent(deps: Dependencies): Route {
  return route("readContent", async ({ params, query, req, res }) => {
    const version = await findVersion(
      deps.catalog,
      { scriptId: params.id, version: query.version },
      res,
    );
    const plainTag = `"${version.sha256}"`;
    res
      .set("Vary", "Accept-Encoding")
      .set("Accept-Ranges", "bytes")
      .set("Cache-Control", "private, no-cache");

    // Each coding is a representation with a tag of its own (RFC 9110, 8.8.3.3). Whoever has one has all.
    for (const tag of [
      plainTag,
      codedTag(version.sha256, "zstd"),
      codedTag(version.sha256, "gzip"),
    ]) {
      if (!isKnown(req.get("if-none-match"), tag)) continue;
      deps.uses.downloaded(version.scriptId);
      res.set("ETag", tag).status(304).end();
      return;
    }

    const range = rangeHolds(req.get("if-range"), plainTag)
      ? chooseRange(req.get("range"), version.size)
      : undefined;
    if (range === "unsatisfiable") {
      throw new ProblemError(
        "range_not_satisfiable",
        `The script has ${version.size} bytes; the range lies outside of them.`,
        { headers: { "Content-Range": `bytes */${version.size}` } },
      );
    }

    const choose = (encoding: BlobEncoding) => chooseCoding(req.get("accept-encoding"), encoding);
    const content = await loadContent(
      deps,
      version,
      (encoding) => range === undefined && choose(encoding) === encoding,
    );
    res.set("Sluice-Storage", content.storage);
    const accepted = choose(content.encoding);
    if (accepted === undefined) {
      throw new ProblemError(
        "not_acceptable",
        `Accept-Encoding takes neither the script as it is nor ${content.encoding}.`,
      );
    }
    // Ranges count in plain bytes, whatever coding the rest would come in.
    const coding = range === undefined ? accepted : "identity";
    const body = coding === "identity" ? await plainOf(content, version) : content.stored;

    res
      .set("ETag", coding === "identity" ? plainTag : codedTag(version.sha256, coding))
      .setHeader(
        "Content-Type",
        version.state === "rejected" ? "application/octet-stream" : "text/x-python",
      )
      // Names of older versions were made by older rules.
      .set("Content-Disposition", contentDisposition(sanitiseFilename(version.filename)))
      .set("Repr-Digest", reprDigest(coding === "identity" ? version.sha256 : sha256Of(body)));
    if (coding !== "identity") res.set("Content-Encoding", coding);
    deps.uses.downloaded(version.scriptId);
    if (range === undefined) {
      end(body);
      return;
    }
    res.status(206).set("Content-Range", `bytes ${range.start}-${range.end}/${version.size}`);
    end(body.subarray(range.start, range.end + 1));

    // Not `send`: it would look at the headers once more and answer 304 by its own lights.
    function end(bytes: Buffer): void {
      res.set("Content-Length", String(bytes.length));
      if (req.method === "HEAD") res.end();
      else res.end(bytes);
    }
  });
}

function codedTag(sha256: string, coding: string): string {
  return `"${sha256}-${coding}"`;
}

/** RFC 9530; of the representation as it is sent, its coding included. */
function reprDigest(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`;
}
