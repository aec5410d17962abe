import { ACCESSES } from "./accesses.js";
import { BINDINGS, FUNCTION_BINDINGS } from "./bindings.js";
import { CALLS } from "./calls.js";
import { CARRIERS } from "./carriers.js";
import { HIDINGS } from "./hidings.js";
import { PLACES } from "./places.js";
import { HARMLESS_SINKS, type Sink, SINKS, type Template } from "./templates.js";

/** A script, and what it is made of. */
export interface Script {
  readonly source: string;
  readonly sink: Sink;
  /** The names of its parts: `binding=import as`. */
  readonly parts: readonly string[];
}

interface Code {
  readonly setup: string;
  readonly expression: string;
}

const START: Code = { setup: "", expression: "" };

/** Numbers from a seed: the same ones on every machine (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

/** The choices of one script. A function's binding needs no access. */
interface Choice {
  readonly sink: Sink;
  readonly binding: Template;
  readonly carrier: Template;
  readonly access: Template | null;
  readonly hiding: string;
  readonly second: Template;
  readonly call: Template;
  readonly place: string;
}

function write(choice: Choice): Script {
  const { sink, binding, carrier, access, hiding, second, call, place } = choice;
  let number = 0;
  const apply = (template: Template, code: Code): Code => {
    number++;
    const text = template.text
      .replaceAll("$P", () => HIDINGS[hiding]!(sink.module))
      .replaceAll("$N", () => HIDINGS[hiding]!(sink.member))
      .replaceAll("$M", sink.module)
      .replaceAll("$F", sink.member)
      .replaceAll("$A", () => sink.argument)
      .replaceAll("$X", () => code.expression)
      .replaceAll("$_", String(number));
    const lines = text.split("\n");
    const expression = lines.pop()!;
    return { setup: code.setup + lines.map((line) => `${line}\n`).join(""), expression };
  };
  let code = apply(carrier, apply(binding, START));
  if (access) code = apply(access, code);
  code = apply(call, apply(second, code));
  const indented = (by: string) => code.setup.replace(/^(?=.)/gm, by).replace(/\n$/, "");
  const source = PLACES[place]!.replaceAll("$S", () => code.setup.replace(/\n$/, ""))
    .replaceAll("$I", () => indented("    "))
    .replaceAll("$J", () => indented("        "))
    .replaceAll("$E", () => code.expression);
  const parts = [
    `sink=${sink.module}.${sink.member}`,
    `binding=${binding.name}`,
    `carrier=${carrier.name}`,
    `access=${access?.name ?? "none"}`,
    `hiding=${access || binding.text.includes("$P") ? hiding : "none"}`,
    `second carrier=${second.name}`,
    `call=${call.name}`,
    `place=${place.replace(/^\+/, "")}`,
  ];
  return { source: `${source.replace(/^\n+/, "")}\n`, sink, parts };
}

const PLAIN = {
  carrier: CARRIERS[0]!,
  second: CARRIERS[0]!,
  access: ACCESSES[0]!,
  hiding: "plain",
  call: CALLS[0]!,
  place: "+module",
} as const;

/** Each part alone, with all others plain, for some of the sinks each. */
export function* singles(): Generator<Script> {
  let turn = 0;
  const sink = () => SINKS[turn++ % SINKS.length]!;
  const plain = { ...PLAIN, binding: BINDINGS[1]! };
  for (const binding of BINDINGS) {
    for (const each of SINKS.filter(({ module }) => binding.only?.includes(module) ?? true))
      yield write({ ...plain, sink: each, binding });
  }
  for (const binding of FUNCTION_BINDINGS) {
    for (let i = 0; i < 4; i++) yield write({ ...plain, sink: sink(), binding, access: null });
  }
  const rounds = 3;
  for (let i = 0; i < rounds; i++) {
    for (const carrier of CARRIERS) yield write({ ...plain, sink: sink(), carrier });
    for (const access of ACCESSES) yield write({ ...plain, sink: sink(), access });
    for (const hiding of Object.keys(HIDINGS))
      yield write({ ...plain, sink: sink(), hiding, access: ACCESSES[1]! });
    for (const second of CARRIERS) yield write({ ...plain, sink: sink(), second });
    for (const call of CALLS) yield write({ ...plain, sink: sink(), call });
    for (const place of Object.keys(PLACES)) yield write({ ...plain, sink: sink(), place });
  }
}

/** Scripts of parts chosen at random: the same ones for the same seed. */
export function* combinations(seed: number, count: number): Generator<Script> {
  const below = numbers(seed);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
  const hidings = Object.keys(HIDINGS);
  const places = Object.keys(PLACES);
  for (let i = 0; i < count; i++) {
    const sink = pick(SINKS);
    const isFunction = below(8) === 0;
    const bindings = isFunction
      ? FUNCTION_BINDINGS
      : BINDINGS.filter(({ only }) => only?.includes(sink.module) ?? true);
    yield write({
      sink,
      binding: pick(bindings),
      carrier: below(2) ? pick(CARRIERS) : PLAIN.carrier,
      access: isFunction ? null : pick(ACCESSES),
      hiding: pick(hidings),
      second: below(3) === 0 ? pick(CARRIERS) : PLAIN.second,
      call: below(2) ? pick(CALLS) : PLAIN.call,
      place: below(2) ? pick(places) : PLAIN.place,
    });
  }
}

/** The same shapes with what is harmless, as harmless scripts are written. */
export function* controls(seed: number, count: number): Generator<Script> {
  const below = numbers(seed);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
  const ordinary = (items: readonly Template[]) => items.filter((item) => item.ordinary);
  const places = Object.keys(PLACES).filter((place) => place.startsWith("+"));
  for (let i = 0; i < count; i++) {
    const isFunction = below(4) === 0;
    yield write({
      sink: pick(HARMLESS_SINKS),
      binding: pick(ordinary(isFunction ? FUNCTION_BINDINGS : BINDINGS)),
      carrier: pick(ordinary(CARRIERS)),
      access: isFunction ? null : pick(ordinary(ACCESSES)),
      hiding: "plain",
      second: below(2) ? pick(ordinary(CARRIERS)) : PLAIN.second,
      call: pick(ordinary(CALLS)),
      place: pick(places),
    });
  }
}
