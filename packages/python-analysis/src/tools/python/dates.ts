import {
  type Call,
  type Value,
  argument,
  calleeId,
  float,
  int,
  isCallOf,
  libraryClass,
  str,
} from "./values.js";

const SECOND = 1_000_000n;
const DAY = 86_400n * SECOND;
/** `date(1, 1, 1)` is day 1 to Python and this to JavaScript, in milliseconds. */
const FIRST_DAY = -62_135_596_800_000n;

/** A `date`, `time` or `datetime` made of constants. What a `time` has no use for is zero. */
export interface Moment {
  readonly class: "date" | "time" | "datetime";
  /** Microseconds since the start of year 1; of a `time` since midnight. */
  readonly micros: bigint;
  /** Microseconds east of Greenwich; `null` for a naive one. */
  readonly offset: bigint | null;
}

const TIME_PARTS: readonly (readonly [string, number])[] = [
  ["hour", 23],
  ["minute", 59],
  ["second", 59],
  ["microsecond", 999_999],
];

/** `undefined` for what is no point in time, or one that only running the script tells. */
export function momentOf(value: Value): Moment | undefined {
  if (value.kind !== "call") return undefined;
  const cls = /^datetime\.(date|time|datetime)$/.exec(calleeId(value))?.[1] as Moment["class"];
  if (cls === undefined) return undefined;
  const hasDate = cls !== "time";
  let micros = 0n;
  if (hasDate) {
    const [year, month, day] = ["year", "month", "day"].map((name, i) =>
      integerOf(argument(value, i, name)),
    );
    if (year === undefined || month === undefined || day === undefined) return undefined;
    const days = daysOf(year, month, day);
    if (days === undefined) return undefined;
    micros = days * DAY;
  }
  if (cls === "date") return { class: cls, micros, offset: null };
  const shift = hasDate ? 3 : 0;
  let time = 0n;
  for (const [i, [name, most]] of TIME_PARTS.entries()) {
    const given = argument(value, i + shift, name);
    const part = given ? integerOf(given) : 0;
    if (part === undefined) return undefined;
    if (part < 0 || part > most) return undefined;
    time = time * (i === 3 ? SECOND : 60n) + BigInt(part);
  }
  const zone = argument(value, shift + 4, "tzinfo");
  const offset = !zone || zone.kind === "none" ? null : offsetOf(zone);
  return offset === undefined ? undefined : { class: cls, micros: micros + time, offset };
}

const integerOf = (value: Value | undefined): number | undefined =>
  value?.kind === "int" ? Number(value.value) : undefined;

function daysOf(year: number, month: number, day: number): bigint | undefined {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1) return undefined;
  return (BigInt(date.getTime()) - FIRST_DAY) / 86_400_000n;
}

/** What `timezone.utc`, `timezone(timedelta(…))` and `ZoneInfo("UTC")` add; `undefined` for other zones. */
function offsetOf(zone: Value): bigint | undefined {
  if (isCallOf(zone, "datetime.UTC")) return 0n;
  if (isCallOf(zone, "datetime.timezone"))
    return zone.args[0] ? microsOf(zone.args[0]) : zone.kwargs.size === 0 ? 0n : undefined;
  const name = isCallOf(zone, "zoneinfo.ZoneInfo") ? zone.args[0] : undefined;
  return name?.kind === "str" && /^(Etc\/)?(UTC|GMT|Zulu)$/.test(name.value) ? 0n : undefined;
}

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly microsecond: number;
  /** Sunday is 0. */
  readonly weekday: number;
}

function partsOf({ micros }: Moment): Parts {
  const date = new Date(Number(micros / 1000n + FIRST_DAY));
  const inDay = micros % DAY;
  const seconds = Number(inDay / SECOND);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
    microsecond: Number(inDay % SECOND),
    weekday: date.getUTCDay(),
  };
}

function momentValue(moment: Moment, zone: Value | undefined): Value | undefined {
  if (moment.micros < 0n || moment.micros >= 3_652_059n * DAY) return undefined;
  const parts = partsOf(moment);
  const date = [parts.year, parts.month, parts.day];
  const time = [parts.hour, parts.minute, parts.second, parts.microsecond];
  const numbers =
    moment.class === "date" ? date : moment.class === "time" ? time : [...date, ...time];
  return {
    kind: "call",
    callee: libraryClass(`datetime.${moment.class}`),
    args: numbers.map(int),
    kwargs: zone && moment.class !== "date" ? new Map([["tzinfo", zone]]) : new Map(),
  };
}

