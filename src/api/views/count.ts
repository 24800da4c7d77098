import { z } from "zod";

/** How many there are. */
export const Count = z.object({ count: z.int() }).meta({ id: "Count" });
