/**
 * Where a checked address is, from everything that shows it: this machine, the wire, VRRP and CARP, the nodes' own
 * statements. Pure.
 */

import {
  type Evidence,
  type NeighbourAnswers,
  type NeighbourHolder,
  ofKind,
  type OwnAddress,
} from "./evidence.ts";
import type { Place } from "./facts.ts";
import type { CheckedVip, CheckQuestion } from "./question.ts";
import type { CarpSpeaker, VrrpSpeaker } from "./traffic/pieces.ts";

/** Questions below which absence of an answer on the wire says nothing. */
export const questionsForSilence = 8;

interface Placed {
  readonly place: Place;
  readonly holders: readonly string[];
  readonly isAloneOnWire?: boolean;
  readonly right?: string | null;
  readonly why: readonly string[];
}

export function placeOf(question: CheckQuestion, vip: CheckedVip, evidence: readonly Evidence[]): Placed {
  const own = ofKind(evidence, "own-address").find((piece) => piece.subject === vip.address);
  const answers = ofKind(evidence, "neighbour").find((piece) => piece.subject === vip.address);
  const said = statementAbout(vip, evidence);
  const isHere = own?.isHere === true;
  const others = answers?.holders ?? [];
  const names = others.map((holder) => nameOf(holder.hardware, answers!.device, question, evidence));
  const holders = [...(isHere ? ["this machine"] : []), ...names.map((name) => name.text)];
  const why: string[] = [];
  if (own !== undefined) why.push(whereHere(vip.address, own.wasHere, own.isHere, own.device));
  if (answers !== undefined) why.push(wireSentence(answers, names.map((name) => name.text)));
  if (said !== null) why.push(said.sentence);
  const at = (place: Place): Placed => ({ place, holders, why });

  if (said !== null && said.holders.length > 1) return { ...at("several"), holders: said.holders };
  const rivals = rivalMasters(vip, evidence);
  if (isHere && own.wasHere && others.length > 0) return at("several");
  if (rivals !== null) {
    return { ...at("several"), holders: rivals, why: [...why, `${rivals.join(" and ")} speak as masters`] };
  }
  if (own !== undefined && own.wasHere !== own.isHere) return at("moving");
  if (isHere) {
    const isAloneOnWire = others.length === 0 && (answers?.questions ?? 0) >= questionsForSilence;
    const right = others.length > 0
      ? null
      : said?.isOursByRight === true
      ? "all nodes agree that it belongs here"
      : electedHere(question, vip, evidence);
    return { ...at(right === null ? "here" : "here-by-right"), isAloneOnWire, right };
  }
  // Whatever answers ICMP: two holders would never be told apart, and a check that is OK for ever is none.
  if (question.windowMs > 0 && own !== undefined && !isAskable(own, evidence)) return at("unaskable");
  if (others.length > 1 && !isOneMachine(names.map((name) => name.machine))) {
    return at(haveOverlap(others) ? "several" : "moving");
  }
  if (others.length > 0) return at(names[0]!.machine === null ? "unattributed" : names[0]!.place);
  const echoed = ofKind(evidence, "echo").find((piece) => piece.subject === vip.address);
  if (!isHere && echoed !== undefined && echoed.received > 0) {
    // Who is behind it stays hidden, and so does a second one.
    const sentence = `${vip.address} answers ICMP`;
    return { place: "unattributed", holders: ["a machine that answers ICMP"], why: [...why, sentence] };
  }
  if (answers !== undefined && answers.questions >= questionsForSilence) return at("nobody");
  return at("unseen");
}

/** Whether there is an interface on which neighbours can be asked for it. */
function isAskable({ device }: OwnAddress, evidence: readonly Evidence[]): boolean {
  if (device === null) return false;
  return ofKind(evidence, "interface").every((piece) => piece.subject !== device || piece.exists);
}

/** Two masters that were heard in turns, so that neither gave way to the other; `null`: there are none. */
function rivalMasters(vip: CheckedVip, evidence: readonly Evidence[]): string[] | null {
  const routers = ofKind(evidence, "vrrp").filter((speaker) =>
    speaker.source === "sniffer" && speaker.priority > 0 && speaker.checksum !== "wrong" &&
    speaker.addresses.includes(vip.address)
  );
  // CARP does not tell its address: only where one virtual host is heard is it this one.
  const hosts = ofKind(evidence, "carp");
  const isOneHost = new Set(hosts.map((speaker) => speaker.hostId)).size === 1;
  for (const speakers of [routers, isOneHost ? hosts : []]) {
    for (const [index, a] of speakers.entries()) {
      const b = speakers.slice(index + 1).find((other) => isInTurns(a, other));
      if (b !== undefined) return [a, b].map(speakerText);
    }
  }
  return null;
}

/**
 * Why VRRP's election gave the address to this machine: it speaks as the master where every other node is reached and
 * would hear it, and none contradicts. `null`: it did not, or a cut may keep the others from contradicting.
 */
function electedHere(question: CheckQuestion, vip: CheckedVip, evidence: readonly Evidence[]): string | null {
  if (vip.isElected !== true || question.nodes.length === 0) return null;
  const masters = ofKind(evidence, "vrrp").filter((speaker) =>
    speaker.source === "sniffer" && speaker.priority > 0 &&
    (speaker.routerId === vip.virtualRouter || speaker.addresses.includes(vip.address))
  );
  const own = masters.find(({ direction }) => direction === "out");
  if (own === undefined || masters.some(({ direction }) => direction === "in")) return null;
  const isReached = (address: string) =>
    ofKind(evidence, "neighbour").some((piece) =>
      piece.subject === address && piece.device === own.device && piece.holders.length > 0
    );
  return question.nodes.every(({ addresses }) => addresses.some(isReached))
    ? `it is the master of virtual router ${own.routerId}, and nobody contests it on ${own.device}`
    : null;
}

