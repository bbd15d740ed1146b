/** What the keeper of a group may know of its node when it decides. Read-only, made anew for each step. */

import type { Instant } from "../instant.ts";
import type { Peer } from "../membership/peer.ts";
import type { Settings } from "../settings.ts";
import type { Statement } from "../../wire/statement.ts";
import type { Directives } from "./directives.ts";
import type { Fencing } from "./fencing.ts";

export interface Surroundings {
  readonly now: Instant;
  readonly self: string;
  readonly settings: Settings;
  readonly peers: readonly Peer[];
  readonly phase: Statement["phase"];
  readonly settledForMs: number;
  readonly directives: Directives;
  readonly isMaintenance: boolean;
  /** No contact with any arbiter, nor with every peer; `false` also where that cannot be known. */
  readonly isIsolated: boolean;
  /** An isolated node may keep what it holds, for now. */
  readonly mayKeep: boolean;
  /** Contact is new enough to set or renew addresses with a lease of so many seconds (`Isolation.mayRenew`). */
  readonly mayRenew: (leaseSeconds: number) => boolean;
  /** An arbiter has answered lately enough to take something over. `null`: none is configured. */
  readonly isArbiterReachable: boolean | null;
  readonly fencing: Fencing;
  /** Number that our next heartbeat will carry. */
  readonly nextSequence: number;
  /** This node speaks for the cluster: it alone raises cluster-wide alarms. */
  readonly isCoordinator: boolean;
}
