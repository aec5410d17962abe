import type { ImportDetail } from "@sluice/contracts";
import { moduleName, type Import, type ImportedName } from "../structure/imports.js";
import { canonicalName } from "./canonical-name.js";
import { distributionOf, isNamespace } from "./distributions.js";
import type { Requirement } from "./requirement.js";
import { STDLIB_MODULES } from "./stdlib-modules.js";

/**
 * Modules that are no distribution's: those that the standard library had in Python 3.8 or later and has no more, those of
 * Python 2 which scripts for both still try, the interpreter's own tests, and the script itself. Their names on the package
 * index, where they are taken, are somebody else's.
 */
const NEVER_DISTRIBUTED: ReadonlySet<string> = new Set(
  `
  _bootsubprocess _compression _crypt _msi _sha256 _sha512 aifc asynchat asyncore audioop binhex cgi cgitb chunk crypt
  distutils dummy_threading formatter imghdr imp lib2to3 macpath macurl2path mailcap msilib nis nntplib ossaudiodev
  parser pipes smtpd sndhdr spwd sunau symbol telnetlib uu xdrlib _bootlocale _dummy_thread
  BaseHTTPServer Bastion CGIHTTPServer ConfigParser Cookie DocXMLRPCServer HTMLParser MimeWriter Queue
  SimpleHTTPServer SimpleXMLRPCServer SocketServer StringIO Tkinter ScrolledText UserDict UserList UserString
  __builtin__ anydbm cPickle cStringIO commands compiler cookielib copy_reg dircache dumbdbm dummy_thread exceptions
  fpformat gdbm htmlentitydefs htmllib httplib ihooks imputil md5 mhlib mimetools mimify multifile mutex new
  popen2 posixfile repr rexec rfc822 robotparser sets sgmllib sha statvfs stringold thread tkFileDialog tkFont
  tkMessageBox tkSimpleDialog toaiff ttk urllib2 urlparse user whichdb xmlrpclib __main__ test
  `
    .trim()
    .split(/\s+/),
);

/** Where a module comes from. */
export type ImportOrigin = Pick<ImportDetail, "origin" | "distribution" | "requirement">;

/** What of an import statement comes from one place. */
export interface ImportSource {
  /** As in {@link Import}. */
  readonly names: Import["names"];
  /** The modules that are named: what is imported from a namespace package is a module itself. */
  readonly modules: readonly string[];
  readonly origin: ImportOrigin;
}

/** Endings of distributions that install the same modules as the one without, or with another of these. */
const VARIANT =
  /-(?:binary|c|cpu|cu11|cu12|cu13|cuda|gpu|headless|lite|nightly|preview|rocm|slim)$/;

/** What a script says it needs. */
export class DeclaredDependencies {
  readonly #byName = new Map<string, Requirement>();
  /** By names without the ending of a variant. */
  readonly #byBase = new Map<string, Requirement>();

  constructor(requirements: readonly Requirement[]) {
    for (const each of requirements.toReversed()) {
      this.#byName.set(each.name, each);
      this.#byBase.set(baseOf(each.name), each);
    }
  }

  /** The requirement that may well install a module: `opencv-python-headless` does what `opencv-python` does. */
  for(module: string, distribution: string | null): Requirement | undefined {
    if (this.#byName.size === 0) return undefined;
    const named = (name: string) => this.#byName.get(canonicalName(name));
    return (
      (distribution === null
        ? undefined
        : (this.#byName.get(distribution) ?? this.#byBase.get(baseOf(distribution)))) ??
      named(topLevel(module)) ??
      named(module)
    );
  }
}

function baseOf(distribution: string): string {
  return distribution.replace(VARIANT, "");
}

/**
 * Whether a module belongs to the standard library of the built-in Python, 3.14. It is that one's also where `PYTHON_BIN` names an
 * older one, whose verdicts are its own: modules come and go by a handful in a version, and {@link ImportOrigin} tells those that
 * went from packages.
 */
export function isStandardLibrary(module: string): boolean {
  return STDLIB_MODULES.has(topLevel(module));
}

/**
 * Where what an import statement names comes from, in order of the places' first names: `from google.cloud import storage, pubsub`
 * has two.
 */
export function sourcesOf(imported: Import, declared: DeclaredDependencies): ImportSource[] {
  const sources = new Map<
    string,
    { names: ImportedName[]; modules: string[]; origin: ImportOrigin }
  >();
  for (const { module, names } of partsOf(imported)) {
    const origin = originOf(module, declared);
    const key = `${origin.origin} ${origin.distribution} ${origin.requirement}`;
    const source = sources.get(key) ?? { names: [], modules: [], origin };
    for (const name of names) source.names.push(name);
    source.modules.push(module);
    sources.set(key, source);
  }
  return [...sources.values()].map((source) => ({
    ...source,
    names: imported.names && source.names,
  }));
}

function originOf(module: string, declared: DeclaredDependencies): ImportOrigin {
  const nowhere = { distribution: null, requirement: null };
  if (module.startsWith(".")) return { origin: "relative", ...nowhere };
  if (isStandardLibrary(module)) return { origin: "standard_library", ...nowhere };
  const distribution = distributionOf(module);
  const requirement = declared.for(module, distribution);
  if (requirement)
    return {
      origin: "declared",
      distribution: requirement.name,
      requirement: requirement.normalised,
    };
  if (NEVER_DISTRIBUTED.has(topLevel(module))) return { origin: "removed", ...nowhere };
  return { origin: "unknown", distribution, requirement: null };
}

/** The distributions that imports seem to need, in order of first use. */
export function inferDependencies(imports: readonly Import[]): string[] {
  const none = new DeclaredDependencies([]);
  const distributions = imports
    .flatMap((each) => sourcesOf(each, none))
    .map(({ origin }) => (origin.origin === "unknown" ? origin.distribution : null));
  return [...new Set(distributions.filter((name) => name !== null))];
}

function partsOf(imported: Import): { module: string; names: readonly ImportedName[] }[] {
  const { level, module, names } = imported;
  const whole = moduleName(imported);
  if (level > 0 || !names || !isNamespace(module)) return [{ module: whole, names: names ?? [] }];
  return names.map((each) => ({
    module: each.name === "*" ? whole : `${whole}.${each.name}`,
    names: [each],
  }));
}

function topLevel(module: string): string {
  return module.split(".", 1)[0]!;
}
