import { type Call, type Value, argument, calleeId } from "../python/values.js";

function integer(value: Value | undefined, otherwise: number): number | undefined {
  if (!value) return otherwise;
  return value.kind === "int" ? Number(value.value) : undefined;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** A `datetime`, `date`, `time` or `timedelta` made of constants, as ISO 8601; `undefined` for anything else. */
export function encodeTemporal(id: string, value: Call): string | undefined {
  switch (id) {
    case "datetime.date":
      return dateText(value);
    case "datetime.datetime": {
      const date = dateText(value);
      const time = timeText(value, 3);
      return date === undefined || time === undefined ? undefined : `${date}T${time}`;
    }
    case "datetime.time":
      return timeText(value, 0);
    case "datetime.timedelta":
      return durationText(value);
    default:
      return undefined;
  }
}

function dateText(value: Call): string | undefined {
  const [year, month, day] = ["year", "month", "day"].map((name, i) =>
    integer(argument(value, i, name), NaN),
  );
  if (
    year === undefined ||
    month === undefined ||
    day === undefined ||
    Number.isNaN(year + month + day)
  )
    return undefined;
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
}

function timeText(value: Call, offset: number): string | undefined {
  const zone = argument(value, offset + 4, "tzinfo");
  const isUtc =
    zone?.kind === "call" &&
    zone.args.length === 0 &&
    /^datetime\.(timezone|UTC)$/.test(calleeId(zone));
  if (zone && zone.kind !== "none" && !isUtc) return undefined;
  const [hour, minute, second, micro] = ["hour", "minute", "second", "microsecond"].map((name, i) =>
    integer(argument(value, offset + i, name), 0),
  );
  if (hour === undefined || minute === undefined || second === undefined || micro === undefined)
    return undefined;
  return `${two(hour)}:${two(minute)}:${two(second)}${micro === 0 ? "" : `.${String(micro).padStart(6, "0")}`}${isUtc ? "Z" : ""}`;
}

const MICROSECONDS: readonly (readonly [string, bigint])[] = [
  ["days", 86_400_000_000n],
  ["seconds", 1_000_000n],
  ["microseconds", 1n],
  ["milliseconds", 1000n],
  ["minutes", 60_000_000n],
  ["hours", 3_600_000_000n],
  ["weeks", 604_800_000_000n],
];

/** As pydantic writes durations: `P1DT2H3.5S`, with years of 365 days, and zero as `PT0S`. */
function durationText(value: Call): string | undefined {
  let total = 0n;
  for (const [i, [name, unit]] of MICROSECONDS.entries()) {
    const part = argument(value, i, name);
    if (!part) continue;
    if (part.kind === "int") total += part.value * unit;
    else if (part.kind === "float" && Number.isInteger(part.value * Number(unit)))
      total += BigInt(part.value * Number(unit));
    else return undefined;
  }
  const sign = total < 0n ? "-" : "";
  let rest = total < 0n ? -total : total;
  const take = (unit: bigint): bigint => {
    const count = rest / unit;
    rest %= unit;
    return count;
  };
  const days = take(86_400_000_000n);
  const [years, dayRest] = [days / 365n, days % 365n];
  const [hours, minutes, seconds] = [take(3_600_000_000n), take(60_000_000n), take(1_000_000n)];
  const fraction = rest === 0n ? "" : `.${String(rest).padStart(6, "0").replace(/0+$/, "")}`;
  const date = (years > 0n ? `${years}Y` : "") + (dayRest > 0n ? `${dayRest}D` : "");
  const time =
    (hours > 0n ? `${hours}H` : "") +
    (minutes > 0n ? `${minutes}M` : "") +
    (seconds > 0n || fraction ? `${seconds}${fraction}S` : "");
  return date || time ? `${sign}P${date}${time ? `T${time}` : ""}` : "PT0S";
}
