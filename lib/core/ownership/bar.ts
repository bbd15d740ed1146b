/**
 * Links need not be transitive: of two nodes that do not hear each other neither can start a group while a third one
 * hears both, because what the other one holds is not known to it. This notices that it has lasted, from whom the
 * nodes in view hear; the node then says that it is not able, so that the third one may start the group. It must not
 * speak before all had the time to notice a death: the group would go to a less preferred node for nothing.
 */

import type { Context } from "../context.ts";
import { after, type Instant } from "../instant.ts";
import type { Peer } from "../membership/peer.ts";
import type { GroupSettings } from "../settings.ts";
import { testimonyAgainst } from "./exclusion.ts";

export class Bar {
  /** Why this node cannot start the group; `null`: it is not barred. */
  reason: string | null = null;
  #since: Instant | null = null;

  constructor(readonly settings: GroupSettings) {}

  /** `isStopped`: who holds the group keeps it; only a start is barred. */
  watch(context: Context, peers: readonly Peer[], isStopped: boolean, patienceMs: number): void {
    const testimony = isStopped ? this.#testimony(peers) : null;
    if (testimony === null) this.#since = null;
    else this.#since ??= context.now;
    const isBarred = this.#since !== null && context.now >= after(this.#since, patienceMs);
    if (isBarred !== (this.reason !== null)) context.isStatementDirty = true;
    this.reason = isBarred ? `${testimony}, which is not heard here` : null;
  }

  #testimony(peers: readonly Peer[]): string | null {
    const lost = peers.filter((peer) =>
      this.settings.nodes.includes(peer.node) && !peer.isInView && !peer.hasLeft
    );
    return testimonyAgainst(peers, lost);
  }
}
