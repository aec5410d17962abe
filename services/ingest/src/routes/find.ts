/** Looks things up, or says with a problem document that they are not there. */
import { type Catalog, readScript, readVersion, type Script, type Version } from "@sluice/catalog";
import type { Response } from "express";
import { ProblemError } from "../http/problem-error.js";

interface Wanted {
  readonly scriptId: string;
  /** The newest where absent. */
  readonly version?: number | undefined;
}

/** @throws {@link ProblemError} `script_not_found` */
export async function findScript(
  catalog: Catalog,
  scriptId: string,
  res: Response,
): Promise<Script> {
  res.locals.about["script_id"] = scriptId;
  const script = await readScript(catalog, scriptId);
  if (script === undefined) throw scriptNotFound(scriptId);
  return script;
}

/** @throws {@link ProblemError} `script_not_found` or `version_not_found` */
export async function findVersion(
  catalog: Catalog,
  wanted: Wanted,
  res: Response,
): Promise<Version> {
  Object.assign(res.locals.about, { script_id: wanted.scriptId, version: wanted.version });
  const version = await readVersion(catalog, wanted);
  if (version === undefined) throw await notFound(catalog, wanted);
  return version;
}

/** What to say where a version was looked for in vain: whether it lacks, or the script does. */
export async function notFound(
  catalog: Catalog,
  { scriptId, version }: Wanted,
): Promise<ProblemError> {
  if (version === undefined) return scriptNotFound(scriptId);
  const script = await readScript(catalog, scriptId);
  if (script === undefined) return scriptNotFound(scriptId);
  return new ProblemError(
    "version_not_found",
    `The script ${scriptId} has no version ${version}; its newest is ${script.version}.`,
  );
}

export function purged(what: string, scriptId: string): ProblemError {
  return new ProblemError(
    "purged",
    `${what} was in the trash for as long as it was to be, and is gone. GET /api/v1/scripts/${scriptId}/retention says why.`,
  );
}

export function scriptNotFound(scriptId: string): ProblemError {
  return new ProblemError(
    "script_not_found",
    `There is no script ${scriptId}; it may have been deleted.`,
  );
}
