import { z } from "zod";
import { paragraphs } from "./text.js";

/** What `PUT /scripts/{id}/legal_hold` takes. */
export const legalHoldRequest = z
  .strictObject({
    reason: paragraphs(2_000)
      .refine((text) => text.trim() !== "", "must not be empty")
      .describe("For whoever wants to delete the script, and for whoever reads the audit log"),
  })
  .meta({ id: "LegalHoldRequest" });

/** `GET /scripts/{id}/legal_hold`. */
export const legalHold = z
  .object({
    reason: z.string(),
    actor: z.string().describe("Who placed it, as in the audit log"),
    placed_at: z.iso.datetime(),
  })
  .meta({ id: "LegalHold" });
export type LegalHold = z.infer<typeof legalHold>;
