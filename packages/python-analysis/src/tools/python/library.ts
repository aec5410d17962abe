import { LIBRARY_NAMES } from "./library-names.js";
import {
  ELLIPSIS,
  type Value,
  bool,
  float,
  form,
  int,
  libraryClass,
  str,
  unknown,
} from "./values.js";

/** `typing`'s deprecated aliases, and what they are aliases of. */
export const TYPING_ALIASES: ReadonlyMap<string, string> = new Map([
  ["List", "builtins.list"],
  ["Dict", "builtins.dict"],
  ["Set", "builtins.set"],
  ["FrozenSet", "builtins.frozenset"],
  ["Tuple", "builtins.tuple"],
  ["Type", "builtins.type"],
  ["Deque", "collections.deque"],
  ["DefaultDict", "collections.defaultdict"],
  ["OrderedDict", "collections.OrderedDict"],
  ["Counter", "collections.Counter"],
  ["ChainMap", "collections.ChainMap"],
  ["AbstractSet", "collections.abc.Set"],
  ["ContextManager", "contextlib.AbstractContextManager"],
  ["AsyncContextManager", "contextlib.AbstractAsyncContextManager"],
  ["Pattern", "re.Pattern"],
  ["Match", "re.Match"],
  ...words(`Awaitable Coroutine AsyncIterable AsyncIterator AsyncGenerator Iterable Iterator Generator Reversible Sized Container
    Collection Callable MutableSet Mapping MutableMapping Sequence MutableSequence ByteString MappingView KeysView ItemsView
    ValuesView Hashable`).map((name): [string, string] => [name, `collections.abc.${name}`]),
]);

const TYPING_FORMS = new Set(
  words(`Any NoReturn Never Self LiteralString ClassVar Final Union Optional Literal TypeAlias Concatenate TypeGuard TypeIs Unpack
    Required NotRequired ReadOnly Annotated Generic Protocol`),
);
const TYPING_CLASSES = new Set(
  words(`IO BinaryIO TextIO ForwardRef SupportsInt SupportsFloat SupportsComplex SupportsBytes SupportsIndex SupportsAbs SupportsRound
    Buffer CapsuleType`),
);
const TYPING_FUNCTIONS = new Set(
  words(`TypeVar ParamSpec TypeVarTuple NewType TypeAliasType Doc deprecated cast overload final override runtime_checkable
    no_type_check get_type_hints assert_type reveal_type dataclass_transform`),
);

