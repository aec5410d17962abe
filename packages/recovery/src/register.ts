import {
  exportIndexKey,
  exportSegmentKey,
  type ObjectStore,
  REGISTERS,
  StoreUnavailableError,
} from "@sluice/object-store";
import {
  DamagedExportError,
  type ExportIndex,
  listExports,
  readIndex,
  type Segment,
  type StoredIndex,
  writeIndex,
} from "./export-index.js";
import { type SegmentTarget, writeSegment } from "./segments.js";

/**
 * What the object store is told of the catalog: what scripts and versions there are, and what people have said and decided. Everything
 * else follows from the bytes. The order is that in which a person would miss it.
 */
export const REGISTER_TABLES: ReadonlySet<string> = new Set([
  "scripts",
  "versions",
  "trash",
  "expired_blobs",
  "metadata_changes",
  "legal_holds",
  "approvals",
  "approval_items",
  "policies",
  "effective_policies",
  "retention_policies",
  "audit_log",
]);

/**
 * Writes a register beside each export: the same snapshot, some of the tables, in the object store and never encrypted, for who has lost
 * the backup store, its key or an undamaged export. An object store that is away or full does not keep exports from being made: the
 * next register is a base then.
 */
export class RegisterWriter {
  readonly #segments: Segment[] = [];
  #failure: Error | undefined;

  private constructor(
    private readonly objects: ObjectStore,
    private readonly id: string,
    /** The register that this one goes on from. */
    private readonly before: StoredIndex | undefined,
  ) {}

  /** @param parent - what the export goes on from */
  static async open(
    objects: ObjectStore,
    id: string,
    parent: ExportIndex | undefined,
  ): Promise<RegisterWriter> {
    let before: StoredIndex | undefined;
    let failure: Error | undefined;
    try {
      if (parent !== undefined) before = await readIndex(objects, parent.id, REGISTERS);
    } catch (error) {
      if (error instanceof StoreUnavailableError) failure = error;
      else if (!(error instanceof DamagedExportError)) throw error;
    }
    const register = new RegisterWriter(objects, id, before);
    register.#failure = failure;
    return register;
  }

  /** Why there is none this time. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** It has everything, because there is none that it could go on from. */
  get isBase(): boolean {
    return this.before === undefined;
  }

  async write(
    part: { table: string; kind: Segment["kind"]; part: number },
    lines: readonly string[],
  ): Promise<void> {
    const target: SegmentTarget = {
      store: this.objects,
      exportId: this.id,
      key: undefined,
      root: REGISTERS,
    };
    await this.#unlessFailed(async () => {
      this.#segments.push(await writeSegment(target, part, lines));
    });
  }

  /** Ends it, once the export is there. @param of - the export whose state it has */
  async finish(of: ExportIndex): Promise<void> {
    const { before } = this;
    const size = this.#segments.reduce((sum, segment) => sum + segment.size, 0);
    const index: ExportIndex = {
      ...of,
      format: "sluice.register/1",
      kind: before === undefined ? "base" : "increment",
      parent: before === undefined ? null : { id: before.index.id, sha256: before.sha256 },
      base: before?.index.base ?? of.id,
      tables: of.tables.filter(({ name }) => REGISTER_TABLES.has(name)),
      segments: this.#segments,
      sequences: of.sequences.filter(({ table }) => REGISTER_TABLES.has(table)),
      key_id: null,
      missing: [],
      chain:
        before === undefined
          ? { length: 0, base_size: size, increments_size: 0 }
          : {
              ...before.index.chain,
              length: before.index.chain.length + 1,
              increments_size: before.index.chain.increments_size + size,
            },
    };
    await this.#unlessFailed(async () => {
      await this.objects.put(exportIndexKey(of.id, REGISTERS), writeIndex(index).bytes);
      if (before === undefined) await this.#prune(of.id);
    });
  }

  /** A base makes all others needless. Their indexes go first, so that none rests on what is gone. */
  async #prune(indexId: string): Promise<void> {
    for (const id of (await listExports(this.objects, REGISTERS)).reverse())
      if (id !== indexId) await this.objects.delete(exportIndexKey(id, REGISTERS));
    const own = exportSegmentKey(this.id, "", REGISTERS);
    for await (const { key } of this.objects.list(exportSegmentKey("", "", REGISTERS).slice(0, -1)))
      if (!key.startsWith(own)) await this.objects.delete(key);
  }

  async #unlessFailed(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      this.#failure = error;
    }
  }
}