const zoneOf = (value: Call): Value | undefined => {
  const position = calleeId(value) === "datetime.time" ? 4 : 7;
  const zone = argument(value, position, "tzinfo");
  return zone?.kind === "none" ? undefined : zone;
};

const UNITS: readonly (readonly [string, bigint])[] = [
  ["days", DAY],
  ["seconds", SECOND],
  ["microseconds", 1n],
  ["milliseconds", 1000n],
  ["minutes", 60n * SECOND],
  ["hours", 3600n * SECOND],
  ["weeks", 7n * DAY],
];

/** The microseconds of a `timedelta` made of constants. */
export function microsOf(value: Value): bigint | undefined {
  if (!isCallOf(value, "datetime.timedelta")) return undefined;
  let total = 0n;
  for (const [i, [name, unit]] of UNITS.entries()) {
    const part = argument(value, i, name);
    if (!part) continue;
    if (part.kind === "int") total += part.value * unit;
    else if (part.kind === "float" && Number.isFinite(part.value)) {
      // Half a day or a tenth of a second; what needs rounding to a microsecond is not told.
      const micros = part.value * Number(unit);
      const whole = Math.round(micros);
      if (Math.abs(micros - whole) > 1e-4) return undefined;
      total += BigInt(whole);
    } else return undefined;
  }
  return total;
}

const spanValue = (micros: bigint): Value => ({
  kind: "call",
  callee: libraryClass("datetime.timedelta"),
  args: [],
  kwargs: new Map([["microseconds", int(micros)]]),
});

/** `+`, `-`, `*`, `/` and `//` with points in time and spans of it. */
export function dateArithmetic(operator: string, left: Value, right: Value): Value | undefined {
  const a = momentOf(left);
  const b = momentOf(right);
  const x = microsOf(left);
  const y = microsOf(right);
  if (a && b && operator === "-" && a.class === b.class && a.class !== "time") {
    if ((a.offset === null) !== (b.offset === null)) return undefined;
    return spanValue(a.micros - (a.offset ?? 0n) - b.micros + (b.offset ?? 0n));
  }
  const moment = a ?? (operator === "+" ? b : undefined);
  const span = a ? y : x;
  if (moment && span !== undefined && moment.class !== "time" && /^[+-]$/.test(operator)) {
    const days = ((span % DAY) + DAY) % DAY;
    const shift = moment.class === "date" ? span - days : span;
    const micros = operator === "+" ? moment.micros + shift : moment.micros - shift;
    return momentValue({ ...moment, micros }, zoneOf((a ? left : right) as Call));
  }
  if (x !== undefined && y !== undefined) {
    if (operator === "+") return spanValue(x + y);
    if (operator === "-") return spanValue(x - y);
    if (operator === "/" && y !== 0n) return float(Number(x) / Number(y));
    return undefined;
  }
  const factor = x === undefined ? left : right;
  const micros = x ?? y;
  if (micros === undefined || factor.kind !== "int") return undefined;
  if (operator === "*") return spanValue(micros * factor.value);
  const isExact = x !== undefined && factor.value !== 0n && micros % factor.value === 0n;
  return isExact && /^\/\/?$/.test(operator) ? spanValue(micros / factor.value) : undefined;
}

export function negatedSpan(value: Value): Value | undefined {
  const micros = microsOf(value);
  return micros === undefined ? undefined : spanValue(-micros);
}

const pad = (value: number | bigint, width = 2): string => String(value).padStart(width, "0");

/** A point in time as ISO 8601; of a `datetime`, with a separator between date and time. */
export function dateText(value: Value, separator: string): string | undefined {
  const moment = momentOf(value);
  if (!moment) return undefined;
  const parts = partsOf(moment);
  const date = `${pad(parts.year, 4)}-${pad(parts.month)}-${pad(parts.day)}`;
  if (moment.class === "date") return date;
  const fraction = parts.microsecond === 0 ? "" : `.${pad(parts.microsecond, 6)}`;
  const time = `${pad(parts.hour)}:${pad(parts.minute)}:${pad(parts.second)}${fraction}`;
  const zoned = time + (moment.offset === null ? "" : offsetText(moment.offset));
  return moment.class === "time" ? zoned : `${date}${separator}${zoned}`;
}

