/**
 * What the generator puts together. A template is Python text whose last line is an expression and whose other lines come before
 * it. In it stand for themselves: `$X` the expression so far, `$M` and `$F` the module and the member, `$P` and `$N` their names
 * as strings, hidden or not, `$A` the argument, `$_` a number that is different in each template of a script.
 */
export interface Template {
  readonly name: string;
  readonly text: string;
  /** Modules for which it makes sense; all without it. */
  readonly only?: readonly string[];
  /** Whether harmless scripts are written like this, so that nothing may be said of them. */
  readonly ordinary: boolean;
}

/** Something dangerous, or harmless, that scripts are to reach. */
export interface Sink {
  readonly module: string;
  readonly member: string;
  readonly argument: string;
  /** `null`: none, for controls. */
  readonly capability: string | null;
}

/** Stands in the arguments of sinks, so that the audit hook tells their events from those of imports. */
const MARK = "SLUICE_MARK";

export const SINKS: readonly Sink[] = [
  { module: "os", member: "system", argument: `'${MARK}'`, capability: "process.spawn" },
  { module: "builtins", member: "eval", argument: `'${MARK}'`, capability: "code.execute" },
  { module: "subprocess", member: "getoutput", argument: `'${MARK}'`, capability: "process.spawn" },
  { module: "os", member: "remove", argument: `'${MARK}'`, capability: "filesystem.delete" },
  { module: "builtins", member: "exec", argument: `'${MARK}'`, capability: "code.execute" },
  { module: "shutil", member: "rmtree", argument: `'${MARK}'`, capability: "filesystem.delete" },
  { module: "ctypes", member: "CDLL", argument: `'${MARK}'`, capability: "native.load" },
  { module: "os", member: "mkdir", argument: `'${MARK}'`, capability: "filesystem.write" },
  {
    module: "pickle",
    member: "loads",
    argument: `b'c${MARK}\\nx\\n.'`,
    capability: "data.deserialize",
  },
  { module: "builtins", member: "open", argument: `'${MARK}'`, capability: "filesystem.read" },
  { module: "subprocess", member: "Popen", argument: `'${MARK}'`, capability: "process.spawn" },
  {
    module: "socket",
    member: "create_connection",
    argument: `('127.0.0.1', 47811, '${MARK}')[:2]`,
    capability: "network.client",
  },
];

export const HARMLESS_SINKS: readonly Sink[] = [
  { module: "json", member: "dumps", argument: "[1]", capability: null },
  { module: "math", member: "sqrt", argument: "4", capability: null },
  { module: "textwrap", member: "dedent", argument: "'a'", capability: null },
];

/** Templates from `name: text`, those that harmless scripts use, too, with `+` before the name. */
export function templates(
  entries: Readonly<Record<string, string>>,
  only?: readonly string[],
): Template[] {
  return Object.entries(entries).map(([key, text]) => ({
    name: key.replace(/^\+/, ""),
    text,
    ordinary: key.startsWith("+"),
    ...(only ? { only } : {}),
  }));
}
