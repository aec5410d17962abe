import { type Value, isCallOf } from "../python/values.js";
import type { Core } from "./core.js";
import type { JsonObject } from "./json.js";

/** Makes the core schema of a type that stands inside another. */
export type Generate = (type: Value) => Core;

const ANY: Value = { kind: "form", id: "typing.Any" };

/** A string whose JSON Schema is fixed; the shape below is what constraints meet. */
const fixed = (schema: Core, json: JsonObject): Core => ({
  ...schema,
  metadata: { functions: [() => ({ type: "string", ...json })] },
});
/** The same, with what is said of it kept. */
const formatted = (schema: Core, json: JsonObject): Core => ({
  ...schema,
  metadata: { functions: [(core, inner) => ({ ...inner(core), type: "string", ...json })] },
});
const plainValidator = (): Core => ({ type: "is-instance", of: "" });
const laxString = (format: string): Core =>
  fixed({ type: "lax-or-strict", schema: { type: "str" } }, { format });
const url = (json: Record<string, number> = {}): Core => ({
  type: "function",
  schema: { type: "url", constraints: json },
});
const hosts = (): Core => ({ type: "function", schema: { type: "multi-host-url" } });
const path = (): Core => ({
  type: "lax-or-strict",
  schema: { type: "str" },
  metadata: { functions: [(core, inner) => ({ ...inner(core), format: "path" })] },
});
const secret = (schema: Core): Core => ({
  type: "lax-or-strict",
  schema: { type: "json-or-python", schema: { type: "function", schema } },
  metadata: {
    functions: [
      (_, inner) => ({ ...inner(schema), type: "string", writeOnly: true, format: "password" }),
    ],
  },
});

type Maker = (generate: Generate, args: readonly Value[]) => Core;

const simple =
  (
    type:
      | "bool"
      | "int"
      | "float"
      | "str"
      | "bytes"
      | "complex"
      | "date"
      | "time"
      | "datetime"
      | "timedelta"
      | "decimal"
      | "fraction"
      | "uuid"
      | "ellipsis"
      | "any"
      | "none",
  ): Maker =>
  () => ({ type });
const collection =
  (type: "list" | "deque" | "set" | "frozenset" | "generator"): Maker =>
  (generate, args) => ({ type, items: generate(args[0] ?? ANY) });
const mapping: Maker = (generate, args) => ({
  type: "dict",
  keys: generate(args[0] ?? ANY),
  values: generate(args[1] ?? ANY),
});
/** A mapping whose class is checked: constraints go around it. */
const otherMapping: Maker = (generate, args) => {
  const schema = mapping(generate, args);
  return { type: "lax-or-strict", schema: { type: "function", schema } };
};
const sequence: Maker = (generate, args) => ({
  type: "json-or-python",
  schema: { type: "list", items: generate(args[0] ?? ANY) },
});

