import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";

/**
 * A file's name as text, reversibly: bytes that are no UTF-8 become the lone surrogates U+DC80 to U+DCFF (PEP 383), which is what
 * Python's `os.fsdecode` gives and `os.fsencode` takes.
 */
export function nameText(name: Buffer): string {
  if (isUtf8(name)) return name.toString("utf8");
  let text = "";
  for (let at = 0; at < name.length;) {
    const length = [1, 2, 3, 4].find(
      (length) => at + length <= name.length && isUtf8(name.subarray(at, at + length)),
    );
    text +=
      length === undefined
        ? String.fromCharCode(0xdc00 + name[at]!)
        : name.toString("utf8", at, at + length);
    at += length ?? 1;
  }
  return text;
}

/**
 * The names behind arguments of the command line. Node hands those over as text, in which bytes that are no UTF-8 are lost; Linux
 * still has them.
 */
export function argumentNames(args: readonly string[]): Buffer[] {
  const originals = args.some((arg) => arg.includes("\ufffd")) ? processArguments() : [];
  return args.map((arg) => {
    const at = originals.findIndex((original) => original.toString("utf8") === arg);
    return at < 0 ? Buffer.from(arg) : originals.splice(at, 1)[0]!;
  });
}

function processArguments(): Buffer[] {
  let commandLine: Buffer;
  try {
    commandLine = readFileSync("/proc/self/cmdline");
  } catch {
    return [];
  }
  const args: Buffer[] = [];
  for (let start = 0; start < commandLine.length;) {
    const end = commandLine.indexOf(0, start);
    args.push(commandLine.subarray(start, end < 0 ? undefined : end));
    start = end < 0 ? commandLine.length : end + 1;
  }
  return args;
}
