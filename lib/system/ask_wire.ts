/**
 * Asks the service network who has some addresses, and turns what is heard within a window into a verdict.
 *
 * Anybody but us who speaks for an address, or probes for it at the same time, has it or is about to (RFC 5227, 2.1.1).
 * Only a question that was put, on an interface that carries, and that nobody answered, is silence; anything that
 * keeps us from asking is blindness, which must never be taken for silence.
 */

import type { WireVerdict } from "../core/inputs.ts";
import { monotonicMs } from "./clock.ts";
import { type NeighbourClaim, NeighbourSocket } from "./neighbour.ts";
import { Netlink } from "./netlink.ts";
import { addressFamily, canonicalAddress, type Family, hardwareText } from "./packets/ip_address.ts";
import type { LinkInfo } from "./packets/netlink_messages.ts";

export interface WireQuestion {
  readonly addresses: ReadonlyArray<{ readonly address: string; readonly device: string }>;
  /** How long the question is open. The first foreign answer ends it at once. */
  readonly windowMs: number;
  /** Hardware addresses that never count, as `02:00:5e:00:00:01`: a router with proxy ARP. */
  readonly ignore?: readonly string[];
}

/** Time, as a test may want to hand it in. */
export interface WireClock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

const systemClock: WireClock = {
  now: monotonicMs,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * Pause between two looks at the sockets. Shorter costs a core's time for as long as the window is open; longer adds
 * to the time that a takeover or its veto takes. A look costs about a microsecond per socket.
 */
const pollIntervalMs = 1;

/** A flood of claims must not keep the caller here for ever. */
const listenRoundsMax = 2;

/** One address of a question, in canonical text, and the socket of the place where it is asked for. */
interface Place {
  readonly address: string;
  readonly socket: NeighbourSocket;
}

/** A question on its way. Several may be open on one socket: what is heard there is offered to all of them. */
interface OpenQuestion {
  readonly places: readonly Place[];
  /** Hardware addresses that are no answer: our own and those that the operator named. */
  readonly unheeded: ReadonlySet<string>;
  answer: WireVerdict | null;
}

/**
 * Keeps its sockets between questions. They belong to the network namespace in which they were opened: by `prepare`,
 * else by the first question about their device and family.
 */
export class WireAsker {
  readonly #netlink = Netlink.open();
  readonly #sockets = new Map<string, NeighbourSocket>();
  readonly #open = new Set<OpenQuestion>();

  constructor(readonly clock: WireClock = systemClock) {}

  /** Opens the sockets for these questions ahead of time. Answers why they would be blind, `null` if they would not. */
  prepare(addresses: WireQuestion["addresses"]): string | null {
    try {
      const links = this.#netlink.links();
      for (const { address, device } of addresses) this.#prepare(address, device, links);
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }

  /** Never rejects: what goes wrong is a `blind` verdict. Questions may overlap. */
  async ask(question: WireQuestion): Promise<WireVerdict> {
    try {
      return await this.#ask(question);
    } catch (error) {
      return { kind: "blind", reason: reasonOf(error) };
    }
  }

  async #ask(question: WireQuestion): Promise<WireVerdict> {
    const links = this.#netlink.links();
    const unheeded = new Set([
      ...links.map((link) => hardwareText(link.hardware)),
      ...(question.ignore ?? []).map((hardware) => hardware.toLowerCase()),
    ]);
    const places = question.addresses.map(({ address, device }) => this.#prepare(address, device, links));
    // What was said before the question was put is no answer to it.
    this.#listen();
    const open: OpenQuestion = { places, unheeded, answer: null };
    this.#open.add(open);
    try {
      return await this.#waitForAnswer(open, question.windowMs);
    } finally {
      this.#open.delete(open);
    }
  }

  async #waitForAnswer(open: OpenQuestion, windowMs: number): Promise<WireVerdict> {
    const start = this.clock.now();
    // Twice, in case the first is lost.
    const askAt = [start, start + windowMs / 2];
    while (true) {
      const now = this.clock.now();
      if (askAt.length > 0 && now >= askAt[0]!) {
        for (const { address, socket } of open.places) socket.probe(address);
        askAt.shift();
      }
      this.#listen();
      if (open.answer !== null) return open.answer;
      const restMs = start + windowMs - now;
      if (restMs <= 0) return this.#verdictOfSilence(open.places);
      await this.clock.sleep(Math.min(pollIntervalMs, restMs));
    }
  }

  #listen(): void {
    for (const socket of this.#sockets.values()) {
      let claims = socket.poll();
      for (let round = 0; claims.length > 0 && round < listenRoundsMax; round++) {
        for (const claim of claims) this.#offer(socket, claim);
        claims = socket.poll();
      }
    }
  }

  #offer(socket: NeighbourSocket, claim: NeighbourClaim): void {
    for (const open of this.#open) {
      const isAsked = open.places.some((place) => place.socket === socket && place.address === claim.address);
      if (!isAsked || open.answer !== null || open.unheeded.has(claim.hardware)) continue;
      const { address, hardware } = claim;
      if (claim.kind !== "probe") open.answer = { kind: "answered", address, hardware };
      else if (goesFirst(hardware, socket.link)) open.answer = { kind: "contended", address, hardware };
      else askAgain(socket, address);
    }
  }

  /** An interface that went down, or lost its carrier, while the question was open carried no answer. */
  #verdictOfSilence(places: readonly Place[]): WireVerdict {
    for (const { socket } of places) {
      const reason = blindness(socket.link.name, this.#netlink.link(socket.link.name), socket.link.index);
      if (reason !== null) return { kind: "blind", reason };
    }
    return { kind: "silent" };
  }

  #prepare(addressText: string, device: string, links: readonly LinkInfo[]): Place {
    const address = canonicalAddress(addressText);
    const family = addressFamily(addressText);
    if (address === null || family === null) throw new Error(`"${addressText}" is no IP address`);
    const link = links.find((candidate) => candidate.name === device) ?? null;
    const reason = blindness(device, link);
    if (link === null || reason !== null) throw new Error(reason ?? `there is no interface "${device}"`);
    return { address, socket: this.#socketFor(link, family) };
  }

  /** A socket stays bound to an index: an interface that was made anew under its old name needs a new one. */
  #socketFor(link: LinkInfo, family: Family): NeighbourSocket {
    const key = `${link.name} ${family}`;
    const known = this.#sockets.get(key);
    if (known !== undefined) {
      const isSame = known.link.index === link.index &&
        hardwareText(known.link.hardware) === hardwareText(link.hardware);
      if (isSame) return known;
      known.close();
      this.#sockets.delete(key);
    }
    const socket = NeighbourSocket.open(link, family);
    this.#sockets.set(key, socket);
    return socket;
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
    this.#netlink.close();
  }
}

