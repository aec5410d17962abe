import { z } from "zod";
import { whole } from "./setting-values.js";

/** One setting, as `--help` and docs/settings.md print it. */
export interface SettingDeclaration {
  /** Name of the environment variable. */
  readonly name: string;
  /** What holds where the variable is unset or empty, as it would be written. */
  readonly default: string | undefined;
  readonly description: string;
  /** What a right value looks like, as an error says it after "expected". */
  readonly expected: string;
  /** A value that is never printed. */
  readonly secret: boolean;
}

/** A setting and how its text becomes its value. */
export interface Declared<T> extends SettingDeclaration {
  readonly schema: z.ZodType<T, string>;
  /** Its errors name the place in the value and what must be there, and never the value. */
  readonly tellsWhy?: boolean;
}

/** A setting that is secret only if it says so. */
export function setting<T>(
  declared: Omit<Declared<T>, "secret"> & { secret?: boolean },
): Declared<T> {
  return { secret: false, ...declared };
}

/** A whole number of seconds in the environment, milliseconds in the program. */
export function seconds(min: number, max: number): z.ZodType<number, string> {
  return whole(min, max).transform((value) => value * 1000);
}

export const yesOrNo = z.enum(["true", "false"]).transform((text) => text === "true");
