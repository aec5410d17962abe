import { z } from "zod";

/** `name` of a policy. */
export const documentName = z
  .string("must be there, as text")
  .min(1, "must not be empty")
  .max(100, "must have at most 100 characters");

/** `version` of a policy, as whoever wrote it counts. */
export const documentVersion = z.union(
  [
    z.string().min(1, "must not be empty").max(50, "must have at most 50 characters"),
    z.number().transform(String),
  ],
  { error: 'must be there, as a number or a text of at most 50 characters, such as "1"' },
);
