import { z } from "zod";

/** An instant as of RFC 3339. */
export const instant = z.iso
  .datetime({
    offset: true,
    error: "must be a date and time as of RFC 3339, such as 2026-11-23T12:00:00Z",
  })
  .transform((text) => new Date(text));
