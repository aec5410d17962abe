/**
 * Calls that are dangerous in themselves, told by what the callee resolves to and by constant arguments.
 */
import type { Finding } from "@sluice/contracts";
import { argumentOf, hasSpread } from "../capabilities/arguments.js";
import type { CallSite } from "../capabilities/conditions.js";
import { capabilityMap } from "../capabilities/map.js";
import { operands } from "../capabilities/names.js";
import type { Resolution } from "../capabilities/uses.js";
import type { ParsedModule, SyntaxNode } from "../structure/types.js";
import { finding, placeOf, quoted } from "./finding.js";
import type { Rule, RuleId } from "./rules/index.js";

/** A call under judgement. */
interface Call extends CallSite {
  /** The constant texts that an argument may be, and whether it may be anything else. */
  texts(node: SyntaxNode | undefined): { texts: string[]; exact: boolean };
  /** The resolved paths that an argument may be. */
  paths(node: SyntaxNode | undefined): string[];
}

type Judgement = boolean | Partial<Pick<Rule, "severity" | "confidence">>;

interface CallRule {
  readonly rule: RuleId;
  /** Resolved callees. */
  readonly callees: RegExp;
  /** Whether this call of them is meant; it is if there is no such function. */
  readonly when?: (call: Call) => Judgement;
}

const argument = (call: Call, position: number | null, keyword: string) =>
  argumentOf(call.call, position, keyword);
const isFalse = (node: SyntaxNode | undefined) => node?.type === "false";
const isTrue = (node: SyntaxNode | undefined) => node?.type === "true";

const CALL_RULES: readonly CallRule[] = [
  {
    rule: "code.eval",
    callees: /^builtins\.(?:eval|exec)$/,
    when: (call) =>
      call.texts(argumentOf(call.call, 0, null)).exact ? { severity: "info" } : true,
  },
  {
    rule: "code.dynamic-import",
    callees: /^(?:builtins\.__import__|importlib\.(?:import_module|__import__))$/,
    when: (call) => !call.texts(argument(call, 0, "name")).exact,
  },
  {
    rule: "process.shell",
    callees:
      /^(?:os\.(?:system|popen[234]?)|subprocess\.(?:getoutput|getstatusoutput)|asyncio\.create_subprocess_shell|commands\.\w+|popen2\.\w+)$/,
    when: (call) => (call.texts(argument(call, 0, "cmd")).exact ? { severity: "info" } : true),
  },
  {
    rule: "process.shell",
    callees: /^subprocess\.(?:run|call|check_call|check_output|Popen)$/,
    when: (call) => {
      const shell = argument(call, 8, "shell");
      if (!shell || isFalse(shell) || shell.type === "none") return false;
      const constant = call.texts(argument(call, 0, "args")).exact;
      return {
        severity: constant ? "info" : "warning",
        confidence: isTrue(shell) ? "high" : "medium",
      };
    },
  },
  {
    rule: "data.unsafe-load",
    callees:
      /^(?:pickle|dill|cloudpickle)\.(?:loads?|Unpickler)$|^(?:marshal\.loads?|shelve\.open|jsonpickle\.(?:decode|loads)|joblib\.load|pandas\.read_pickle)$/,
  },
  {
    rule: "data.unsafe-load",
    callees: /^torch\.load$/,
    when: (call) => !isTrue(argument(call, null, "weights_only")) && { confidence: "medium" },
  },
  {
    rule: "data.unsafe-load",
    callees: /^numpy\.load$/,
    when: (call) => isTrue(argument(call, 2, "allow_pickle")),
  },
  { rule: "data.yaml-load", callees: /^yaml\.(?:unsafe_load|full_load)(?:_all)?$/ },
  {
    rule: "data.yaml-load",
    callees: /^yaml\.load(?:_all)?$/,
    when: (call) => {
      const loaders = call.paths(argument(call, 1, "Loader"));
      return (
        loaders.length === 0 || loaders.some((path) => !/^yaml\.C?(?:Safe|Base)Loader$/.test(path))
      );
    },
  },
  {
    rule: "data.xml-parse",
    callees:
      /^xml\.(?:etree\.c?ElementTree\.(?:parse|iterparse|fromstring|fromstringlist|XML|XMLParser)|dom\.(?:minidom|pulldom)\.parse(?:String)?|sax\.(?:parse|parseString|make_parser)|parsers\.expat\.ParserCreate)$/,
  },
  { rule: "file.mktemp", callees: /^(?:tempfile\.mktemp|os\.tempnam|os\.tmpnam)$/ },
  {
    rule: "file.permissions",
    callees:
      /^os\.(?:chmod|lchmod|fchmod|open|mkdir|makedirs|mknod)$|^pathlib\.(?:Posix)?Path\.(?:chmod|touch|mkdir)$/,
    when: (call) => {
      const mode = argument(
        call,
        /chmod$|mkdir$|makedirs$/.test(call.path) ? (call.isBound ? 0 : 1) : null,
        "mode",
      );
      return mode?.type === "integer" && (parseInteger(mode.text) & 0o002) !== 0;
    },
  },
  {
    rule: "network.tls-unverified",
    callees:
      /^(?:requests|httpx)\.(?:\w+\.)?(?:get|post|put|patch|delete|head|options|request|stream|send|Client|AsyncClient)$/,
    when: (call) => isFalse(argument(call, null, "verify")),
  },
  { rule: "network.tls-unverified", callees: /^ssl\._create_unverified_context$/ },
  {
    rule: "network.cleartext",
    callees: /^(?:telnetlib\.Telnet|ftplib\.FTP)$/,
  },
  {
    rule: "network.bind-all",
    callees:
      /^(?:socket\.(?:socket\.bind|create_server)|socketserver\.\w+|http\.server\.\w+|asyncio\.start_server|uvicorn\.run|flask\.Flask\.run|(?:fastmcp|mcp\.server\.fastmcp)\.FastMCP\.run)$/,
    when: (call) => {
      const address = argument(call, 0, "address") ?? argument(call, 0, "server_address");
      const first = address?.type === "tuple" ? operands(address)[0] : address;
      const hosts = [first, argument(call, 1, "host")].flatMap((node) => call.texts(node).texts);
      const inTuple = address?.type === "tuple";
      return hosts.some((host) => host === "0.0.0.0" || host === "::" || (host === "" && inTuple));
    },
  },
  {
    rule: "web.debug",
    callees: /^flask\.Flask\.run$/,
    when: (call) => isTrue(argument(call, 2, "debug")),
  },
  {
    rule: "crypto.weak-hash",
    callees: /^hashlib\.(?:md5|sha1|new)$/,
    when: (call) => {
      if (isFalse(argument(call, null, "usedforsecurity")) || hasSpread(call.call)) return false;
      if (!call.path.endsWith("new")) return true;
      return call
        .texts(argument(call, 0, "name"))
        .texts.some((name) => /^(?:md[245]|sha-?1)$/i.test(name));
    },
  },
];

