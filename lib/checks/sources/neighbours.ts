/**
 * Asks on the wire who has the checked addresses and the nodes' own ones (ARP, IPv6 ND), many times over the window,
 * and keeps every answer: one lost packet proves nothing, and a second holder is what it is there to find.
 */

import { SystemError } from "../../system/errno.ts";
import { NeighbourSocket } from "../../system/neighbour.ts";
import type { LinkInfo } from "../../system/netlink.ts";
import { addressFamily, hardwareText } from "../../system/packets/ip_address.ts";
import type { Evidence, NeighbourAnswers } from "../evidence.ts";
import { unseen, unseenBy } from "../gather.ts";
import { questionsForSilence } from "../place.ts";
import type { Look } from "../sources.ts";

/**
 * Questions in a window. With 20 % loss each way a question goes unanswered in 36 % of all cases: sixteen in a row
 * in one of 12 million. More would be noise on the wire, fewer would make absence of an answer mean something else.
 */
const questionsMax = 16;
/** The last question is asked this early, so that its answer still comes within the window. */
const answerShare = 0.2;
/**
 * A process that was starved or stopped for most of its window has asked too little for silence to mean anything: it
 * may go on for so long. Longer, and the check would leave it behind.
 */
const lateMsMax = 200;
/** Between two looks at the sockets: finer than the order of answers that matters here. */
const pollIntervalMs = 2;

interface Asked {
  readonly address: string;
  readonly device: string;
  readonly socket: NeighbourSocket;
  readonly holders: Map<string, { answers: number; firstRound: number; lastRound: number }>;
}

export async function gatherNeighbours({ question, host, window }: Look): Promise<Evidence[]> {
  const sockets = new Map<string, NeighbourSocket>();
  const evidence: Evidence[] = [];
  const asked: Asked[] = [];
  // Our own answers are none; what is on this machine is known without asking.
  const unheeded = new Set([
    ...host.links.map((link) => hardwareText(link.hardware)),
    ...question.ignoredHardware,
  ]);
  try {
    for (const address of addressesToAsk(question)) {
      const device = host.devices.get(address);
      if (device === undefined) continue;
      const link = host.links.find((candidate) => candidate.name === device);
      if (link === undefined) {
        evidence.push(unseen("neighbours", address, await absence(device, host.links)));
        continue;
      }
      try {
        asked.push({ address, device, socket: socketFor(sockets, link, address), holders: new Map() });
      } catch (error) {
        evidence.push(unseenBy("neighbours", address, error));
      }
    }
    for (const vip of question.vips) {
      if (host.devices.has(vip.address)) continue;
      const reason = "no interface of this machine has a subnet that holds it; name one with --dev";
      evidence.push(unseen("neighbours", vip.address, reason));
    }
    const questions = await askAll(asked, unheeded, window);
    evidence.push(...asked.map((one) => answersOf(one, questions, window.passedMs())));
  } finally {
    for (const socket of sockets.values()) socket.close();
  }
  return evidence;
}

function addressesToAsk(question: Look["question"]): ReadonlySet<string> {
  return new Set([
    ...question.vips.map((vip) => vip.address),
    ...question.nodes.flatMap((node) => node.addresses),
  ]);
}

/** What may have been meant is looked up only where there is a slip: a check must start fast. */
async function absence(device: string, links: readonly LinkInfo[]): Promise<string> {
  const { suggestion } = await import("../../config/spelling.ts");
  const hint = suggestion(device, links.map(({ name }) => name));
  return `nobody can be asked on interface "${device}": there is none of that name; ${hint}`;
}

function socketFor(
  sockets: Map<string, NeighbourSocket>,
  link: LinkInfo,
  address: string,
): NeighbourSocket {
  const device = link.name;
  const family = addressFamily(address)!;
  const known = sockets.get(`${device} ${family}`);
  if (known !== undefined) return known;
  const reason = !link.isUp
    ? "it is down"
    : !link.hasCarrier
    ? "it has no carrier"
    : !link.hasNeighbours
    ? "it has no neighbours to ask (no ARP or ND on it)"
    : null;
  if (reason !== null) throw new Error(`nobody can be asked on interface "${device}": ${reason}`);
  const socket = NeighbourSocket.open(link, family);
  sockets.set(`${device} ${family}`, socket);
  return socket;
}

/** Answers how often each was asked. */
async function askAll(asked: readonly Asked[], unheeded: ReadonlySet<string>, window: Look["window"]) {
  const sockets = new Set(asked.map((one) => one.socket));
  for (const socket of sockets) socket.poll(); // what was said before the question is no answer to it
  const spacingMs = (window.ms * (1 - answerShare)) / questionsMax;
  let round = 0;
  const listen = () => {
    for (const socket of sockets) {
      for (const claim of socket.poll()) {
        if (claim.kind === "probe" || unheeded.has(claim.hardware)) continue;
        for (const one of asked) {
          if (one.socket === socket && one.address === claim.address) note(one, claim.hardware, round);
        }
      }
    }
  };
  const isOpen = () => window.passedMs() < window.ms + (round < questionsForSilence ? lateMsMax : 0);
  while (asked.length > 0 && isOpen()) {
    if (round < questionsMax && window.passedMs() >= round * spacingMs) {
      round++;
      for (const { socket, address } of asked) ask(socket, address);
    }
    listen();
    await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
  }
  listen();
  return round;
}

function ask(socket: NeighbourSocket, address: string): void {
  try {
    socket.ask(address);
  } catch (error) {
    // The interface goes down, or its queue is full: as good as lost on the wire, the next question tells.
    if (!(error instanceof SystemError)) throw error;
  }
}

function note({ holders }: Asked, hardware: string, round: number): void {
  const known = holders.get(hardware);
  if (known === undefined) holders.set(hardware, { answers: 1, firstRound: round, lastRound: round });
  else Object.assign(known, { answers: known.answers + 1, lastRound: round });
}

function answersOf(
  { address, device, holders }: Asked,
  questions: number,
  passedMs: number,
): NeighbourAnswers {
  return {
    kind: "neighbour",
    source: "neighbours",
    subject: address,
    ageMs: Math.round(passedMs),
    device,
    questions,
    holders: [...holders].map(([hardware, seen]) => ({ hardware, ...seen })),
  };
}