function isInTurns(a: VrrpSpeaker | CarpSpeaker, b: VrrpSpeaker | CarpSpeaker): boolean {
  if (a.direction === b.direction && a.from === b.from) return false;
  const firstAgoMs = (speaker: typeof a) => speaker.ageMs + (speaker.count - 1) * speaker.intervalMs;
  return a.ageMs < firstAgoMs(b) && b.ageMs < firstAgoMs(a);
}

function speakerText(speaker: VrrpSpeaker | CarpSpeaker): string {
  return `${speaker.direction === "out" ? "this machine" : speaker.from} (${
    speaker.kind === "vrrp" ? `VRRP ${speaker.subject}` : `CARP ${speaker.subject}`
  })`;
}

function whereHere(address: string, was: boolean, is: boolean, device: string | null): string {
  if (was !== is) return `${address} ${is ? "came to" : "left"} this machine during the check`;
  return is ? `${address} is on this machine (${device})` : `${address} is not on this machine`;
}

function wireSentence(
  { subject, device, questions, holders }: NeighbourAnswers,
  names: readonly string[],
): string {
  if (holders.length === 0) {
    return `no other machine answered for ${subject} on ${device} (asked ${questions} times)`;
  }
  const each = holders.map((holder, index) =>
    `${names[index]} (${holder.answers} answer${holder.answers === 1 ? "" : "s"})`
  );
  return `${subject} was answered for on ${device} by ${each.join(" and ")}`;
}

/** Two that held it at the same time were both heard after the other one was. */
function haveOverlap(holders: readonly NeighbourHolder[]): boolean {
  return holders.some((a, index) =>
    holders.slice(index + 1).some((b) => a.firstRound <= b.lastRound && b.firstRound <= a.lastRound)
  );
}

interface Named {
  readonly text: string;
  readonly place: "primary" | "standby" | "stranger";
  /** The machine it certainly is; `null`: nobody knows. */
  readonly machine: string | null;
}

/** The node whose own addresses the same hardware answered for. */
function nameOf(
  hardware: string,
  device: string,
  question: CheckQuestion,
  evidence: readonly Evidence[],
): Named {
  const answers = ofKind(evidence, "neighbour");
  const isAt = (address: string) =>
    answers.some((piece) =>
      piece.subject === address && piece.holders.some((holder) => holder.hardware === hardware)
    );
  const node = question.nodes.find((candidate) => candidate.addresses.some(isAt));
  if (node !== undefined) {
    return { text: `${hardware} (${node.name})`, place: node.role, machine: node.name };
  }
  // Only where each node has shown its own hardware address on this wire is somebody else a stranger: on another
  // one a node has other hardware.
  const areAllKnown = question.nodes.length > 0 && nodesExpected(question) &&
    question.nodes.every((candidate) =>
      candidate.addresses.some((address) =>
        answers.some((piece) =>
          piece.subject === address && piece.device === device && piece.holders.length > 0
        )
      )
    );
  const isVirtual = /^00:00:5e:00:0[12]:/.test(hardware); // VRRP (RFC 9568, 7.3): any of them may use it
  if (!areAllKnown || isVirtual) return { text: hardware, place: "stranger", machine: null };
  return { text: `${hardware} (none of the nodes)`, place: "stranger", machine: `stranger ${hardware}` };
}

/** An observer must know both nodes before it can call anybody a stranger. */
function nodesExpected(question: CheckQuestion): boolean {
  return question.role !== "observer" || new Set(question.nodes.map((node) => node.role)).size === 2;
}

/** Several hardware addresses of one machine (two cards on one segment) are one holder. */
function isOneMachine(machines: ReadonlyArray<string | null>): boolean {
  return machines[0] !== null && machines.every((machine) => machine === machines[0]);
}

/** What the local daemon, and through it the other nodes, say about the group of an address. */
export function statementAbout(vip: CheckedVip, evidence: readonly Evidence[]) {
  const daemon = ofKind(evidence, "daemon")[0];
  if (daemon === undefined) return null;
  const { view, ageMs } = daemon;
  const group = view.groups.find((candidate) =>
    vip.group === null
      ? candidate.resources.some((resource) => names(resource.id, vip.address))
      : candidate.group === vip.group
  );
  if (group === undefined) return null;
  const { holders } = group;
  const isOthersInView = view.peers.every((peer) => peer.state === "alive" && !holders.includes(peer.node));
  const who = holders.length === 0 ? "nobody" : holders.join(" and ");
  return {
    group: group.group,
    holders,
    /** Of the daemon here, which holds the group neither now nor in a moment. */
    isDisownedHere: group.state === "stopped" && !holders.includes(view.node),
    here: view.node,
    /** Nodes whose statement is fresh. */
    inView: view.peers.filter((peer) => peer.state === "alive").map((peer) => peer.node),
    isOursByRight: holders.length === 1 && holders[0] === view.node && view.peers.length > 0 &&
      isOthersInView,
    sentence: `the nodes state that ${who} hold${holders.length > 1 ? "" : "s"} group "${group.group}"` +
      ` (${ageMs} ms ago)`,
  };
}

/** Whether a resource as operators write it (`IPaddr2::10.0.0.9/24`) has this address, and not `10.0.0.99`. */
function names(resource: string, address: string): boolean {
  const at = resource.indexOf(address);
  if (at < 0) return false;
  return !/[0-9a-z.]$/i.test(resource.slice(0, at)) &&
    !/^[0-9a-z.:]/i.test(resource.slice(at + address.length));
}
