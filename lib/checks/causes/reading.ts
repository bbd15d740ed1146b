/**
 * What several finders read out of the evidence in the same way: who a sender is, who holds an address, and how a link
 * to another node behaves. Pure.
 */

import { type Evidence, ofKind } from "../evidence.ts";
import type { CheckQuestion } from "../question.ts";
import type { Judgement } from "../verdict.ts";
import type { BeatSpeaker, CarpSpeaker, VrrpSpeaker } from "../traffic/pieces.ts";

export type Speaker = VrrpSpeaker | CarpSpeaker | BeatSpeaker;

/** `this machine`, `node1 (10.0.0.1)`, `10.0.0.7`. */
export function senderName(speaker: Speaker, question: CheckQuestion): string {
  return speaker.direction === "out" ? "this machine" : nodeAt(speaker.from, question);
}

export function nodeAt(address: string, question: CheckQuestion): string {
  const node = question.nodes.find((candidate) => candidate.addresses.includes(address));
  return node === undefined ? address : `${node.name} (${address})`;
}

/** `heard 4 times, last 0.3 s ago, from 10.0.0.1 on eth1`. */
export function heardText({ count, ageMs, from, device, direction, source, subject }: Speaker): string {
  if (source === "configuration") {
    return `not heard; this machine is configured to send it on ${device}: ${subject}`;
  }
  const times = count === 1 ? "once" : `${count} times`;
  const whence = direction === "out" ? `sent by this machine on ${device}` : `from ${from} on ${device}`;
  return `heard ${times}, last ${(ageMs / 1000).toFixed(1)} s ago, ${whence}`;
}

/** Two speakers are one sender where their packets come from the same address, or both from this machine. */
export function isSameSender(a: Speaker, b: Speaker): boolean {
  return a.direction === b.direction && (a.direction === "out" || a.from === b.from);
}

/** All pairs of different senders. */
export function pairsOf<S extends Speaker>(speakers: readonly S[]): Array<readonly [S, S]> {
  return speakers.flatMap((a, index) =>
    speakers.slice(index + 1).filter((b) => !isSameSender(a, b)).map((b) => [a, b] as const)
  );
}

/** Masters of virtual routers: those that speak and have not resigned. */
export function masters(evidence: readonly Evidence[]): readonly VrrpSpeaker[] {
  return ofKind(evidence, "vrrp").filter((speaker) => speaker.priority > 0 && speaker.source === "sniffer");
}

/**
 * Masters, and with them what this machine is configured to say where it says nothing. A backup is silent by right:
 * the configured ones are of interest only while the address is here.
 */
export function mastersAndConfigured(evidence: readonly Evidence[]): readonly VrrpSpeaker[] {
  const heard = masters(evidence);
  const isHere = (address: string) =>
    ofKind(evidence, "own-address").some((piece) => piece.subject === address && piece.isHere);
  const configured = ofKind(evidence, "vrrp").filter((router) =>
    router.source === "configuration" && router.addresses.some(isHere) &&
    !heard.some((own) =>
      own.direction === "out" && own.routerId === router.routerId && own.device === router.device
    )
  );
  return [...heard, ...configured];
}

export function isTroubled({ severity }: Judgement): boolean {
  return severity === "critical" || severity === "warning";
}

/** One address of another node, on the interface that leads to it, and what came back from there. */
export interface Path {
  readonly node: string;
  readonly address: string;
  readonly device: string;
  readonly answersNeighbour: boolean;
  /** `null`: it was not asked. */
  readonly answersEcho: boolean | null;
  /** Something was heard from there unasked. */
  readonly speaks: boolean;
  readonly evidence: readonly string[];
}

