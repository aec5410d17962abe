import type { Finding } from "@sluice/contracts";

/** A kind of finding. Ids are stable: reports are stored, and people filter by them. */
export interface Rule {
  readonly severity: Finding["severity"];
  readonly confidence: Finding["confidence"];
  /** What is wrong, in a few words. */
  readonly title: string;
  /** Why it matters and what to do about it. */
  readonly help: string;
  /** Number in the Common Weakness Enumeration (https://cwe.mitre.org). */
  readonly cwe: number | null;
}

function rule(
  severity: Rule["severity"],
  confidence: Rule["confidence"],
  title: string,
  help: string,
  cwe: number | null = null,
): Rule {
  return { severity, confidence, title, help, cwe };
}

/**
 * Every rule by its id. Where a policy decides on the severity, the one given here is that of the default policy.
 *
 * The rules on calls follow those of Bandit (https://bandit.readthedocs.io) where there is one, but by resolved references.
 */
export const RULES = {
  "syntax.error": rule(
    "error",
    "high",
    "Not Python",
    "Correct the error; Python itself refuses to compile the script.",
  ),
  "syntax.parser-killed": rule(
    "error",
    "high",
    "Cannot be parsed within the limits",
    "Split the script, and take very long or very deeply nested expressions apart.",
    400,
  ),
  "syntax.partly-read": rule(
    "info",
    "high",
    "Part of the syntax is not understood",
    "Python compiles the script, but what it does in this place could not be told, so it counts as unresolved.",
  ),
  "source.empty": rule(
    "info",
    "high",
    "Empty script",
    "An empty file is valid Python, and does nothing.",
  ),
  "source.encoding": rule(
    "error",
    "high",
    "Encoding not accepted",
    "Save the script as UTF-8. Under other encodings Python may run text that everybody else sees as a comment.",
    838,
  ),
  "source.encoding-declared": rule(
    "info",
    "high",
    "Encoding other than UTF-8",
    "Save the script as UTF-8 and remove the declaration, so that every tool reads the same text.",
    838,
  ),
  "source.too-large": rule(
    "error",
    "high",
    "Too large",
    "Split the script, and keep data in files of their own.",
    400,
  ),
  "source.lone-carriage-return": rule(
    "warning",
    "high",
    "Carriage return that ends a line",
    "Python starts a new line here, where most editors show one line. End all lines with a line feed.",
    436,
  ),
  "text.bidi-control": rule(
    "warning",
    "high",
    "Bidirectional control character",
    "It makes text look as if in another order than Python reads it (CVE-2021-42574). Write it as an escape such as \\u202e.",
    1007,
  ),
  "text.invisible-character": rule(
    "warning",
    "medium",
    "Invisible character",
    "It hides differences between texts that look alike. Remove it, or write it as an escape such as \\u200b.",
    1007,
  ),
  "text.control-character": rule(
    "warning",
    "medium",
    "Control character",
    "In a terminal it can hide or overwrite what was printed. Write it as an escape such as \\x1b.",
    150,
  ),
  "text.confusable-identifier": rule(
    "warning",
    "high",
    "Name that Python reads as another one",
    "Python normalises names (NFKC, PEP 3131), so that this one is not the name it looks like. Write it in plain letters.",
    1007,
  ),
  "text.far-right": rule(
    "warning",
    "medium",
    "Code far to the right",
    "It is out of sight in most editors. Put it on a line of its own.",
    506,
  ),
  "complexity.lines": rule(
    "warning",
    "high",
    "Too many lines",
    "Split the script into modules that do one thing each.",
  ),
  "complexity.functions": rule(
    "warning",
    "high",
    "Too many functions",
    "Split the script into modules that do one thing each.",
  ),
  "complexity.nesting": rule(
    "warning",
    "high",
    "Blocks nested too deeply",
    "Return early, or move inner blocks to functions.",
  ),
  "complexity.mccabe": rule(
    "warning",
    "high",
    "Too many paths",
    "Split it into functions that do one thing each.",
    1121,
  ),
  "complexity.cognitive": rule(
    "warning",
    "high",
    "Hard to follow",
    "Return early, and move nested blocks and long conditions to functions with names.",
    1121,
  ),
  "imports.not-allowed": rule(
    "warning",
    "high",
    "Import that is not on the list",
    "Use a module that the policy allows, or have the script approved.",
    829,
  ),
  "imports.undeclared": rule(
    "warning",
    "medium",
    "Import that the script does not declare",
    "Add the package to `dependencies` in the script's PEP 723 block, or the script fails where it is not installed by chance.",
  ),
  "imports.declaration": rule(
    "warning",
    "high",
    "Dependency block that cannot be read",
    "Write it as PEP 723 says, or tools that install the script's dependencies stop at it.",
  ),
  "python.version": rule(
    "warning",
    "high",
    "Python version that the script does not want",
    "What was found out holds for the Python that judged. Widen `requires-python` if the script runs on it too.",
  ),
  "tool.undescribed": rule(
    "info",
    "high",
    "Tool without a description",
    "Give the function a docstring, or a description where it is registered: by it a model chooses tools.",
  ),
  "docstring.missing": rule(
    "warning",
    "high",
    "No docstring",
    "Say in a docstring what it does; tools show it to their users.",
  ),
  "signature.missing": rule(
    "error",
    "high",
    "Required function is missing",
    "Define the function that the policy asks for.",
  ),
  "signature.mismatch": rule(
    "error",
    "high",
    "Required function has another signature",
    "Define the function as the policy asks for it.",
  ),
  "capability.refused": rule(
    "error",
    "high",
    "Does what the policy refuses",
    "Remove what uses the capability, or ask for a policy that allows it.",
    250,
  ),
  "code.eval": rule(
    "warning",
    "high",
    "Runs code from a string",
    "Whoever can change the string runs code. Use `ast.literal_eval` for data, a dictionary of functions for choices.",
    95,
  ),
  "code.dynamic-import": rule(
    "info",
    "medium",
    "Imports a module by a computed name",
    "What is imported cannot be told before it runs. Import modules by name, and choose among them.",
    829,
  ),
  "process.shell": rule(
    "warning",
    "high",
    "Runs a command through a shell",
    "Whatever gets into the command runs too. Use `subprocess.run([...])` with a list and without `shell=True`.",
    78,
  ),
  "data.unsafe-load": rule(
    "warning",
    "high",
    "Loads objects that can run code",
    "Loading such data runs what it says. Use JSON, or load only what this script wrote and signed itself.",
    502,
  ),
  "data.yaml-load": rule(
    "warning",
    "high",
    "Loads YAML that can run code",
    "Use `yaml.safe_load`, or pass `Loader=yaml.SafeLoader`.",
    502,
  ),
  "data.xml-parse": rule(
    "info",
    "medium",
    "Parses XML without protection",
    "Hostile XML can expand to gigabytes. Use the package `defusedxml` for what others send.",
    776,
  ),
  "file.mktemp": rule(
    "warning",
    "high",
    "Temporary file name that others can take",
    "Use `tempfile.mkstemp` or `NamedTemporaryFile`, which create the file as they choose its name.",
    377,
  ),
  "file.permissions": rule(
    "warning",
    "high",
    "File that everybody can write",
    "Leave out the last digit's write permission, such as `0o755`.",
    732,
  ),
  "network.tls-unverified": rule(
    "warning",
    "high",
    "TLS certificate is not checked",
    "Anybody between can read and change what is sent. Remove `verify=False`, or name the right certificate authority.",
    295,
  ),
  "network.cleartext": rule(
    "info",
    "medium",
    "Protocol without encryption",
    "Passwords and data can be read on the way. Use SSH, SFTP or FTP over TLS.",
    319,
  ),
  "network.bind-all": rule(
    "info",
    "medium",
    "Listens on all interfaces",
    "Bind to 127.0.0.1 unless other machines are meant to reach it.",
    605,
  ),
  "web.debug": rule(
    "warning",
    "high",
    "Web server in debug mode",
    "Its debugger lets visitors run code. Leave out `debug=True`.",
    489,
  ),
  "crypto.weak-hash": rule(
    "info",
    "medium",
    "Weak hash",
    "MD5 and SHA-1 can be forged. Use SHA-256, or say `usedforsecurity=False` where that does not matter.",
    328,
  ),
  "report.truncated": rule(
    "info",
    "high",
    "Not everything is listed",
    "There was more than a report may have. Correct what is listed first.",
  ),
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof RULES;
