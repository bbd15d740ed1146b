/**
 * Listens on the interfaces of the checked addresses and links for VRRP, CARP, heartbeats and gratuitous claims. For
 * an explanation it then knocks at the addresses from which nothing came: a kernel tells when nobody listens.
 */

import { udpPort } from "../../config/defaults.ts";
import { KnockSocket } from "../../system/knock.ts";
import { Sniffer } from "../../system/sniffer.ts";
import type { Knock } from "../circumstances.ts";
import type { Evidence } from "../evidence.ts";
import { unseenBy } from "../gather.ts";
import type { CheckQuestion } from "../question.ts";
import type { Look } from "../sources.ts";
import { mark } from "../traffic/mark.ts";
import type { TrafficPiece } from "../traffic/pieces.ts";
import { TrafficTally } from "../traffic/tally.ts";

/** Finer than any interval that is measured here; coarser than what would keep a core busy. */
const pollIntervalMs = 10;
/** Share of the window after which it is known who does not speak; the rest is for the answers to the knocks. */
const listenShare = 0.8;
const knocksMax = 3;

export async function gatherTraffic({ question, host, window }: Look): Promise<Evidence[]> {
  const evidence: Evidence[] = [];
  const sniffers: Sniffer[] = [];
  const knockers: Knocker[] = [];
  const tally = new TrafficTally({
    authentication: question.authentication,
    addresses: new Set(question.vips.map((vip) => vip.address)),
    mark,
  });
  try {
    for (const device of devicesOf(question, host.devices)) {
      const link = host.links.find((candidate) => candidate.name === device);
      if (link === undefined) continue; // the interface's own piece says so
      try {
        sniffers.push(Sniffer.open(link, listeningFor(question)));
      } catch (error) {
        evidence.push(unseenBy("sniffer", device, error));
      }
    }
    const listen = async (untilMs: number) => {
      while (window.passedMs() < untilMs) {
        await window.pause(Math.min(pollIntervalMs, untilMs - window.passedMs()));
        for (const sniffer of sniffers) {
          for (const packet of sniffer.poll()) tally.add(packet, window.passedMs());
        }
        for (const knocker of knockers) knocker.look();
      }
    };
    if (question.isExplained === true) {
      await listen(window.ms * listenShare);
      knockers.push(...knockersFor(question, host.devices, tally.pieces(window.passedMs()), evidence));
      for (let knock = 0; knock < knocksMax; knock++) {
        for (const knocker of knockers) knocker.knock();
        await listen(window.ms * (listenShare + ((1 - listenShare) * (knock + 1)) / knocksMax));
      }
    }
    await listen(window.ms);
    evidence.push(...tally.pieces(window.passedMs()), ...knockers.map((knocker) => knocker.piece(tally)));
  } finally {
    for (const sniffer of sniffers) sniffer.close();
    for (const knocker of knockers) knocker.close();
  }
  return evidence;
}

function devicesOf(question: CheckQuestion, byAddress: ReadonlyMap<string, string>): ReadonlySet<string> {
  const linked = question.links.flatMap((link) => link.kind === "network" ? [link.device] : []);
  return new Set([...byAddress.values(), ...linked]);
}

function listeningFor({ links }: CheckQuestion) {
  const network = links.filter((link) => link.kind === "network");
  const udpPorts = [...new Set([udpPort, ...network.flatMap((link) => link.port ?? [])])];
  return { udpPorts, groups: network.flatMap((link) => link.group ?? []) };
}

/** One for each address of another node that said nothing where it should have spoken. */
function knockersFor(
  question: CheckQuestion,
  byAddress: ReadonlyMap<string, string>,
  pieces: readonly TrafficPiece[],
  evidence: Evidence[],
): Knocker[] {
  const spoke = (kind: TrafficPiece["kind"], address: string) =>
    pieces.some((piece) => piece.kind === kind && piece.kind !== "claims" && piece.from === address);
  const isOwnRouter = (device: string | undefined) =>
    pieces.some((piece) => piece.kind === "vrrp" && piece.direction === "out" && piece.device === device);
  const knockers: Knocker[] = [];
  for (const address of new Set(question.nodes.flatMap((node) => node.addresses))) {
    const device = byAddress.get(address);
    // A daemon may listen on the interfaces of its links only.
    const ports = question.links.flatMap((link) =>
      link.kind === "network" && link.port !== null && link.device === device &&
        (link.peer === null || link.peer === address)
        ? [link.port]
        : []
    );
    const doors = [
      ...(spoke("beats", address) ? [] : new Set(ports)),
      ...(isOwnRouter(device) && !spoke("vrrp", address) ? [null] : []),
    ];
    for (const port of doors) {
      try {
        knockers.push(new Knocker(KnockSocket.open(address, port), address, port));
      } catch (error) {
        evidence.push(unseenBy("sniffer", address, error));
      }
    }
  }
  return knockers;
}

class Knocker {
  #isClosed = false;

  constructor(
    readonly socket: KnockSocket,
    readonly address: string,
    readonly port: number | null,
  ) {}

  knock(): void {
    this.socket.knock();
  }

  look(): void {
    this.#isClosed ||= this.socket.isClosed();
  }

  /** Kernels answer sparingly (once a second): the answer to a daemon's own heartbeat, overheard, is as good. */
  piece(tally: TrafficTally): Knock {
    const { address, port } = this;
    const isClosed = this.#isClosed || tally.isRefused(address, port);
    return {
      ...{ kind: "knock", source: "sniffer", ageMs: 0, address },
      subject: port === null ? `${address}, VRRP` : `${address}, UDP port ${port}`,
      traffic: port === null ? "vrrp" : "heartbeats",
      outcome: isClosed ? "closed" : "silent",
    };
  }

  close(): void {
    this.socket.close();
  }
}