const PYDANTIC_FUNCTIONS = new Set(
  words(`Field PrivateAttr computed_field field_validator model_validator field_serializer model_serializer validator root_validator
    create_model validate_call with_config conint confloat constr conbytes conlist conset confrozenset condecimal condate`),
);
const PYDANTIC_CLASSES = new Set(
  words(`BaseModel RootModel ConfigDict AliasChoices AliasPath AliasGenerator AfterValidator BeforeValidator PlainValidator WrapValidator
    SkipValidation InstanceOf WithJsonSchema PlainSerializer WrapSerializer SerializeAsAny SkipJsonSchema AnyUrl AnyHttpUrl FileUrl HttpUrl
    FtpUrl WebsocketUrl AnyWebsocketUrl UrlConstraints EmailStr NameEmail IPvAnyAddress IPvAnyInterface IPvAnyNetwork PostgresDsn
    CockroachDsn AmqpDsn RedisDsn MongoDsn KafkaDsn NatsDsn MySQLDsn MariaDBDsn ClickHouseDsn SnowflakeDsn Strict StringConstraints
    ImportString Json Secret SecretStr SecretBytes PaymentCardNumber ByteSize PastDate FutureDate PastDatetime FutureDatetime
    AwareDatetime NaiveDatetime AllowInfNan OnErrorOmit EncodedBytes EncodedStr GetPydanticSchema Tag Discriminator FailFast Examples`),
);
const PYDANTIC_MODULES = new Set(
  words(`pydantic pydantic.fields pydantic.types pydantic.networks pydantic.main pydantic.json_schema pydantic.config pydantic.aliases
    pydantic.functional_validators pydantic.functional_serializers pydantic.root_model pydantic.dataclasses`),
);
/** Pydantic's ready-made `Annotated` types: the type, and the metadata class with its argument. */
const PYDANTIC_ANNOTATED: Readonly<Record<string, readonly [string, string, Value]>> = {
  PositiveInt: ["builtins.int", "annotated_types.Gt", int(0)],
  NegativeInt: ["builtins.int", "annotated_types.Lt", int(0)],
  NonPositiveInt: ["builtins.int", "annotated_types.Le", int(0)],
  NonNegativeInt: ["builtins.int", "annotated_types.Ge", int(0)],
  PositiveFloat: ["builtins.float", "annotated_types.Gt", int(0)],
  NegativeFloat: ["builtins.float", "annotated_types.Lt", int(0)],
  NonPositiveFloat: ["builtins.float", "annotated_types.Le", int(0)],
  NonNegativeFloat: ["builtins.float", "annotated_types.Ge", int(0)],
  FiniteFloat: ["builtins.float", "pydantic.AllowInfNan", bool(false)],
  StrictInt: ["builtins.int", "pydantic.Strict", bool(true)],
  StrictFloat: ["builtins.float", "pydantic.Strict", bool(true)],
  StrictStr: ["builtins.str", "pydantic.Strict", bool(true)],
  StrictBool: ["builtins.bool", "pydantic.Strict", bool(true)],
  StrictBytes: ["builtins.bytes", "pydantic.Strict", bool(true)],
  UUID1: ["uuid.UUID", "pydantic.UuidVersion", int(1)],
  UUID3: ["uuid.UUID", "pydantic.UuidVersion", int(3)],
  UUID4: ["uuid.UUID", "pydantic.UuidVersion", int(4)],
  UUID5: ["uuid.UUID", "pydantic.UuidVersion", int(5)],
  UUID6: ["uuid.UUID", "pydantic.UuidVersion", int(6)],
  UUID7: ["uuid.UUID", "pydantic.UuidVersion", int(7)],
  UUID8: ["uuid.UUID", "pydantic.UuidVersion", int(8)],
  FilePath: ["pathlib.Path", "pydantic.PathType", str("file")],
  DirectoryPath: ["pathlib.Path", "pydantic.PathType", str("dir")],
  NewPath: ["pathlib.Path", "pydantic.PathType", str("new")],
  SocketPath: ["pathlib.Path", "pydantic.PathType", str("socket")],
  Base64Bytes: ["builtins.bytes", "pydantic.EncodedBytes", str("base64")],
  Base64Str: ["builtins.str", "pydantic.EncodedStr", str("base64")],
  Base64UrlBytes: ["builtins.bytes", "pydantic.EncodedBytes", str("base64url")],
  Base64UrlStr: ["builtins.str", "pydantic.EncodedStr", str("base64url")],
};

/** The union that `mcp.types.ContentBlock` is. */
const CONTENT_BLOCK = words(`TextContent ImageContent AudioContent ResourceLink EmbeddedResource`);
const MCP_CONTENT =
  "ContentBlock TextContent ImageContent AudioContent ResourceLink EmbeddedResource CallToolResult InputRequiredResult ToolAnnotations Icon";
/** Modules of the two MCP runtimes: what they define that matters here, and the runtime they belong to. */
const RUNTIME_MODULES: Readonly<Record<string, readonly [runtime: string, names: string]>> = {
  fastmcp: ["fastmcp", "FastMCP Context"],
  "fastmcp.server": ["fastmcp", "FastMCP Context"],
  "fastmcp.server.context": ["fastmcp", "Context"],
  "fastmcp.server.server": ["fastmcp", "FastMCP"],
  "fastmcp.server.dependencies": [
    "fastmcp",
    "Depends CurrentContext CurrentFastMCP CurrentRequest CurrentHeaders CurrentAccessToken",
  ],
  "fastmcp.dependencies": [
    "fastmcp",
    "Depends CurrentContext CurrentFastMCP CurrentRequest CurrentHeaders CurrentAccessToken",
  ],
  "fastmcp.utilities.types": ["fastmcp", "Image Audio File"],
  "fastmcp.tools": ["fastmcp", "ToolResult tool"],
  "fastmcp.tools.tool": ["fastmcp", "ToolResult"],
  "fastmcp.tools.base": ["fastmcp", "ToolResult"],
  "mcp.server.mcpserver": ["mcp", "MCPServer Context Image Audio Resolve"],
  "mcp.server.fastmcp": ["mcp", "FastMCP Context Image Audio"],
  "mcp.server.fastmcp.server": ["mcp", "FastMCP Context"],
  "mcp.server.mcpserver.context": ["mcp", "Context"],
  "mcp.server.session": ["mcp", "ServerSession"],
  "mcp.server": ["mcp", "MCPServer"],
  mcp: ["mcp", "MCPServer"],
  "mcp.types": ["mcp", MCP_CONTENT],
  mcp_types: ["mcp", MCP_CONTENT],
};

