import { dateText, microsOf } from "../python/dates.js";
import type { Call } from "../python/values.js";

/** A `datetime`, `date`, `time` or `timedelta` made of constants, as ISO 8601; `undefined` for anything else. */
export function encodeTemporal(value: Call): string | undefined {
  const micros = microsOf(value);
  if (micros !== undefined) return durationText(micros);
  return dateText(value, "T")?.replace(/\+00:00$/, "Z");
}

/** As pydantic writes durations: `P1DT2H3.5S`, with years of 365 days, and zero as `PT0S`. */
function durationText(total: bigint): string {
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
