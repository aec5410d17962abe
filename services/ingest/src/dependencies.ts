import type { Catalog, Registrar, StatusReader } from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import type { Queue } from "@sluice/queue";
import type { ApiKey, Logger, Metrics } from "@sluice/runtime";
import type { Comparer } from "./compare/comparer.js";
import type { ContentHealer } from "./content/heal.js";
import type { KnownForms } from "./content/known-forms.js";
import type { SearchDeps } from "./search/engine.js";
import type { KeyClaims } from "./key-claims.js";
import type { IngestMetrics, ObservePipeline } from "./metrics.js";
import type { StatusWatch } from "./status/watch.js";
import type { StorageMonitor } from "@sluice/disk";
import type { Intake } from "./upload/intake.js";
import type { HeldBytes } from "./upload/held-bytes.js";
import type { UseNotes } from "./use/use-notes.js";
import type { OneAtATime } from "./upload/one-at-a-time.js";

/** What the routes need; each takes a part of it. */
export interface Dependencies {
  readonly catalog: Catalog;
  /** On connections and threads of its own. */
  readonly searching: SearchDeps;
  readonly registrar: Registrar;
  readonly statuses: StatusReader;
  readonly watch: StatusWatch;
  readonly store: ObjectStore;
  readonly healer: ContentHealer;
  readonly knownForms: KnownForms;
  readonly queue: Queue;
  readonly comparer: Comparer;
  readonly storage: StorageMonitor;
  readonly intake: Intake;
  readonly held: HeldBytes;
  readonly names: OneAtATime;
  readonly uses: UseNotes;
  readonly claims: KeyClaims;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly counters: IngestMetrics;
  readonly observePipeline: ObservePipeline;
  readonly metricsPeers: readonly string[];
  readonly apiKeys: readonly ApiKey[];
  /** POLICY_FILE, for a catalog that has no policy yet. */
  readonly policyFile: string | undefined;
  /** How many days back the use of each script on each day is kept. */
  readonly useDaysKept: number;
  /** How long what is deleted can be brought back, in milliseconds. */
  readonly trashMs: number;
  /** Of Sluice itself, as the OpenAPI document shows it. */
  readonly version: string;
}