function offsetText(offset: bigint): string {
  const size = (offset < 0n ? -offset : offset) / SECOND;
  const seconds = size % 60n === 0n ? "" : `:${pad(size % 60n)}`;
  return `${offset < 0n ? "-" : "+"}${pad(size / 3600n)}:${pad((size / 60n) % 60n)}${seconds}`;
}

/** `str(timedelta(…))`: `1 day, 2:00:00`. */
export function durationWords(value: Value): string | undefined {
  const micros = microsOf(value);
  if (micros === undefined) return undefined;
  const inDay = ((micros % DAY) + DAY) % DAY;
  const days = (micros - inDay) / DAY;
  const seconds = inDay / SECOND;
  const fraction = inDay % SECOND === 0n ? "" : `.${pad(inDay % SECOND, 6)}`;
  const time = `${seconds / 3600n}:${pad((seconds / 60n) % 60n)}:${pad(seconds % 60n)}${fraction}`;
  if (days === 0n) return time;
  return `${days} day${days === 1n || days === -1n ? "" : "s"}, ${time}`;
}

const CLASS_ATTRIBUTES: Readonly<Record<string, Moment>> = {
  "datetime.date.min": { class: "date", micros: 0n, offset: null },
  "datetime.date.max": { class: "date", micros: 3_652_058n * DAY, offset: null },
  "datetime.datetime.min": { class: "datetime", micros: 0n, offset: null },
  "datetime.datetime.max": { class: "datetime", micros: 3_652_059n * DAY - 1n, offset: null },
  "datetime.time.min": { class: "time", micros: 0n, offset: null },
  "datetime.time.max": { class: "time", micros: DAY - 1n, offset: null },
};

/** `datetime.min` and its like. */
export const dateClassAttribute = (id: string, name: string): Value | undefined =>
  spanLimit(id, name) ??
  (Object.hasOwn(CLASS_ATTRIBUTES, `${id}.${name}`)
    ? momentValue(CLASS_ATTRIBUTES[`${id}.${name}`]!, undefined)
    : undefined);

function spanLimit(id: string, name: string): Value | undefined {
  if (id !== "datetime.timedelta") return undefined;
  if (name === "max") return spanValue(1_000_000_000n * DAY - 1n);
  return name === "min" ? spanValue(-999_999_999n * DAY) : undefined;
}

const DATE_PARTS = ["year", "month", "day"] as const;
const CLOCK_PARTS = ["hour", "minute", "second", "microsecond"] as const;

export function dateAttribute(value: Call, name: string): Value | undefined {
  const span = microsOf(value);
  if (span !== undefined) {
    const inDay = ((span % DAY) + DAY) % DAY;
    if (name === "days") return int((span - inDay) / DAY);
    if (name === "seconds") return int(inDay / SECOND);
    return name === "microseconds" ? int(inDay % SECOND) : undefined;
  }
  const moment = momentOf(value);
  if (!moment) return undefined;
  const names: readonly string[] = [
    ...(moment.class === "time" ? [] : DATE_PARTS),
    ...(moment.class === "date" ? [] : CLOCK_PARTS),
  ];
  return names.includes(name) ? int(partsOf(moment)[name as keyof Parts]) : undefined;
}

