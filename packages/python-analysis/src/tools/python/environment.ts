import { type Value, isCallOf } from "./values.js";

/** Variables that most processes have, whose value so is known only at run time. */
const USUAL =
  /^(HOME|PATH|USER|LOGNAME|SHELL|PWD|OLDPWD|LANG|LANGUAGE|LC_\w+|TERM|TZ|TMPDIR|TEMP|TMP|HOSTNAME|EDITOR|PYTHON\w*|VIRTUAL_ENV|XDG_\w+|SHLVL|DISPLAY|CI)$/;

/** The environment variable that `os.getenv(…)` or `os.environ.get(…)` asks for, unless it is one that is usually set. */
export function variableAskedFor(callee: Value, method: string, name?: Value): string | null {
  const asks =
    callee.kind === "library-function"
      ? callee.id === "os.getenv"
      : method === "get" && isCallOf(callee, "os.environ");
  return asks && name?.kind === "str" && !USUAL.test(name.value) ? name.value : null;
}

/** What was taken for granted while evaluating: the environment variables that a script asks for are not set. */
export class Assumptions {
  #unset = new Set<string>();

  addUnset(variables: Iterable<string>): void {
    for (const variable of variables) this.#unset.add(variable);
  }

  /** Does work, and tells what it took for granted. */
  during<T>(work: () => T): { readonly result: T; readonly unset: ReadonlySet<string> } {
    const outer = this.#unset;
    const unset = (this.#unset = new Set());
    try {
      return { result: work(), unset };
    } finally {
      this.#unset = outer;
      this.addUnset(unset);
    }
  }
}