/** Tells at once most callees that no rule is about. */
const ANY_CALLEE = new RegExp(CALL_RULES.map(({ callees }) => callees.source).join("|"));

function parseInteger(text: string): number {
  const digits = text.replaceAll("_", "").toLowerCase();
  return /^0[xob]?\w*$|^\d+$/.test(digits) ? Number(digits) : 0;
}

/** Once a rule was broken this often, further calls say nothing new. */
const MOST_PER_RULE = 1_000;

/** Dangerous calls, in order of place. A callee that may be one of several gives a finding for each. */
export function callFindings(
  parsed: ParsedModule,
  { calls, evaluation, shownAt }: Resolution,
): Finding[] {
  const map = capabilityMap();
  const values = (node: SyntaxNode | undefined) => (node ? evaluation.values(node) : []);
  const findings: Finding[] = [];
  const counts = new Map<RuleId, number>();
  for (const site of calls) {
    const path = map.canonical(site.path);
    if (!ANY_CALLEE.test(path)) continue;
    const call: Call = {
      ...site,
      path,
      texts: (node) => {
        const all = values(node);
        const texts = all.flatMap((value) => (value.kind === "string" ? [value.text] : []));
        return { texts, exact: all.length > 0 && texts.length === all.length };
      },
      paths: (node) =>
        values(node).map((value) => (value.kind === "path" ? map.canonical(value.path) : "")),
    };
    for (const { rule, callees, when } of CALL_RULES) {
      const judgement = callees.test(path) && (when ? when(call) : true);
      const count = counts.get(rule) ?? 0;
      if (judgement === false || count >= MOST_PER_RULE) continue;
      counts.set(rule, count + 1);
      const message = messageOf(rule, path.replace(/^builtins\./, ""));
      findings.push(
        finding(
          rule,
          message,
          placeOf(parsed, shownAt(site.call)),
          judgement === true ? {} : judgement,
        ),
      );
    }
  }
  return findings;
}

function messageOf(rule: RuleId, callee: string): string {
  const name = quoted(callee);
  switch (rule) {
    case "code.eval":
      return `${name}() runs code from a string`;
    case "code.dynamic-import":
      return `${name}() imports a module whose name is computed`;
    case "process.shell":
      return `${name}() runs a command through a shell`;
    case "network.tls-unverified":
      return `${name}() does not check the TLS certificate`;
    case "network.bind-all":
      return `${name}() listens on all interfaces`;
    case "network.cleartext":
      return `${name}() speaks a protocol without encryption`;
    case "file.permissions":
      return `${name}() lets everybody write`;
    case "web.debug":
      return `${name}() starts in debug mode`;
    case "crypto.weak-hash":
      return `${name}() is a hash that can be forged`;
    default:
      return `${name}() is unsafe with data from others`;
  }
}
