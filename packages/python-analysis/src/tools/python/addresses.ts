import { type Value, calleeId } from "./values.js";

/** `str(…)` of an instance of a class of `ipaddress` made of text; `undefined` for anything else. */
export function addressText(value: Value): string | undefined {
  if (value.kind !== "call") return undefined;
  const found = /^ipaddress\.IPv([46])(Address|Network|Interface)$/.exec(calleeId(value));
  const [given] = value.args;
  if (!found || !given) return undefined;
  const version = found[1] === "4" ? 4 : 6;
  if (given.kind === "int" && found[2] === "Address") return fromInteger(given.value, version);
  if (given.kind !== "str" || value.args.length > 1 || value.kwargs.size > 0) return undefined;
  const [text = "", prefix, ...more] = given.value.split("/");
  if (found[2] === "Address" ? prefix !== undefined : more.length > 0) return undefined;
  const address = version === 4 ? ipv4(text) : ipv6(text);
  if (address === undefined || found[2] === "Address") return address;
  const longest = version === 4 ? 32 : 128;
  const length = prefix === undefined ? longest : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  return length >= 0 && length <= longest ? `${address}/${length}` : undefined;
}

function ipv4(text: string): string | undefined {
  const octets = text.split(".");
  const isAddress =
    octets.length === 4 &&
    octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256);
  return isAddress ? text : undefined;
}

/** In its shortest form, with the longest run of zeros left out. */
function ipv6(text: string): string | undefined {
  if (text.includes(".") || text.includes("%")) return undefined;
  const [head = "", tail, ...more] = text.split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const missing = 8 - before.length - after.length;
  if (more.length > 0 || (tail === undefined ? missing !== 0 : missing < 1)) return undefined;
  const all = [...before, ...Array.from({ length: missing }, () => "0"), ...after];
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return shortened(all.map((group) => parseInt(group, 16)));
}

function shortened(groups: readonly number[]): string {
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.length < 2) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}

function fromInteger(value: bigint, version: 4 | 6): string | undefined {
  const [bits, size, count] = version === 4 ? [32n, 8n, 4] : [128n, 16n, 8];
  if (value < 0n || value >= 1n << bits) return undefined;
  const parts = Array.from({ length: count }, (_, i) =>
    Number((value >> (BigInt(count - 1 - i) * size)) & ((1n << size) - 1n)),
  );
  return version === 4 ? parts.join(".") : shortened(parts);
}