export function pathsOf(question: CheckQuestion, evidence: readonly Evidence[]): Path[] {
  const neighbours = ofKind(evidence, "neighbour");
  return question.nodes.flatMap((node) =>
    node.addresses.flatMap((address): Path[] => {
      const neighbour = neighbours.find((piece) => piece.subject === address);
      if (neighbour === undefined) return [];
      const { device, questions, holders } = neighbour;
      const echo = ofKind(evidence, "echo").find((piece) => piece.subject === address) ?? null;
      const speakers = speakersFrom(address, evidence);
      const asks = address.includes(":") ? "ND" : "ARP";
      const ping = echo === null
        ? []
        : [`${address} answered ${echo.received} of ${echo.sent} echo requests (ICMP)`];
      const answered = holders.length > 0 ? "answered" : `did not answer, asked ${questions} times`;
      return [{
        ...{ node: node.name, address, device },
        answersNeighbour: holders.length > 0,
        answersEcho: echo === null ? null : echo.received > 0,
        speaks: speakers.length > 0,
        evidence: [`${address} ${answered} on ${device} (${asks})`, ...ping, ...speakers.map(heardText)],
      }];
    })
  );
}

export function speakersFrom(address: string, evidence: readonly Evidence[]): Speaker[] {
  return speakersIn(evidence).filter((speaker) => speaker.direction === "in" && speaker.from === address);
}

/** Interfaces on which heartbeats of some kind are to be expected: where this machine speaks or should hear them. */
export function spokenOn(question: CheckQuestion, evidence: readonly Evidence[]): ReadonlySet<string> {
  // A third machine expects of each node what it hears of the other.
  const speakers = speakersIn(evidence).filter((speaker) =>
    question.role === "observer" || speaker.direction === "out"
  );
  const links = question.links.flatMap((link) =>
    link.kind === "network" && link.port !== null ? [link.device] : []
  );
  return new Set([...speakers.map((speaker) => speaker.device), ...links]);
}

function speakersIn(evidence: readonly Evidence[]): Speaker[] {
  return evidence.filter((piece): piece is Speaker =>
    piece.kind === "vrrp" || piece.kind === "carp" || piece.kind === "beats"
  );
}

/** Hardware addresses that answer for a node's own addresses, on one interface or on any. */
export function hardwareOfNode(
  node: CheckQuestion["nodes"][number],
  evidence: readonly Evidence[],
  device: string | null = null,
): ReadonlySet<string> {
  return new Set(
    ofKind(evidence, "neighbour").filter((piece) => node.addresses.includes(piece.subject))
      .filter((piece) => device === null || piece.device === device)
      .flatMap((piece) => piece.holders.map((holder) => holder.hardware)),
  );
}

/** Other nodes that answer for a checked address, with it. */
export function nodesHolding(
  question: CheckQuestion,
  evidence: readonly Evidence[],
): Array<{ readonly node: CheckQuestion["nodes"][number]; readonly vip: string }> {
  const vips = new Set(question.vips.map((vip) => vip.address));
  const answers = ofKind(evidence, "neighbour").filter((piece) => vips.has(piece.subject));
  return question.nodes.flatMap((node) => {
    const own = hardwareOfNode(node, evidence);
    return answers.filter((piece) => piece.holders.some((holder) => own.has(holder.hardware)))
      .map((piece) => ({ node, vip: piece.subject }));
  });
}

/** Whether the kernel at one of these ends said that nobody listens. */
export function isClosed(paths: readonly Path[], evidence: readonly Evidence[]): boolean {
  return ofKind(evidence, "knock").some((knock) =>
    knock.outcome === "closed" && paths.some((path) => path.address === knock.address)
  );
}

/** What this machine itself speaks is what it expects of the other; a third machine, what it hears. */
export function expectedKind(evidence: readonly Evidence[]): typeof kinds[Speaker["kind"]] {
  const speakers = speakersIn(evidence);
  const speaker = speakers.find((each) => each.direction === "out") ?? speakers[0];
  return kinds[speaker?.kind ?? "beats"];
}

/** What a sender's kind of heartbeat is called, and the program that most likely sends it. */
export const kinds = {
  vrrp: { packets: "VRRP advertisements", program: "keepalived" },
  carp: { packets: "CARP advertisements", program: "ucarp" },
  beats: { packets: "heartbeats", program: "heartbeat" },
} as const;
