import { isAscii } from "node:buffer";
import { createHash } from "node:crypto";
import { readAnalysisText, type Version } from "@sluice/catalog";
import { type Comparison, DIFF_TYPE, sanitiseFilename } from "@sluice/contracts";
import { isFinal } from "@sluice/pipeline";
import { decodeSource } from "@sluice/python-analysis";
import { loadPlain } from "../content/load.js";
import type { Dependencies } from "../dependencies.js";
import { isKnown } from "../http/entity-tag.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { findVersion } from "./find.js";

export function compareVersions(deps: Dependencies): Route {
  return route("compareVersions", async ({ params, query, req, res }) => {
    const type = req.accepts(["application/json", DIFF_TYPE]);
    if (type === false) {
      throw new ProblemError("not_acceptable", `There is application/json and ${DIFF_TYPE}.`);
    }
    const { catalog } = deps;
    const from = await findVersion(catalog, { scriptId: params.id, version: params.a }, res);
    const to = await findVersion(catalog, { scriptId: params.id, version: params.b }, res);
    const [foundFrom, foundTo] = await Promise.all([
      readAnalysisText(catalog, from.versionId),
      readAnalysisText(catalog, to.versionId),
    ]);
    // Of all that the answer is made from, so that 304 costs no comparison.
    const tag = tagOf([
      deps.version,
      type,
      query,
      toSide(from),
      toSide(to),
      from.filename,
      foundFrom,
      foundTo,
    ]);
    res.set("ETag", tag).set("Cache-Control", "private, no-cache").set("Vary", "Accept");
    if (isKnown(req.get("if-none-match"), tag)) {
      res.status(304).end();
      return;
    }

    const [sourceFrom, sourceTo] = await Promise.all([
      readSource(deps, from),
      readSource(deps, to),
    ]);
    const name = sanitiseFilename(from.filename);
    const { source, analysis, listsCut } = await deps.comparer.compare({
      sources: sourceFrom && sourceTo && [sourceFrom.text, sourceTo.text],
      metadata: pair(foundFrom.metadata, foundTo.metadata),
      reports: pair(foundFrom.report, foundTo.report),
      context: query.context,
      names: [headerOf("a", name, from), headerOf("b", name, to)],
      profile: query.profile,
    });
    if (type === DIFF_TYPE) {
      if (source === undefined) throw new ProblemError("no_diff", "A version is not text.");
      if (source.truncated) {
        throw new ProblemError("no_diff", "The diff is too large to be given as a whole.");
      }
      res.set("Content-Type", `${DIFF_TYPE}; charset=utf-8`).send(Buffer.from(source.diff));
      return;
    }
    const body: Comparison = {
      script_id: from.scriptId,
      filename: from.filename,
      from: toSide(from),
      to: toSide(to),
      identical: from.sha256 === to.sha256,
      source: {
        diff: source?.diff ?? null,
        encodings: { from: sourceFrom?.encoding ?? null, to: sourceTo?.encoding ?? null },
        additions: source?.additions ?? null,
        deletions: source?.deletions ?? null,
        minimal: source?.minimal ?? false,
        truncated: source?.truncated ?? false,
      },
      missing: [...missingOf(from, foundFrom), ...missingOf(to, foundTo)],
      ...analysis,
      lists_cut: listsCut,
    };
    res.set("Content-Type", "application/json").send(Buffer.from(JSON.stringify(body)));
  });
}

function toSide(version: Version): Comparison["from"] {
  return {
    version: version.version,
    sha256: version.sha256,
    size: version.size,
    state: version.state,
    upload_time: version.uploadTime.toISOString(),
  };
}

function tagOf(parts: readonly unknown[]): string {
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
  return `"${digest.slice(0, 27)}"`;
}

function headerOf(side: string, name: string, version: Version): string {
  return `${side}/${name}\t${version.uploadTime.toISOString()}`;
}

function pair(a: string | undefined, b: string | undefined): [string, string] | undefined {
  return a === undefined || b === undefined ? undefined : [a, b];
}

/** `undefined` where the bytes are not text. */
async function readSource(
  deps: Dependencies,
  version: Version,
): Promise<{ readonly text: string; readonly encoding: string } | undefined> {
  const bytes = await loadPlain(deps, version);
  if (bytes.includes(0)) return undefined;
  const decoded = decodeSource(bytes);
  if (decoded.ok && decoded.encoding !== "utf-8" && !isAscii(bytes)) {
    return { text: decoded.text, encoding: decoded.encoding };
  }
  try {
    // The mark and the line ends are a part of what a diff is applied to.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, encoding: "utf-8" };
  } catch {
    return undefined;
  }
}

function missingOf(
  { version, state }: Version,
  found: Awaited<ReturnType<typeof readAnalysisText>>,
): Comparison["missing"] {
  const reason = isFinal(state) ? "never" : "not_yet";
  return (["metadata", "report"] as const)
    .filter((part) => found[part] === undefined)
    .map((part) => ({ version, part, reason }));
}
