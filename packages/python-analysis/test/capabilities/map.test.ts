import { describe, expect, test } from "vitest";
import { CapabilityMap, capabilityMap } from "../../src/capabilities/map.js";
import { STDLIB_MODULES } from "../../src/dependencies/stdlib-modules.js";

const map = capabilityMap();

/** The capabilities of a path, whatever their conditions; `null` where it is unknown. */
function at(path: string): string | null {
  const grants = map.lookup(path);
  return grants ? grants.map(({ capability }) => capability).join(" ") : null;
}

describe("the shipped map", () => {
  test("knows every module of the standard library", () => {
    const unknown = [...STDLIB_MODULES].filter((module) => !map.isModule(module));
    expect(unknown).toEqual([]);
  });

  test.each([
    ["os.system", "process.spawn"],
    ["os.path.join", ""],
    ["os.path.getsize", "filesystem.read"],
    ["os.environ", "environment.read"],
    ["os.environ.get", "environment.read"],
    ["os.environ.update", "environment.write"],
    ["os.O_RDONLY", ""],
    ["posix.remove", "filesystem.delete"],
    ["ntpath.join", ""],
    ["subprocess.Popen", "process.spawn"],
    ["subprocess.Popen.communicate", ""],
    ["subprocess.Popen.kill", "process.signal"],
    ["subprocess.PIPE", ""],
    ["urllib.parse.quote", ""],
    ["urllib.request.urlopen", "filesystem.read network.client"],
    ["xml.etree.ElementTree.Element", ""],
    ["xml.etree.ElementTree.fromstring", "data.xml"],
    ["xml.dom.Node", ""],
    ["http.client.HTTPConnection", "network.client"],
    ["http.HTTPStatus", ""],
    ["asyncio.subprocess.PIPE", ""],
    ["asyncio.subprocess.create_subprocess_shell", "process.spawn"],
    ["collections.abc.Mapping", ""],
    ["json.loads", ""],
    ["ctypes.CDLL", "native.load"],
    ["numpy.linalg.norm", ""],
    ["pandas.DataFrame", ""],
    ["pandas.DataFrame.to_csv", "filesystem.write"],
    ["transformers.AutoModel.from_pretrained", "filesystem.read network.client data.deserialize"],
    ["Crypto.Cipher.AES.new", "crypto"],
    ["RPi.GPIO.setup", "device"],
    ["urllib2.urlopen", "filesystem.read network.client"],
    ["six.moves.urllib.request.urlopen", "filesystem.read network.client"],
    ["requests.codes", ""],
    ["cffi.FFI.dlopen", "native.load"],
    ["requests.exceptions.HTTPError", ""],
    ["boto3.client", "network.client"],
    ["os", null],
    ["unheard_of.member", null],
  ])("%s: %s", (path, expected) => {
    expect(at(path)).toBe(expected);
  });

  test.each([
    ["shutil", "os", "os"],
    ["random", "_os", "os"],
    ["http.client", "socket", "socket"],
    ["asyncio", "subprocess", undefined],
    ["pathlib", "types", undefined],
    ["ssl", "socket", "socket.socket"],
    ["bz2", "_builtin_open", "builtins.open"],
    ["enum", "bltns", "builtins"],
    ["ftplib.FTP", "pwd", undefined],
    ["imaplib.IMAP4", "select", undefined],
    ["subprocess", "_posixsubprocess", "_posixsubprocess"],
    ["os", "path", undefined],
    ["requests", "sys", "sys"],
    ["django", "http", undefined],
  ])("%s.%s is %s", (path, name, expected) => {
    expect(map.exposed(path, name)).toBe(expected);
  });
});

describe("data that is not as documented", () => {
  const empty = {
    capabilities: { a: "a" },
    stdlib: {},
    members: {},
    "any-attribute": {},
    methods: {},
    returns: {},
    properties: {},
    aliases: {},
    reexported: "",
    "on-import": {},
    pypi: {},
  };

  test.each([
    [{ ...empty, stdlib: { os: ["b"] } }, /unknown capability b/],
    [{ ...empty, members: { os: { system: "a?(moon)" } } }, /"a\?\(moon\)" is not of the form/],
    [{ ...empty, more: {} }, /more/],
  ])("%j", (data, message) => {
    expect(() => new CapabilityMap(data)).toThrow(message);
  });
});
