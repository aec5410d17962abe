import { rule, type Rule } from "./rule.js";

/** The file as bytes. */
export const SOURCE_RULES = {
  "source.empty": rule({
    severity: "info",
    title: "Empty script",
    why: "An empty file is valid Python and does nothing; uploads of nothing are mostly accidents.",
    help: "Upload the file again if there should be something in it.",
  }),
  "source.binary": rule({
    severity: "error",
    title: "Not a text file",
    why: "What was uploaded is no script, whatever it is named; mostly another file was meant.",
    help: "Upload the script itself. Take a script out of its archive first, and save text as UTF-8.",
  }),
  "source.encoding": rule({
    severity: "error",
    title: "Encoding not accepted",
    why: "Under this encoding Python may run text that everybody else sees as a comment, so nobody could review the script.",
    help: "Save the script as UTF-8, and remove the declaration of another encoding from its first two lines.",
    cwe: 838,
  }),
  "source.encoding-declared": rule({
    severity: "info",
    title: "Encoding other than UTF-8",
    why: "Tools that do not read the declaration show other characters than Python reads.",
    help: "Save the script as UTF-8 and remove the declaration.",
    cwe: 838,
  }),
  "source.too-large": rule({
    severity: "error",
    title: "Too large",
    why: "A script of this size takes more time and memory than the policy grants, and nobody can review it.",
    help: "Split the script, and keep data in files of their own.",
    cwe: 400,
  }),
  "source.lone-carriage-return": rule({
    severity: "warning",
    title: "Carriage return that ends a line",
    why: "Python starts a new line here, where most editors go on with the same one: what looks like a comment can be code.",
    help: "End all lines with a line feed.",
    cwe: 436,
  }),
} as const satisfies Record<string, Rule>;