export function dateMethod(
  value: Call,
  name: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value | undefined {
  const span = microsOf(value);
  if (span !== undefined)
    return name === "total_seconds" ? float(Number(span) / Number(SECOND)) : undefined;
  const moment = momentOf(value);
  if (!moment) return undefined;
  const [first] = args;
  switch (name) {
    case "isoformat":
      return args.length === 0 && kwargs.size === 0 ? str(dateText(value, "T")!) : undefined;
    case "strftime":
      return first?.kind === "str" ? formatted(moment, first.value) : undefined;
    case "date":
      return moment.class === "datetime"
        ? momentValue({ ...moment, class: "date" }, undefined)
        : undefined;
    case "time":
      return moment.class === "datetime"
        ? momentValue({ ...moment, class: "time", micros: moment.micros % DAY }, undefined)
        : undefined;
    case "weekday":
    case "isoweekday": {
      const { weekday } = partsOf(moment);
      return int(name === "weekday" ? (weekday + 6) % 7 : weekday || 7);
    }
    case "replace":
      return args.length === 0 ? replaced(value, moment, kwargs) : undefined;
    default:
      return undefined;
  }
}

function replaced(value: Call, moment: Moment, kwargs: ReadonlyMap<string, Value>): Value {
  const parts = partsOf(moment);
  const zone = zoneOf(value);
  const names: readonly string[] = [
    ...(moment.class === "time" ? [] : DATE_PARTS),
    ...(moment.class === "date" ? [] : CLOCK_PARTS),
  ];
  const all = names.map((name): [string, Value] => [name, int(parts[name as keyof Parts])]);
  return {
    kind: "call",
    callee: value.callee,
    args: [],
    kwargs: new Map([...all, ...(zone ? [["tzinfo", zone] as const] : []), ...kwargs]),
  };
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS =
  "January February March April May June July August September October November December".split(
    " ",
  );

/** `strftime`, in the C locale. */
function formatted(moment: Moment, format: string): Value | undefined {
  const parts = partsOf(moment);
  const directives: Readonly<Record<string, string>> = {
    Y: String(parts.year),
    m: pad(parts.month),
    d: pad(parts.day),
    H: pad(parts.hour),
    I: pad(parts.hour % 12 || 12),
    M: pad(parts.minute),
    S: pad(parts.second),
    f: pad(parts.microsecond, 6),
    p: parts.hour < 12 ? "AM" : "PM",
    y: pad(parts.year % 100),
    A: DAYS[parts.weekday]!,
    a: DAYS[parts.weekday]!.slice(0, 3),
    B: MONTHS[parts.month - 1]!,
    b: MONTHS[parts.month - 1]!.slice(0, 3),
    "%": "%",
  };
  let isKnown = true;
  const text = format.replace(/%(.)/gs, (_, directive: string) => {
    isKnown &&= Object.hasOwn(directives, directive);
    return directives[directive] ?? "";
  });
  return isKnown ? str(text) : undefined;
}

/** `date.fromisoformat(…)` and other class methods that do not ask for the time. */
export function dateClassMethod(
  id: string,
  name: string,
  args: readonly Value[],
): Value | undefined {
  const cls = id.slice("datetime.".length) as Moment["class"];
  const [first, second] = args;
  if (name === "fromisoformat" && first?.kind === "str") return fromIso(cls, first.value);
  if (name === "combine" && cls === "datetime" && first && second && args.length === 2) {
    const date = momentOf(first);
    const time = momentOf(second);
    if (!date || time?.class !== "time" || date.class === "time") return undefined;
    const micros = date.micros - (date.micros % DAY) + time.micros;
    return momentValue({ class: "datetime", micros, offset: null }, zoneOf(second as Call));
  }
  if (name === "fromtimestamp" && cls === "datetime" && second && offsetOf(second) === 0n) {
    const seconds = first?.kind === "int" ? first.value : undefined;
    if (seconds === undefined) return undefined;
    const micros = -FIRST_DAY * 1000n + seconds * SECOND;
    return momentValue({ class: "datetime", micros, offset: 0n }, second);
  }
  return undefined;
}

const ISO =
  /^(?:(\d{4})-(\d\d)-(\d\d))?(?:(?:^|[T ])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{3}|\d{6}))?)?)?(Z|[+-]\d\d:\d\d)?$/;

function fromIso(cls: Moment["class"], text: string): Value | undefined {
  const found = ISO.exec(text);
  if (!found || (cls === "time") === (found[1] !== undefined)) return undefined;
  if (cls === "date" && (found[4] !== undefined || found[8] !== undefined)) return undefined;
  const date = cls === "time" ? [] : found.slice(1, 4);
  const micro = found[7]?.padEnd(6, "0");
  const time = cls === "date" ? [] : [found[4], found[5], found[6], micro];
  const args = [...date, ...time].map((part) => int(Number(part ?? 0)));
  const kwargs = new Map<string, Value>();
  if (found[8] !== undefined) kwargs.set("tzinfo", isoZone(found[8]));
  return { kind: "call", callee: libraryClass(`datetime.${cls}`), args, kwargs };
}

function isoZone(text: string): Value {
  const callee = libraryClass("datetime.timezone");
  if (/^Z$|00:00$/.test(text)) return { kind: "call", callee, args: [], kwargs: new Map() };
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(4));
  const span = spanValue(BigInt(text.startsWith("-") ? -minutes : minutes) * 60n * SECOND);
  return { kind: "call", callee, args: [span], kwargs: new Map() };
}
