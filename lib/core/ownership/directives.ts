/**
 * What operators have ordered for the whole cluster: maintenance, and groups pinned to nodes. Orders spread with the
 * heartbeats; of two, the one with the higher version counts, then the one that sorts higher, so that all nodes
 * settle on the same order whatever the sequence in which they hear of it.
 */

import { counted } from "../limits.ts";
import type { Peer } from "../membership/peer.ts";
import type { MaintenanceStatement, PinStatement, Statement } from "../../wire/statement.ts";

export class Directives {
  #maintenance: MaintenanceStatement = { on: false, version: 0 };
  readonly #pins = new Map<string, PinStatement>();

  /** Orders about other groups than these are not kept: a peer may name any, and ever new ones. */
  constructor(readonly groups: readonly string[]) {}

  get maintenance(): MaintenanceStatement {
    return this.#maintenance;
  }

  pin(group: string): PinStatement | null {
    return this.#pins.get(group) ?? null;
  }

  /** Node that the group is pinned to; `null`: none. */
  pinnedNode(group: string): string | null {
    return this.#pins.get(group)?.node ?? null;
  }

  setMaintenance(on: boolean): void {
    this.#maintenance = { on, version: counted(this.#maintenance.version) };
  }

  setPin(group: string, node: string | null): void {
    this.#pins.set(group, { node, version: counted(this.#pins.get(group)?.version ?? 0) });
  }

  /** A pin ends when its node is lost and another takes over: its return must not move the group once more. */
  liftPinOfLost(group: string, peers: readonly Peer[]): void {
    const pinned = this.pinnedNode(group);
    if (peers.some((peer) => peer.node === pinned && !peer.isInView)) this.setPin(group, null);
  }

  /** Takes over what a peer knows and we do not. Returns whether anything changed. */
  merge(statement: Statement): boolean {
    let hasChanged = false;
    if (isLaterMaintenance(statement.maintenance, this.#maintenance)) {
      this.#maintenance = statement.maintenance;
      hasChanged = true;
    }
    for (const group of this.groups) {
      const pin = statement.groups[group]?.pin ?? null;
      if (pin !== null && isLaterPin(pin, this.#pins.get(group))) {
        this.#pins.set(group, pin);
        hasChanged = true;
      }
    }
    return hasChanged;
  }
}

function isLaterMaintenance(candidate: MaintenanceStatement, known: MaintenanceStatement): boolean {
  if (candidate.version !== known.version) return candidate.version > known.version;
  return candidate.on && !known.on;
}

function isLaterPin(candidate: PinStatement, known: PinStatement | undefined): boolean {
  if (known === undefined || candidate.version !== known.version) {
    return candidate.version > (known?.version ?? 0);
  }
  return (candidate.node ?? "") > (known.node ?? "");
}