/** The name spaces of RFC 9562, appendix A. */
const UUID_NAMESPACES: Readonly<Record<string, string>> = {
  NAMESPACE_DNS: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
  NAMESPACE_URL: "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
  NAMESPACE_OID: "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
  NAMESPACE_X500: "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
};

/** `re`'s flags, which any default of them shows as their numbers. */
const REGEX_FLAGS: ReadonlyMap<string, number> = new Map([
  ...flags("NOFLAG", 0),
  ...flags("T TEMPLATE", 1),
  ...flags("I IGNORECASE", 2),
  ...flags("L LOCALE", 4),
  ...flags("M MULTILINE", 8),
  ...flags("S DOTALL", 16),
  ...flags("U UNICODE", 32),
  ...flags("X VERBOSE", 64),
  ...flags("DEBUG", 128),
  ...flags("A ASCII", 256),
]);

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

function flags(names: string, value: number): [string, number][] {
  return words(names).map((name) => [name, value]);
}

interface IndexedModule {
  readonly classes: ReadonlySet<string>;
  readonly functions: ReadonlySet<string>;
  readonly objects: ReadonlySet<string>;
}
const indexed = new Map<string, IndexedModule>();

function index(module: string): IndexedModule | undefined {
  const names = Object.hasOwn(LIBRARY_NAMES, module) ? LIBRARY_NAMES[module] : undefined;
  if (!names) return undefined;
  let found = indexed.get(module);
  if (!found) {
    const set = (text = ""): ReadonlySet<string> => new Set(text.split(" "));
    found = {
      classes: set(names.classes),
      functions: set(names.functions),
      objects: set(names.objects),
    };
    indexed.set(module, found);
  }
  return found;
}

/** Whether a module's every name is known, so that one it does not have is an error in Python. */
export function isKnownModule(module: string): boolean {
  return (
    Object.hasOwn(LIBRARY_NAMES, module) || module === "typing" || module === "typing_extensions"
  );
}

/** What a library module has under a name: `undefined` when a module that is known in full has nothing of that name. */
export function moduleMember(module: string, name: string): Value | undefined {
  if (module === "typing" || module === "typing_extensions") return typingMember(module, name);
  if (PYDANTIC_MODULES.has(module)) return pydanticMember(module, name);
  if (module === "pydantic.alias_generators")
    return { kind: "library-function", id: `${module}.${name}` };
  if (module === "annotated_types") return libraryClass(`annotated_types.${name}`);
  if (module === "__future__") return unknown("a future statement has no value");
  if (module === "re" && REGEX_FLAGS.has(name)) return int(REGEX_FLAGS.get(name)!);
  if (module === "sys") return sysMember(name);
  if (module === "builtins" && name === "Ellipsis") return ELLIPSIS;
  if (module === "uuid" && Object.hasOwn(UUID_NAMESPACES, name))
    return {
      kind: "call",
      callee: libraryClass("uuid.UUID"),
      args: [str(UUID_NAMESPACES[name]!)],
      kwargs: new Map(),
    };
  if (Object.hasOwn(RUNTIME_MODULES, module)) {
    const [runtime, names] = RUNTIME_MODULES[module]!;
    if (names.split(" ").includes(name)) return runtimeMember(runtime, name);
  }
  const found = index(module);
  const submodule = `${module}.${name}`;
  if (found) {
    const names = LIBRARY_NAMES[module]!;
    if (name === "NoneType" && module === "types") return libraryClass("types.NoneType");
    if (found.classes.has(name)) return libraryClass(submodule);
    if (names.renamed && Object.hasOwn(names.renamed, name))
      return libraryClass(names.renamed[name]!);
    if (names.constants && Object.hasOwn(names.constants, name))
      return constant(names.constants[name]!);
    if (found.functions.has(name)) return { kind: "library-function", id: submodule };
    if (submodule === "dataclasses.KW_ONLY") return libraryClass(submodule);
    if (found.objects.has(name))
      return { kind: "call", callee: libraryClass(submodule), args: [], kwargs: new Map() };
    if (isKnownModule(submodule)) return { kind: "module", name: submodule };
    return undefined;
  }
  const isSubmodule = isLibraryPackage(module.split(".")[0]!) && /^[a-z_]+$/.test(name);
  return isSubmodule
    ? { kind: "module", name: submodule }
    : unknown(`what \`${module}.${name}\` is is not known here`);
}

