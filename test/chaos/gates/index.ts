import { longChaos, naive, shortChaos } from "./chaos.ts";
import { crashPointGate } from "./crash-points.ts";
import { deployGate } from "./deploy.ts";
import { failoverGate } from "./failover.ts";
import type { Gate } from "./gate.ts";
import { mailGate } from "./mail.ts";
import { postgresGate } from "./postgres.ts";
import { redisLong, redisShort } from "./redis.ts";
import { soakGate } from "./soak.ts";

/** All gates, the short ones first. */
export const gates: readonly Gate[] = [
  ...[shortChaos, naive, redisShort],
  ...[longChaos, redisLong, failoverGate, postgresGate, mailGate, deployGate, crashPointGate, soakGate],
];
