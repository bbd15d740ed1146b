/**
 * Keeps the hardware addresses of peers that hear us: where a link loses much, ARP is lost too, and a kernel that gets no
 * answer to its own questions sends nothing at all for seconds, heartbeats neither. TCP tells it that packets arrive;
 * for UDP we do, by what the peer itself states of our heartbeats. Must never confirm without that: an address that
 * has moved to other hardware has to be asked for.
 */

import type { Settings } from "../core/settings.ts";
import { monotonicMs } from "../system/clock.ts";
import { SystemError } from "../system/errno.ts";
import { Netlink } from "../system/netlink.ts";
import type { Statement } from "../wire/statement.ts";

/** Well below the least time for which Linux believes what it knows (15 s). Lower: more system calls. */
const confirmEveryMs = 3_000;

/** The peer heard us longer ago than this, or less than this of what we sent: no proof that it still can. */
const proofMsMax = 3_000;
const proofMessagesMax = 20;

export class Neighbours {
  readonly #confirmedAt = new Map<string, number>();
  readonly #peers: ReadonlySet<string>;

  constructor(
    settings: Settings,
    readonly node: string,
    readonly generation: number,
    readonly netlink: Pick<Netlink, "link" | "confirmNeighbour" | "close"> | null,
    readonly now: () => number = monotonicMs,
  ) {
    const unicast = settings.media.filter((medium) => medium.kind === "ucast");
    this.#peers = new Set(unicast.map(({ device, peer }) => `${device} ${peer}`));
  }

  static open(settings: Settings, node: string, generation: number): Neighbours {
    let netlink: Netlink | null = null;
    try {
      netlink = Netlink.open();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
    return new Neighbours(settings, node, generation, netlink);
  }

  /**
   * A peer's authenticated statement: confirms its addresses on the links on which it has just heard us. `lastSent`: the
   * number of our last message, by which an old statement that is replayed shows itself.
   */
  hear(statement: Statement, lastSent: number): void {
    const echo = statement.hears[this.node];
    if (echo === undefined || echo.generation !== this.generation) return;
    for (const [position, index] of echo.on.entries()) {
      const medium = statement.media[index];
      const [sequence, agoMs] = echo.last?.[position] ?? [0, Infinity];
      if (agoMs > proofMsMax || sequence < lastSent - proofMessagesMax) continue;
      if (medium === undefined || medium.address === null) continue;
      const key = `${medium.name} ${medium.address}`;
      if (this.#peers.has(key)) this.#confirm(key, medium.name, medium.address);
    }
  }

  close(): void {
    this.netlink?.close();
  }

  #confirm(key: string, device: string, address: string): void {
    const now = this.now();
    const last = this.#confirmedAt.get(key);
    if (last !== undefined && now < last + confirmEveryMs) return;
    this.#confirmedAt.set(key, now);
    // Without permission, for a peer behind a router, or where netlink fails, all is as it would be without this.
    try {
      const link = this.netlink?.link(device) ?? null;
      if (link !== null) this.netlink!.confirmNeighbour(link.index, address);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }
}
