import { Ledger1763856000000 } from "./0000-ledger.ts";
import { JobControl1764374400007 } from "./0007-job-control.ts";
import { GroupPauses1765152000015 } from "./0015-group-pauses.ts";
import { GroupWeights1765411200019 } from "./0019-group-weights.ts";
import { FreeOutbox1765497600020 } from "./0020-free-outbox.ts";
import { OwnTables1766102400027 } from "./0027-own-tables.ts";

/** The migrations of the engine's tables; an application runs them together with its own. None runs twice. */
export const engineMigrations = [
  Ledger1763856000000,
  JobControl1764374400007,
  GroupPauses1765152000015,
  GroupWeights1765411200019,
  FreeOutbox1765497600020,
  OwnTables1766102400027,
];
