/**
 * What one Heartline node says of itself in every heartbeat: the field `heartline` of a `status` message, a compact
 * JSON text that a Heartbeat daemon ignores. A statement is complete: each replaces the one before, so a lost one
 * costs nothing. `dialect` tells an incompatible future version apart.
 */

export const statementField = "heartline";
export const dialect = 1;

export interface Statement {
  readonly dialect: number;
  /** Software version of the sender. */
  readonly version: string;
  /** Hash of the settings that must agree on all nodes. */
  readonly settingsHash: string;
  /**
   * joining: just started or just stalled; takes nothing, judges nobody.
   * settled: an ordinary member. leaving: hands over and exits.
   */
  readonly phase: "joining" | "settled" | "leaving";
  /** Milliseconds since the sender settled; 0 while joining. */
  readonly settledForMs: number;
  /** Interface and own address of each medium, so that a peer can match them with its own. */
  readonly media: readonly MediumStatement[];
  /** By node name: whom the sender hears. A node that is missing is not heard. */
  readonly hears: Readonly<Record<string, HearsStatement>>;
  /** By group name. */
  readonly groups: Readonly<Record<string, GroupStatement>>;
  readonly maintenance: MaintenanceStatement;
  /** Lamport clock of the cluster's events; missing: the sender takes no part in their history. */
  readonly clock?: number;
  /** Milliseconds of the sender's clock since its start, when it sent this: differences tell the jitter of a path. */
  readonly sentMs?: number;
}

export interface MediumStatement {
  readonly name: string;
  /** Address the sender's packets come from, `null` where the medium has none. */
  readonly address: string | null;
}

/** What the sender last heard from one node. Echoes prove to that node that it is heard, and how fresh this is. */
export interface HearsStatement {
  readonly generation: number;
  readonly sequence: number;
  /** Indices into `Statement.media` on which the node is heard now. */
  readonly on: readonly number[];
  /** For each of `on`: the last heartbeat heard there, and how many milliseconds ago: dates the round trip. */
  readonly last?: readonly LastHeard[];
  /** Up to this number nothing of that node is missing: an acknowledgement that does not get lost for long. */
  readonly acked?: number;
}

export type LastHeard = readonly [sequence: number, agoMs: number];

export type GroupState =
  /** Nothing of the group runs on the sender. */
  | "stopped"
  /** Not known yet: the sender looks for leftovers of an earlier life. Counts as maybe held. */
  | "unknown"
  | "starting"
  | "running"
  | "stopping"
  /** A resource could not be stopped. Counts as held until a person says otherwise. */
  | "blocked";

export interface GroupStatement {
  readonly state: GroupState;
  /** While the sender may hold the group: epoch of its start. Otherwise the highest that it has seen. */
  readonly epoch: number;
  /** The sender could hold the group: settled, its interface up, no recent failure, not released by hand. */
  readonly able: boolean;
  /** The group is placed on the sender, which waits for the holder to let go. */
  readonly wants: boolean;
  /** Whole seconds of kernel lease on the group's addresses; 0: none. */
  readonly leaseSeconds: number;
  /** Latest placement by hand that the sender knows of, `null`: none. */
  readonly pin: PinStatement | null;
}

export function isSameStatement(one: GroupStatement, other: GroupStatement): boolean {
  return one.state === other.state && one.epoch === other.epoch && one.able === other.able &&
    one.wants === other.wants && one.leaseSeconds === other.leaseSeconds && one.pin === other.pin;
}

/** "Group goes to `node`", by an operator's command. The highest version wins, then the higher node name. */
export interface PinStatement {
  /** `null`: the pin was lifted. */
  readonly node: string | null;
  readonly version: number;
}

export interface MaintenanceStatement {
  readonly on: boolean;
  /** The highest version wins; 0: never set. */
  readonly version: number;
}
