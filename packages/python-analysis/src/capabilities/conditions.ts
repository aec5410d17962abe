import type { SyntaxNode } from "../structure/types.js";
import { argumentOf, argumentsOf, hasSpread } from "./arguments.js";
import type { Evaluation } from "./evaluate.js";
import type { CapabilityMap, Condition, Grant } from "./map.js";
import { operands } from "./names.js";

/** The call that a reference is the callee of. */
export interface CallSite {
  readonly call: SyntaxNode;
  /** The resolved callee, such as `builtins.open`. */
  readonly path: string;
  /** Whether the callee is a method of an instance, so that its first parameter is not among the arguments. */
  readonly isBound: boolean;
}

/** What a literal or name may be: all of its constant texts, and whether it may be something else, too. */
interface Constants {
  readonly texts: readonly string[];
  readonly exact: boolean;
}

const REMOTE = /^[a-z][a-z0-9+.-]*:\/\//i;
const WRITING_FLAG = /\.O_(?:WRONLY|RDWR|CREAT|APPEND|TRUNC|TMPFILE)$/;
const SAFE_LOADER = /^yaml\.C?(?:Safe|Base)Loader$/;

/**
 * Decides the capabilities of a reference from the arguments of its call. What the arguments do not tell counts as used, and so
 * does a conditional capability of something that is not called but handed on.
 */
export class Conditions {
  readonly #evaluation: Evaluation;
  readonly #map: CapabilityMap;

  constructor(evaluation: Evaluation, map: CapabilityMap) {
    this.#evaluation = evaluation;
    this.#map = map;
  }

  /** The capabilities among `grants` that are used. */
  used(grants: readonly Grant[], site: CallSite | null): string[] {
    return grants.flatMap((grant): readonly string[] => {
      const { capability, otherwise, condition } = grant;
      if (condition === "mode" || condition === "mode0" || condition === "flags") {
        const both = otherwise === null ? [capability] : [capability, otherwise];
        if (!site) return both;
        const access =
          condition === "flags"
            ? this.#flags(site.call)
            : this.#mode(site.call, site.isBound || condition === "mode0" ? 0 : 1);
        return both.filter((_, i) => access[i === 0 ? "reads" : "writes"]);
      }
      return condition === null || this.#holds(condition, site) ? [capability] : [];
    });
  }

  #constants(node: SyntaxNode | undefined): Constants {
    const values = node ? this.#evaluation.values(node) : [];
    const texts = values.flatMap((value) => (value.kind === "string" ? [value.text] : []));
    return { texts, exact: values.length > 0 && texts.length === values.length };
  }

  /** `open(file, mode)`, and methods whose file is the object. Without a mode a file is read. */
  #mode(call: SyntaxNode, position: number): { reads: boolean; writes: boolean } {
    const mode = argumentOf(call, position, "mode");
    if (!mode)
      return hasSpread(call) ? { reads: true, writes: true } : { reads: true, writes: false };
    const { texts: modes, exact } = this.#constants(mode);
    if (!exact) return { reads: true, writes: true };
    // What follows says how an archive is compressed: `r:xz`.
    const texts = modes.map((text) => text.replace(/[:|].*/s, ""));
    return {
      reads: texts.some((text) => /^[^wax]*$|\+/.test(text)),
      writes: texts.some((text) => /[wax+]/.test(text)),
    };
  }

  #flags(call: SyntaxNode): { reads: boolean; writes: boolean } {
    const flags = argumentOf(call, 1, "flags");
    const pending = flags ? [flags] : [];
    let reads = pending.length > 0;
    let writes = false;
    for (let node = pending.pop(), left = 50; node; node = pending.pop(), left--) {
      if (left <= 0) return { reads: true, writes: true };
      if (node.type === "binary_operator" || node.type === "parenthesized_expression") {
        pending.push(...operands(node));
        continue;
      }
      const paths = this.#evaluation
        .values(node)
        .map((value) => (value.kind === "path" ? value.path : null));
      if (paths.some((path) => path === null || !/\.O_\w+$/.test(path)))
        return { reads: true, writes: true };
      writes ||= paths.some((path) => WRITING_FLAG.test(path!));
      if (paths.every((path) => path!.endsWith(".O_WRONLY"))) reads = false;
    }
    return reads || writes ? { reads, writes } : { reads: true, writes: true };
  }

  #holds(
    condition: Exclude<Condition, "mode" | "mode0" | "flags">,
    site: CallSite | null,
  ): boolean {
    if (!site) return condition !== "3-arg" && condition !== "called";
    const { call, path } = site;
    if (hasSpread(call) && condition !== "attribute") return true;
    const first = argumentOf(call, 0, null);
    switch (condition) {
      case "attribute":
        return this.#touchesModule(first, argumentOf(call, 1, null), path);
      case "namespace":
        return !first || this.#evaluation.values(first).some((value) => value.kind === "path");
      case "name":
        return argumentsOf(call).some(({ value }) => {
          const { texts, exact } = this.#constants(value);
          return (
            !exact ||
            texts.some((text) => text.split(".").some((part) => this.#map.anyAttribute(part)))
          );
        });
      case "3-arg":
        return argumentsOf(call).length >= 3;
      case "string": {
        const code = argumentsOf(call).filter(
          ({ keyword }) => keyword === null || keyword === "stmt" || keyword === "setup",
        );
        return code.some(({ value }) =>
          this.#evaluation.values(value).some(({ kind }) => kind !== "function"),
        );
      }
      case "annotations":
      case "called":
        return true;
      case "eval_str":
      case "allow_pickle":
      case "inplace": {
        const flag = argumentOf(call, null, condition);
        return flag !== undefined && flag.type !== "false";
      }
      case "module": {
        const module = argumentOf(call, 0, condition);
        return module !== undefined && !this.#constants(module).exact;
      }
      case "filename":
        return argumentOf(call, null, condition) !== undefined;
      case "file": {
        const { texts, exact } = this.#constants(first);
        return !exact || texts.some((text) => text !== ":memory:");
      }
      case "Loader": {
        const loader = argumentOf(call, 1, condition);
        const loaders = loader ? this.#evaluation.values(loader) : [];
        return (
          loaders.length === 0 ||
          !loaders.every((value) => value.kind === "path" && SAFE_LOADER.test(value.path))
        );
      }
      case "url":
      case "file://": {
        const { texts, exact } = this.#constants(first);
        if (!exact) return true;
        return texts.some((text) =>
          condition === "url" ? REMOTE.test(text) : /^(?:file|local_file):/i.test(text),
        );
      }
    }
  }

  /** `getattr` and its like: on an object they are ordinary, on a module they reach or change what is not written out. */
  #touchesModule(
    object: SyntaxNode | undefined,
    name: SyntaxNode | undefined,
    path: string,
  ): boolean {
    if (!object) return true;
    const { texts } = this.#constants(name);
    if (texts.some((text) => this.#map.anyAttribute(text)?.when === null)) return true;
    if (path === "builtins.getattr") return false;
    return this.#evaluation
      .values(object)
      .some((value) => value.kind === "path" || value.kind === "namespace");
  }
}
