/**
 * Whether the other node lives, and its service with it, by every path that there is. Pure. One sign of life is
 * enough; silence is a fact only where somebody was asked often enough, and could have been heard.
 */

import { type Evidence, ofKind, type ServiceAnswer } from "./evidence.ts";
import type { Alive, Serves } from "./facts.ts";
import { questionsForSilence } from "./place.ts";
import type { CheckQuestion } from "./question.ts";

/** The node that is not this one and whose life decides: for an observer, the primary. */
function judgedNodes(question: CheckQuestion) {
  const role = question.role === "primary" ? "standby" : "primary";
  return question.nodes.filter((node) => question.role === "either" || node.role === role);
}

export function aliveness(
  question: CheckQuestion,
  evidence: readonly Evidence[],
): { alive: Alive; why: string[] } {
  const nodes = judgedNodes(question);
  const addresses = new Set(nodes.flatMap((node) => node.addresses));
  const alive: string[] = [];
  const silent: string[] = [];
  for (const piece of evidence) {
    switch (piece.kind) {
      case "echo":
        if (!addresses.has(piece.subject)) break;
        if (piece.received > 0) alive.push(`ICMP from ${piece.subject}`);
        else if (piece.sent >= questionsForSilence) silent.push(`ICMP to ${piece.subject}`);
        break;
      case "neighbour":
        if (!addresses.has(piece.subject)) break;
        if (piece.holders.length > 0) alive.push(`${arpOrNd(piece.subject)} for its own ${piece.subject}`);
        else if (piece.questions >= questionsForSilence) {
          silent.push(`${arpOrNd(piece.subject)} for its own ${piece.subject}`);
        }
        break;
      case "service":
        if (foreignness(piece, question) !== null) break;
        if (piece.outcome === "silent") silent.push(piece.subject);
        else alive.push(`${piece.subject} (${piece.detail})`);
        break;
      case "heartbeat":
        if (piece.isAuthentic !== false && isNamed(piece.node, question)) {
          alive.push(`heartbeats on ${piece.subject}`);
        }
        break;
      case "beats":
        if (piece.direction === "in" && piece.isAuthentic !== false && isNamed(piece.subject, question)) {
          alive.push(`heartbeats on ${piece.device}`);
        }
        break;
      case "vrrp":
      case "carp":
        if (piece.direction === "in" && addresses.has(piece.from)) {
          alive.push(`${piece.kind.toUpperCase()} from ${piece.from}`);
        }
        break;
      case "daemon":
        for (const peer of piece.view.peers) {
          if (!isNamed(peer.node, question)) continue;
          if (peer.state === "alive" || peer.state === "init") alive.push(`heartbeats, says the daemon here`);
          else silent.push("heartbeats, says the daemon here");
        }
        break;
    }
  }
  const name = nameOf(nodes);
  if (alive.length > 0) return { alive: "alive", why: [`${name} is alive: ${alive.join(", ")}`] };
  // With no interface that carries, the silence is our own.
  const interfaces = ofKind(evidence, "interface");
  const isDeaf = interfaces.length > 0 && interfaces.every((piece) => !piece.hasCarrier);
  if (isDeaf) {
    const names = interfaces.map((piece) => piece.subject).join(", ");
    return {
      alive: "unknown",
      why: [`no interface that leads there carries (${names}): nobody can be heard`],
    };
  }
  if (silent.length > 0) return { alive: "silent", why: [`${name} is silent: ${silent.join(", ")}`] };
  return { alive: "unknown", why: [] };
}

/** Whether a heartbeat's sender is one of the judged nodes; where their names are not known, any other node is. */
function isNamed(node: string, question: CheckQuestion): boolean {
  const names = judgedNodes(question).map((candidate) => candidate.name);
  const areKnown = names.some((name) => name !== "primary" && name !== "standby");
  return names.includes(node) || (!areKnown && question.role !== "observer");
}

function arpOrNd(address: string): string {
  return address.includes(":") ? "ND" : "ARP";
}

function nameOf(nodes: ReturnType<typeof judgedNodes>): string {
  return nodes.length === 1 ? nodes[0]!.name : "another node";
}

/** Whether a service of the judged nodes answers. One of the virtual address itself may be this machine's own. */
export function serving(
  question: CheckQuestion,
  evidence: readonly Evidence[],
): { serves: Serves; why: string[] } {
  const services = ofKind(evidence, "service");
  if (question.services.length === 0) return { serves: "unknown", why: [] };
  const name = nameOf(judgedNodes(question));
  const why = services.map((piece) => {
    const reason = foreignness(piece, question);
    const doubt = reason === null ? "" : `, which says nothing of ${name}: ${reason}`;
    return `service ${piece.subject}: ${piece.detail}${doubt}`;
  });
  const theirs = services.filter((piece) => foreignness(piece, question) === null);
  if (theirs.length === 0) return { serves: "unknown", why };
  return { serves: theirs.some((piece) => piece.outcome === "answers") ? "answers" : "silent", why };
}

/** Why an answer may come from another machine than the judged nodes; `null`: it was asked at own addresses of theirs. */
function foreignness({ address, resolved }: ServiceAnswer, question: CheckQuestion): string | null {
  const asked = address === null ? resolved : [address];
  if (asked.length === 0) return "its name was not resolved";
  const vip = asked.find((each) => question.vips.some((vip) => vip.address === each));
  if (vip !== undefined) return `${vip} belongs to whoever holds it`;
  const own = new Set(judgedNodes(question).flatMap((node) => node.addresses));
  const other = asked.find((each) => !own.has(each));
  if (other === undefined) return null;
  const flag = question.role === "primary" ? "--standby" : "--primary";
  return `${other} is not known as its own address; if it is, name it with ${flag} too`;
}