const isLibraryPackage = (top: string): boolean =>
  ["pydantic", "mcp", "fastmcp", "mcp_types"].includes(top);

function constant(value: bigint | number | string | boolean): Value {
  if (typeof value === "bigint") return int(value);
  if (typeof value === "number") return float(value);
  return typeof value === "string" ? str(value) : bool(value);
}

function typingMember(module: string, name: string): Value | undefined {
  if (TYPING_ALIASES.has(name) || TYPING_FORMS.has(name)) return form(`typing.${name}`);
  // The two modules' classes are not the same to pydantic below Python 3.12.
  if (name === "TypedDict" || name === "NamedTuple") return form(`${module}.${name}`);
  if (TYPING_CLASSES.has(name)) return libraryClass(`typing.${name}`);
  if (TYPING_FUNCTIONS.has(name)) return { kind: "library-function", id: `typing.${name}` };
  if (name === "Text") return libraryClass("builtins.str");
  if (name === "TYPE_CHECKING") return bool(false);
  if (name === "AnyStr") return ANY_STR;
  return unknown(`what \`${module}.${name}\` is is not known here`);
}

const ANY_STR: Value = {
  kind: "call",
  callee: { kind: "library-function", id: "typing.TypeVar" },
  args: [str("AnyStr"), libraryClass("builtins.bytes"), libraryClass("builtins.str")],
  kwargs: new Map(),
};

/** A named alias, whose schema says nothing. */
const JSON_VALUE: Value = {
  kind: "type-alias",
  name: "JsonValue",
  parameters: [],
  value: () => form("typing.Any"),
};

function pydanticMember(module: string, name: string): Value {
  if (name === "JsonValue") return JSON_VALUE;
  if (Object.hasOwn(PYDANTIC_ANNOTATED, name)) {
    const [type, metadata, value] = PYDANTIC_ANNOTATED[name]!;
    const call: Value = {
      kind: "call",
      callee: libraryClass(metadata),
      args: [value],
      kwargs: new Map(),
    };
    return { kind: "annotated", type: libraryClass(type), metadata: [call] };
  }
  if (module === "pydantic.dataclasses") {
    if (name === "dataclass")
      return { kind: "library-function", id: "pydantic.dataclasses.dataclass" };
    if (name === "Field") return { kind: "library-function", id: "pydantic.Field" };
  }
  if (PYDANTIC_FUNCTIONS.has(name)) return { kind: "library-function", id: `pydantic.${name}` };
  if (PYDANTIC_CLASSES.has(name)) return libraryClass(`pydantic.${name}`);
  if (PYDANTIC_MODULES.has(`${module}.${name}`))
    return { kind: "module", name: `${module}.${name}` };
  return unknown(`what \`${module}.${name}\` is is not known here`);
}

function runtimeMember(runtime: string, name: string): Value {
  if (name === "ContentBlock") {
    const members = CONTENT_BLOCK.map((each) => libraryClass(`${runtime}.${each}`));
    return { kind: "union", members, spelling: "typing" };
  }
  const id = `${runtime}.${name === "MCPServer" ? "FastMCP" : name}`;
  return /^[a-z]|^Depends$|^Current/.test(name)
    ? { kind: "library-function", id }
    : libraryClass(id);
}

function sysMember(name: string): Value {
  if (name === "maxsize") return int(2n ** 63n - 1n);
  if (name === "maxunicode") return int(0x10ffff);
  return unknown(`\`sys.${name}\` is known only at run time`);
}
