import { moduleName, type Import } from "../structure/imports.js";
import { canonicalName, type Requirement } from "./requirement.js";
import { distributionOf, isNamespace } from "./distributions.js";
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

export type ImportOrigin =
  /** Of the package that the script would be part of. */
  | { readonly kind: "relative" }
  | { readonly kind: "standard-library" }
  /** Of a standard library before this one. */
  | { readonly kind: "removed" }
  /** Declared by the script, and by which requirement. */
  | { readonly kind: "declared"; readonly requirement: Requirement }
  /** From elsewhere, presumably from this distribution. */
  | { readonly kind: "undeclared"; readonly distribution: string | null };

/**
 * Whether a module belongs to the standard library of the built-in Python, 3.14. It is that one's also where `PYTHON_BIN` names an
 * older one, whose verdicts are its own: modules come and go by a handful in a version, and {@link ImportOrigin} tells those that
 * went from packages.
 */
export function isStandardLibrary(module: string): boolean {
  return STDLIB_MODULES.has(topLevel(module));
}

/**
 * Where each of the modules that an import statement names comes from: `from google.cloud import storage, pubsub` names two.
 *
 * @param declared - what the script says it needs
 */
export function originsOf(imported: Import, declared: readonly Requirement[]): ImportOrigin[] {
  if (imported.level > 0) return [{ kind: "relative" }];
  const top = topLevel(imported.module);
  if (STDLIB_MODULES.has(top)) return [{ kind: "standard-library" }];
  const origins = modulesNamedBy(imported).map((module): ImportOrigin => {
    const distribution = distributionOf(module);
    const names = [distribution, canonicalName(top), canonicalName(module)];
    const requirement = declared.find(({ name }) => names.includes(name));
    if (requirement) return { kind: "declared", requirement };
    return NEVER_DISTRIBUTED.has(top) ? { kind: "removed" } : { kind: "undeclared", distribution };
  });
  return origins;
}

/** The distributions that imports seem to need, in order of first use. */
export function inferDependencies(imports: readonly Import[]): string[] {
  const distributions = imports
    .flatMap((each) => originsOf(each, []))
    .map((origin) => (origin.kind === "undeclared" ? origin.distribution : null));
  return [...new Set(distributions.filter((name) => name !== null))];
}

function modulesNamedBy(imported: Import): string[] {
  const { module, names } = imported;
  return names && isNamespace(module)
    ? names.map(({ name }) => `${module}.${name}`)
    : [moduleName(imported)];
}

function topLevel(module: string): string {
  return module.split(".", 1)[0]!;
}