/** One question with sockets of its own. */
export async function askWire(question: WireQuestion, clock?: WireClock): Promise<WireVerdict> {
  let asker: WireAsker;
  try {
    asker = new WireAsker(clock);
  } catch (error) {
    return { kind: "blind", reason: reasonOf(error) };
  }
  try {
    return await asker.ask(question);
  } finally {
    asker.close();
  }
}

/**
 * Of two machines that ask for one address at the same time, both about to take it, the one with the lower hardware
 * address goes first; the other one will find the address taken when it asks again.
 */
function goesFirst(hardware: string, own: LinkInfo): boolean {
  return hardware < hardwareText(own.hardware);
}

/**
 * Tells a rival that goes after us that we ask: it may have begun after our own questions were sent, and would hear
 * nothing else of us before its window is over. It does not answer this in turn, so that this ends here.
 */
function askAgain(socket: NeighbourSocket, address: string): void {
  try {
    socket.probe(address);
  } catch {
    // The interface went down: the verdict at the end of the window says so.
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why nothing can be heard there; `null` when it can. */
function blindness(device: string, link: LinkInfo | null, index?: number): string | null {
  if (link === null) return `there is no interface "${device}"`;
  if (index !== undefined && link.index !== index) return `interface "${device}" was replaced`;
  if (!link.isUp) return `interface "${device}" is down`;
  if (!link.hasCarrier) return `interface "${device}" has no carrier`;
  if (!link.hasNeighbours) return `interface "${device}" has no neighbours to ask (no ARP or ND on it)`;
  return null;
}
