/** The methods of lists, dictionaries, sets, tuples, iterators, arrays of bytes and numbers. */
import { callFunction } from "./functions.js";
import { makeDictionary } from "./iteration.js";
import type { Interpreter } from "./interpreter.js";
import { MOST_ITEMS } from "./limits.js";
import { compare } from "./operators.js";
import { MUTATORS } from "./survey.js";
import {
  type Arguments,
  bytes,
  type Bytes,
  type Constant,
  count,
  type Dictionary,
  int,
  iterate,
  iterator,
  keyOf,
  list,
  type List,
  NONE,
  tuple,
  UNKNOWN,
  type Value,
} from "./value.js";

export function callObjectMethod(
  run: Interpreter,
  self: Constant,
  name: string,
  given: Arguments,
): Value {
  const changes = MUTATORS.has(name) || name === "__next__";
  if (changes && !run.mayChange(self)) {
    run.escape(given);
    return UNKNOWN;
  }
  switch (self.type) {
    case "list":
      return listMethod(run, self, name, given);
    case "dict":
      return dictionaryMethod(run, self, name, given);
    case "bytes":
      return bytesMethod(self, name, given.positional);
    case "tuple":
      return sequenceMethod(self.items, name, given.positional);
    case "set":
      if (name === "add") {
        self.spoiled = true;
        return NONE;
      }
      if (changes) self.spoiled = true;
      return UNKNOWN;
    case "int":
    case "bool":
      if (name === "to_bytes")
        return (
          callFunction(
            "builtins.int.to_bytes",
            { positional: [self, ...given.positional], named: given.named },
            run,
          ) ?? UNKNOWN
        );
      return name === "bit_length" && self.type === "int"
        ? int(self.value.toString(2).replace("-", "").replace(/^0$/, "").length)
        : UNKNOWN;
    case "iterator":
      if (name === "__next__")
        return (
          callFunction("builtins.next", { positional: [self], named: new Map() }, run) ?? UNKNOWN
        );
      return name === "__iter__" ? self : UNKNOWN;
    default:
      run.escape(given);
      return UNKNOWN;
  }
}

function sequenceMethod(items: readonly Value[], name: string, [wanted]: readonly Value[]): Value {
  if (!wanted || (name !== "index" && name !== "count")) return UNKNOWN;
  let found = 0;
  for (const [i, item] of items.entries()) {
    const same = compare("==", item, wanted);
    if (same === null) return UNKNOWN;
    if (same && name === "index") return int(i);
    if (same) found++;
  }
  return name === "count" ? int(found) : UNKNOWN;
}

function listMethod(
  run: Interpreter,
  self: List,
  name: string,
  { positional, named }: Arguments,
): Value {
  if (self.spoiled) {
    run.escape({ positional, named });
    return UNKNOWN;
  }
  const [first, second] = positional;
  const { items } = self;
  switch (name) {
    case "append":
      if (!first || items.length >= MOST_ITEMS) break;
      items.push(first);
      return NONE;
    case "extend":
    case "__iadd__": {
      const more = first ? iterate(first) : null;
      if (!more || items.length + more.length > MOST_ITEMS || !run.budget.step(more.length)) break;
      for (const item of more.slice()) items.push(item);
      return name === "extend" ? NONE : self;
    }
    case "insert": {
      const at = count(first);
      if (at === null || !second) break;
      if (!run.budget.step(items.length >> 4)) break;
      items.splice(at, 0, second);
      return NONE;
    }
    case "pop": {
      const at = first ? count(first) : -1;
      if (at === null || at >= items.length || at < -items.length) break;
      if (!run.budget.step(items.length >> 4)) break;
      return items.splice(at, 1)[0]!;
    }
    case "reverse":
      items.reverse();
      return NONE;
    case "sort": {
      const sorted = callFunction("builtins.sorted", { positional: [self], named }, run);
      if (sorted?.type !== "list") break;
      self.items = sorted.items;
      return NONE;
    }
    case "clear":
      self.items = [];
      return NONE;
    case "copy":
      return run.budget.step(items.length) ? list(items) : UNKNOWN;
    case "__iter__":
      return iterator(items);
    case "index":
    case "count":
      return run.budget.step(items.length) ? sequenceMethod(items, name, positional) : UNKNOWN;
  }
  if (MUTATORS.has(name)) self.spoiled = true;
  return UNKNOWN;
}

function dictionaryMethod(
  run: Interpreter,
  self: Dictionary,
  name: string,
  { positional, named }: Arguments,
): Value {
  const [first, second] = positional;
  const key = first ? keyOf(first) : null;
  const { entries } = self;
  if (self.spoiled) {
    run.escape({ positional, named });
    return UNKNOWN;
  }
  switch (name) {
    case "get":
      return key === null ? UNKNOWN : (entries.get(key)?.[1] ?? second ?? NONE);
    case "setdefault": {
      if (key === null) break;
      const found = entries.get(key)?.[1];
      if (!found) entries.set(key, [first as Constant, second ?? NONE]);
      return found ?? second ?? NONE;
    }
    case "pop": {
      if (key === null) break;
      const found = entries.get(key)?.[1];
      entries.delete(key);
      return found ?? second ?? UNKNOWN;
    }
    case "update": {
      if (first?.type === "dict" && !first.spoiled)
        for (const [k, entry] of first.entries) entries.set(k, entry);
      else if (first) {
        const pairs = iterate(first);
        if (!pairs || makeDictionary(pairs, entries).type !== "dict") break;
      }
      for (const [k, value] of named)
        entries.set(`s${k}`, [{ type: "str", text: k, hidden: false }, value]);
      return NONE;
    }
    case "copy":
      return run.budget.step(entries.size)
        ? { type: "dict", entries: new Map(entries), spoiled: false }
        : UNKNOWN;
    case "keys":
    case "values":
    case "items":
    case "__iter__": {
      if (!run.budget.step(entries.size)) return UNKNOWN;
      const all = [...entries.values()];
      return tuple(
        all.map(([k, value]) =>
          name === "values" ? value : name === "items" ? tuple([k, value]) : k,
        ),
      );
    }
  }
  if (MUTATORS.has(name)) self.spoiled = true;
  return UNKNOWN;
}

function bytesMethod(self: Bytes, name: string, [first]: readonly Value[]): Value {
  const number = first ? count(first) : null;
  if (name === "append" && number !== null && number >= 0 && number < 256) {
    self.text += String.fromCharCode(number);
    return NONE;
  }
  if (name === "extend" && first?.type === "bytes") {
    self.text += first.text;
    return NONE;
  }
  if (name === "reverse") {
    self.text = self.text.split("").reverse().join("");
    return NONE;
  }
  if (name === "copy") return bytes(self.text, self.hidden, true);
  self.isSpoiled = true;
  return UNKNOWN;
}
