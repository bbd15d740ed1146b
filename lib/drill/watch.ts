/**
 * Watches a virtual address from this machine: is it here, who else answers for it, and does it answer a ping. Only
 * asks, as any host does; decides nothing. What cannot be seen from here (a question that the drill itself cuts off)
 * counts as not seen, never as nobody.
 */

import { randomBytes } from "node:crypto";
import { monotonicMs } from "../system/clock.ts";
import { EchoSocket } from "../system/icmp.ts";
import { NeighbourSocket } from "../system/neighbour.ts";
import type { AddressInfo, LinkInfo, Netlink } from "../system/netlink.ts";
import { addressFamily, type Family } from "../system/packets/ip_address.ts";

export const thisMachine = "this machine";

/** Who held the address, as far as one round of questions showed. */
export interface Round {
  readonly atMs: number;
  /** `this machine`, or hardware addresses. */
  readonly holders: readonly string[];
}

export interface Sighting {
  readonly address: string;
  /** Interface on which neighbours are asked; `null`: nobody can be asked, only this machine is seen. */
  readonly device: string | null;
  /** Why the neighbours cannot be asked; empty: they can. */
  readonly blindness: string;
  readonly rounds: readonly Round[];
  /** Instants of the replies to our pings. */
  readonly repliesAtMs: readonly number[];
}

/** Shorter floods the network; longer misses a short second holder. */
const roundMs = 200;
const pingMs = 50;
/** How often is looked: what a reply's instant may be wrong by. */
const lookMs = 10;

/** One virtual address. */
export class AddressWatch {
  readonly #family: Family;
  readonly #device: LinkInfo | null;
  readonly #neighbours: NeighbourSocket | null;
  readonly #echo: EchoSocket | null;
  readonly #sender: string | null;
  readonly #rounds: Round[] = [];
  readonly #replies: number[] = [];
  readonly #identifier = randomBytes(2).readUInt16BE();
  #blindness = "";
  #sequence = 0;
  #answered = new Set<string>();
  #wasHere: boolean;
  #askAtMs = 0;
  #pingAtMs = 0;

  constructor(readonly address: string, readonly netlink: Netlink, readonly ignore: readonly string[] = []) {
    this.#family = addressFamily(address)!;
    const own = netlink.addresses(this.#family);
    this.#device = deviceOf(netlink, address);
    this.#sender = this.#device === null ? null : senderOn(this.#device, own, address);
    this.#wasHere = own.some((each) => each.address === address);
    this.#neighbours = this.#openNeighbours();
    this.#echo = this.#openEcho();
  }

  /** Looks once; cheap enough for every few milliseconds. */
  look(): void {
    const now = monotonicMs();
    this.#listen(now);
    if (now >= this.#askAtMs) {
      this.#endRound(now);
      this.#askAtMs = now + roundMs;
      attempt(() => this.#neighbours?.askFrom(this.#sender ?? "0.0.0.0", this.address));
    }
    if (now >= this.#pingAtMs) {
      this.#pingAtMs = now + pingMs;
      attempt(() =>
        this.#echo?.send(this.address, this.#identifier, this.#sequence++ & 0xffff, new Uint8Array(8))
      );
    }
  }

  sighting(): Sighting {
    return {
      address: this.address,
      device: this.#neighbours === null ? null : this.#device!.name,
      blindness: this.#blindness,
      rounds: this.#rounds,
      repliesAtMs: this.#replies,
    };
  }

  close(): void {
    this.#neighbours?.close();
    this.#echo?.close();
  }

  #listen(now: number): void {
    attempt(() => {
      for (const claim of this.#neighbours?.poll() ?? []) {
        const isAnswer = claim.address === this.address && claim.kind !== "probe";
        if (isAnswer && !this.ignore.includes(claim.hardware)) this.#answered.add(claim.hardware);
      }
    });
    attempt(() => {
      for (const reply of this.#echo?.poll() ?? []) {
        if (reply.identifier === this.#identifier && reply.from === this.address) this.#replies.push(now);
      }
    });
  }

  /** This machine counts for a round only if it had the address at both ends of it: a handover is no second holder. */
  #endRound(now: number): void {
    const isHere = this.netlink.addresses(this.#family).some(({ address }) => address === this.address);
    const holders = [...(isHere && this.#wasHere ? [thisMachine] : []), ...this.#answered];
    this.#rounds.push({ atMs: now, holders });
    this.#wasHere = isHere;
    this.#answered = new Set();
  }

  #openNeighbours(): NeighbourSocket | null {
    if (this.#device === null) return this.#cannotSee("no interface leads to it");
    if (!this.#device.hasNeighbours) return this.#cannotSee(`${this.#device.name} has no neighbours to ask`);
    if (this.#family === 4 && this.#sender === null) {
      return this.#cannotSee(`this machine has no IPv4 address of its own to ask from`);
    }
    try {
      return NeighbourSocket.open(this.#device, this.#family);
    } catch (error) {
      return this.#cannotSee(error instanceof Error ? error.message : String(error));
    }
  }

  #cannotSee(why: string): null {
    this.#blindness = why;
    return null;
  }

  #openEcho(): EchoSocket | null {
    try {
      return EchoSocket.open(this.#family);
    } catch {
      return null;
    }
  }
}

/** Looks at everything until `ms` have passed or `isOver` says so; answers whether the whole time passed. */
export async function watchFor(
  ms: number,
  watches: readonly AddressWatch[],
  isOver: () => boolean,
): Promise<boolean> {
  const endMs = monotonicMs() + ms;
  while (monotonicMs() < endMs) {
    if (isOver()) return false;
    for (const watch of watches) watch.look();
    await new Promise((resolve) => setTimeout(resolve, Math.min(lookMs, Math.max(0, endMs - monotonicMs()))));
  }
  return true;
}

function deviceOf(netlink: Netlink, address: string): LinkInfo | null {
  const device = netlink.deviceForAddress(address);
  return device === null ? null : netlink.links().find(({ index }) => index === device.index) ?? null;
}

/** An address of ours to ask from: of that interface, else any; never the watched one, which would claim it. */
function senderOn(device: LinkInfo, own: readonly AddressInfo[], watched: string): string | null {
  const usable = own.filter(({ address }) => address !== watched && !address.startsWith("127."));
  return (usable.find(({ index }) => index === device.index) ?? usable[0])?.address ?? null;
}

/** While the link is cut the kernel refuses what we send: that is what is being rehearsed. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // Not seen is not seen; the next round asks again.
  }
}