/** Classes of the standard library and of pydantic that pydantic has a schema for. */
export const LIBRARY_TYPES: Readonly<Record<string, Maker>> = {
  "builtins.bool": simple("bool"),
  "builtins.int": simple("int"),
  "builtins.float": simple("float"),
  "builtins.str": simple("str"),
  "builtins.bytes": simple("bytes"),
  "builtins.complex": simple("complex"),
  "builtins.object": simple("any"),
  "builtins.ellipsis": simple("ellipsis"),
  "types.NoneType": simple("none"),
  "datetime.date": simple("date"),
  "datetime.time": simple("time"),
  "datetime.datetime": simple("datetime"),
  "datetime.timedelta": simple("timedelta"),
  "decimal.Decimal": simple("decimal"),
  "fractions.Fraction": simple("fraction"),
  "uuid.UUID": simple("uuid"),
  "builtins.list": collection("list"),
  "builtins.set": collection("set"),
  "builtins.frozenset": collection("frozenset"),
  "builtins.dict": mapping,
  "collections.deque": collection("deque"),
  "collections.OrderedDict": mapping,
  "collections.defaultdict": otherMapping,
  "collections.Counter": (generate, args) => ({
    type: "dict",
    keys: generate(args[0] ?? ANY),
    values: { type: "int" },
  }),
  "collections.abc.MutableSequence": collection("list"),
  "collections.abc.Sequence": sequence,
  "collections.abc.MutableSet": collection("set"),
  "collections.abc.Set": collection("frozenset"),
  "collections.abc.Iterable": collection("generator"),
  "collections.abc.Generator": collection("generator"),
  "collections.abc.Mapping": mapping,
  "collections.abc.MutableMapping": mapping,
  "collections.abc.Callable": () => ({ type: "callable" }),
  "collections.abc.Hashable": () => ({
    type: "custom-error",
    schema: { type: "chain", steps: [{ type: "any" }, { type: "is-instance", of: "Hashable" }] },
  }),
  "builtins.type": () => ({
    type: "custom-error",
    schema: { type: "is-instance", of: "<class 'type'>" },
  }),
  "os.PathLike": path,
  "pathlib.Path": path,
  "pathlib.PurePath": path,
  "pathlib.PosixPath": path,
  "pathlib.WindowsPath": path,
  "pathlib.PurePosixPath": path,
  "pathlib.PureWindowsPath": path,
  "re.Pattern": () => ({
    ...fixed(plainValidator(), { format: "regex" }),
    writes: (value) => (isCallOf(value, "re.compile") || value.kind === "unknown" ? value : null),
  }),
  "zoneinfo.ZoneInfo": () => fixed(plainValidator(), { format: "zoneinfo" }),
  "ipaddress.IPv4Address": () => laxString("ipv4"),
  "ipaddress.IPv4Network": () => laxString("ipv4network"),
  "ipaddress.IPv4Interface": () => laxString("ipv4interface"),
  "ipaddress.IPv6Address": () => laxString("ipv6"),
  "ipaddress.IPv6Network": () => laxString("ipv6network"),
  "ipaddress.IPv6Interface": () => laxString("ipv6interface"),
  "pydantic.EmailStr": () =>
    formatted({ type: "function", schema: { type: "str" } }, { format: "email" }),
  "pydantic.NameEmail": () =>
    formatted(
      { type: "function", schema: { type: "json-or-python", schema: { type: "str" } } },
      { format: "name-email" },
    ),
  "pydantic.IPvAnyAddress": () => fixed(plainValidator(), { format: "ipvanyaddress" }),
  "pydantic.IPvAnyInterface": () => fixed(plainValidator(), { format: "ipvanyinterface" }),
  "pydantic.IPvAnyNetwork": () => fixed(plainValidator(), { format: "ipvanynetwork" }),
  "pydantic.AnyUrl": () => url(),
  "pydantic.AnyHttpUrl": () => url(),
  "pydantic.HttpUrl": () => url({ max_length: 2083 }),
  "pydantic.FileUrl": () => url(),
  "pydantic.FtpUrl": () => url(),
  "pydantic.WebsocketUrl": () => url({ max_length: 2083 }),
  "pydantic.AnyWebsocketUrl": () => url(),
  "pydantic.PostgresDsn": hosts,
  "pydantic.MongoDsn": hosts,
  "pydantic.NatsDsn": hosts,
  "pydantic.CockroachDsn": () => url(),
  "pydantic.AmqpDsn": () => url(),
  "pydantic.RedisDsn": () => url(),
  "pydantic.KafkaDsn": () => url(),
  "pydantic.MySQLDsn": () => url(),
  "pydantic.MariaDBDsn": () => url(),
  "pydantic.ClickHouseDsn": () => url(),
  "pydantic.SnowflakeDsn": () => url(),
  "pydantic.ImportString": () => formatted({ type: "json-or-python", schema: { type: "str" } }, {}),
  "pydantic.Json": () => ({ type: "json", schema: { type: "any" } }),
  "pydantic.SecretStr": () => secret({ type: "str" }),
  "pydantic.SecretBytes": () => secret({ type: "bytes" }),
  "pydantic.Secret": (generate, args) => ({
    type: "json-or-python",
    schema: { type: "function", schema: generate(args[0] ?? ANY) },
  }),
  "pydantic.PastDate": simple("date"),
  "pydantic.FutureDate": simple("date"),
  "pydantic.PastDatetime": simple("datetime"),
  "pydantic.FutureDatetime": simple("datetime"),
  "pydantic.AwareDatetime": simple("datetime"),
  "pydantic.NaiveDatetime": simple("datetime"),
  "pydantic.ByteSize": () => ({
    type: "function",
    schema: {
      type: "union",
      choices: [
        { type: "str", constraints: { pattern: "^\\s*(\\d*\\.?\\d+)\\s*(\\w+)?" } },
        { type: "int", constraints: { ge: 0 } },
      ],
    },
    serialization: { returns: { type: "int", constraints: { ge: 0 } } },
  }),
  "pydantic.PaymentCardNumber": () => ({
    type: "function",
    schema: { type: "str", constraints: { min_length: 12, max_length: 19 } },
  }),
};
