import { z } from "zod";

/** `GET /readyz`. */
export const readiness = z
  .object({
    status: z.enum(["ok", "degraded", "unavailable"]),
    failed: z.array(z.object({ name: z.string(), error: z.string() })),
  })
  .meta({ id: "Readiness" });
export type Readiness = z.infer<typeof readiness>;
