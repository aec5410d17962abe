import {
  type Description,
  type ManifestedVersion,
  type NewEvent,
  type Queryable,
  recordEvents,
  toDescription,
  withDescriptionHeld,
  withManifestHeld,
} from "@sluice/catalog";
import { metadataKey, type ObjectStore } from "@sluice/object-store";
import { z } from "zod";
import type { HealDeps } from "./heal-blob.js";
import { readable } from "./readable.js";
import { refusal } from "./refusal.js";
import { type Manifest, manifest, manifestOf, putVerified } from "./manifest.js";

/**
 * How a document that the catalog can write anew was found. `stale` says what was true once, and is no damage: a verdict and a name
 * change.
 */
export interface DocumentCondition {
  readonly state: "good" | "stale" | "damaged" | "missing";
  /** What was found, for a person. */
  readonly why: string;
  /** Of what was read. */
  readonly bytes: number;
}

/** What was wrong with a document, and whether it is right again. */
export interface HealedDocument {
  readonly found: "damaged" | "missing";
  readonly repaired: boolean;
}

/**
 * Holds the `metadata.json` beside a blob against what the catalog says.
 *
 * @throws `StoreUnavailableError` where the store cannot be asked
 */
export function inspectDescription(
  objects: ObjectStore,
  description: Description,
): Promise<DocumentCondition> {
  const key = metadataKey(description.sha256);
  return inspect(objects, key, (text) => conditionOf(text, description));
}

const head = z.object({
  script_id: z.string(),
  namespace: z.string().optional(),
  filename: z.string(),
  upload_time: z.string().optional(),
  version: z.number(),
  sha256: z.string(),
});

function conditionOf(
  text: string,
  { sha256, candidates }: Description,
): "good" | "stale" | "damaged" {
  const parsed = head.safeParse(parse(text));
  if (!parsed.success || parsed.data.sha256 !== sha256) return "damaged";
  const said = parsed.data;
  const analysed = candidates.filter(
    (candidate) => text === toDescription(said, candidate.metadata),
  );
  if (analysed.length === 0) return "damaged";
  // The script was renamed, or another that has the same bytes leads by now.
  return analysed.some((one) => text === toDescription(one.head, one.metadata)) ? "good" : "stale";
}

/** The `metadata.json` of a blob, as it is to be; `undefined` where no analysis describes it. */
export function describe({ candidates: [newest] }: Description): Buffer | undefined {
  return newest && Buffer.from(toDescription(newest.head, newest.metadata));
}

/** Looks at a description again, with its blob held, and writes it anew from the catalog where it is not right. */
export async function healDescription(
  { catalog, objects }: HealDeps,
  sha256: string,
): Promise<HealedDocument | undefined> {
  let healed: HealedDocument | undefined;
  await withDescriptionHeld(catalog, sha256, async (tx, description) => {
    const [newest] = description.candidates;
    if (newest === undefined) return;
    const found = await inspectDescription(objects, description);
    healed = await rewrite(tx, objects, found, {
      kind: "object",
      key: metadataKey(sha256),
      text: toDescription(newest.head, newest.metadata),
      about: { scriptId: newest.head.script_id, sha256 },
    });
  });
  return healed;
}

/**
 * Holds the manifest of a version against what the catalog says.
 *
 * @throws `StoreUnavailableError` where the store cannot be asked
 */
export function inspectManifest(
  backup: ObjectStore,
  version: ManifestedVersion,
): Promise<DocumentCondition> {
  const wanted = manifestOf(version);
  return inspect(backup, version.manifestKey, (text) => {
    const parsed = manifest.safeParse(parse(text));
    if (!parsed.success || LASTING.some((field) => parsed.data[field] !== wanted[field]))
      return "damaged";
    return text === toText(wanted) ? "good" : "stale";
  });
}

/** What of a manifest never changes. */
const LASTING = [
  "script_id",
  "version_id",
  "version",
  "original_filename",
  "sha256",
  "size",
  "upload_time",
] as const satisfies readonly (keyof Manifest)[];

/** Looks at a manifest again, with its version held, and writes it anew from the catalog where it is not right. */
export async function healManifest(
  { catalog, backup }: HealDeps,
  versionId: string,
): Promise<HealedDocument | undefined> {
  let healed: HealedDocument | undefined;
  await withManifestHeld(catalog, versionId, async (tx, version) => {
    const found = await inspectManifest(backup, version);
    healed = await rewrite(tx, backup, found, {
      kind: "backup",
      key: version.manifestKey,
      text: toText(manifestOf(version)),
      about: { scriptId: version.scriptId, sha256: version.sha256 },
    });
  });
  return healed;
}

function toText(content: Manifest): string {
  return `${JSON.stringify(content)}\n`;
}

interface Rewriting {
  readonly kind: "object" | "backup";
  readonly key: string;
  readonly text: string;
  readonly about: Pick<NewEvent, "scriptId" | "sha256">;
}

async function rewrite(
  tx: Queryable,
  store: ObjectStore,
  { state, why }: DocumentCondition,
  { kind, key, text, about }: Rewriting,
): Promise<HealedDocument | undefined> {
  if (state === "good") return undefined;
  const failure = await refusal(store, () => putVerified(store, key, Buffer.from(text)));
  if (state === "stale") return undefined;
  const message = failure === undefined ? why : `${why}; it could not be written anew: ${failure}`;
  const repaired: NewEvent = {
    severity: "info",
    kind: `${kind}.repaired`,
    message: `${key} was written anew from the catalog.`,
    ...about,
    details: { key },
  };
  await recordEvents(tx, [
    { severity: "warning", kind: `${kind}.${state}`, message, ...about, details: { key } },
    ...(failure === undefined ? [repaired] : []),
  ]);
  return { found: state, repaired: failure === undefined };
}

async function inspect(
  store: ObjectStore,
  key: string,
  judge: (text: string) => "good" | "stale" | "damaged",
): Promise<DocumentCondition> {
  const found = await readable(store, async () => {
    const bytes = await store.get(key);
    return { state: judge(bytes.toString()), bytes: bytes.length };
  });
  if ("bytes" in found) return { ...found, why: `${key} is not what the catalog says` };
  return { ...found, bytes: 0 };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
