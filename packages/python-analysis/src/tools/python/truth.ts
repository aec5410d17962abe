import { type Value, plainOf } from "./values.js";

/** Whether a value counts as true, or `undefined` if that is not known. */
export function truth(value: Value): boolean | undefined {
  switch (value.kind) {
    case "none":
      return false;
    case "bool":
      return value.value;
    case "int":
      return value.value !== 0n;
    case "float":
      return value.value !== 0;
    case "str":
    case "bytes":
      return value.value.length > 0;
    case "tuple":
    case "list":
    case "set":
    case "frozenset":
      return value.items.length > 0;
    case "dict":
      return value.entries.length > 0;
    case "library-class":
    case "class":
    case "function":
    case "module":
      return true;
    case "member": {
      const plain = plainOf(value);
      if (plain !== value) return truth(plain);
      return value.class.isSubclassOf("enum.Flag") ? undefined : true;
    }
    default:
      return undefined;
  }
}
