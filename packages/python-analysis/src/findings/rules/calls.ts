import { rule, type Rule } from "./rule.js";

/**
 * Calls that are dangerous in themselves. They follow the rules of Bandit (https://bandit.readthedocs.io) where there is one, but
 * by resolved references.
 */
export const CALL_RULES = {
  "code.eval": rule({
    severity: "warning",
    title: "Runs code from a string",
    why: "Whoever can change the string runs code with all rights of the script; and no review sees that code.",
    help: "Use `ast.literal_eval` or `json.loads` for data, and a dictionary of functions for choices.",
    cwe: 95,
  }),
  "code.obfuscated": rule({
    severity: "warning",
    title: "Runs or reaches what is hidden from readers",
    why: "The script decodes code, or the name of what it takes out of a module, from text that nobody can read. Honest scripts have no reason to; malware does it to get past reviews and scanners.",
    help: "Write the code and the names out.",
    cwe: 506,
  }),
  "code.dynamic-import": rule({
    severity: "info",
    confidence: "medium",
    title: "Imports a module by a computed name",
    why: "What is imported, and so what runs, cannot be told before the script does.",
    help: "Import modules by name, and choose among them.",
    cwe: 470,
  }),
  "process.shell": rule({
    severity: "warning",
    title: "Runs a command through a shell",
    why: "The shell reads the whole text: whatever gets into it, such as `; rm -rf ~` in a file name, runs too.",
    help: "Use `subprocess.run([...])` with a list and without `shell=True`; quote with `shlex.quote` where a shell is needed.",
    cwe: 78,
  }),
  "data.unsafe-load": rule({
    severity: "warning",
    title: "Loads objects that can run code",
    why: "Data of this format names functions to call while it is loaded: whoever writes the data runs code.",
    help: "Use JSON or another format of plain data, or load only what this script wrote and signed itself.",
    cwe: 502,
  }),
  "data.yaml-load": rule({
    severity: "warning",
    title: "Loads YAML that can run code",
    why: "With this loader a document can create any Python object, and run code while it does.",
    help: "Use `yaml.safe_load`, or pass `Loader=yaml.SafeLoader`.",
    cwe: 502,
  }),
  "data.xml-parse": rule({
    severity: "info",
    confidence: "medium",
    title: "Parses XML without protection",
    why: "Entities in hostile XML can expand to gigabytes (“billion laughs”), and with some parsers read files.",
    help: "Use the package `defusedxml` for what others send.",
    cwe: 776,
  }),
  "file.mktemp": rule({
    severity: "warning",
    title: "Temporary file name that others can take",
    why: "Between the choice of the name and the file's creation, another user can put a file or a link there.",
    help: "Use `tempfile.mkstemp` or `tempfile.NamedTemporaryFile`, which create the file as they choose its name.",
    cwe: 377,
  }),
  "file.permissions": rule({
    severity: "warning",
    title: "File that everybody can write",
    why: "Every user and process of the machine can change the file, and whatever runs or reads it later.",
    help: "Leave out the last digit's write permission, such as `0o755` or `0o644`.",
    cwe: 732,
  }),
  "network.tls-unverified": rule({
    severity: "warning",
    title: "TLS certificate is not checked",
    why: "Anybody between the two ends can read and change what is sent, passwords and downloads included.",
    help: "Remove `verify=False`, or name the certificate authority that signed the server's certificate.",
    cwe: 295,
  }),
  "network.cleartext": rule({
    severity: "info",
    confidence: "medium",
    title: "Protocol without encryption",
    why: "Passwords and data can be read and changed on the way.",
    help: "Use SSH, SFTP or FTP over TLS.",
    cwe: 319,
  }),
  "network.bind-all": rule({
    severity: "info",
    confidence: "medium",
    title: "Listens on all interfaces",
    why: "Every machine that reaches this one can connect, not only programs on it.",
    help: "Bind to 127.0.0.1 unless other machines are meant to reach it.",
    cwe: 1327,
  }),
  "web.debug": rule({
    severity: "warning",
    title: "Web server in debug mode",
    why: "Its debugger shows the source to visitors, and lets them run code.",
    help: "Leave out `debug=True`, or set it only on the machine of a developer.",
    cwe: 489,
  }),
  "crypto.weak-hash": rule({
    severity: "info",
    confidence: "medium",
    title: "Weak hash",
    why: "Two texts of the same MD5 or SHA-1 can be made at will, so such a hash proves nothing about what was signed or stored.",
    help: "Use SHA-256, or say `usedforsecurity=False` where that does not matter.",
    cwe: 328,
  }),
} as const satisfies Record<string, Rule>;
