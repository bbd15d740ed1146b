/**
 * What was seen, piece by piece, each with where it comes from, what it is about and how old it is. Pieces judge
 * nothing. Something that could not be looked at is a piece of its own (`unseen`), never a missing one, so that
 * blindness is not taken for silence.
 */

import type { NodeView } from "../core/view.ts";
import type { CircumstancePiece } from "./circumstances.ts";
import type { CheckedService } from "./question.ts";
import type { TrafficPiece } from "./traffic/pieces.ts";

export type SourceName =
  | "host"
  | "neighbours"
  | "echo"
  | "services"
  | "daemon"
  | "serial"
  | TrafficPiece["source"]
  | CircumstancePiece["source"];

interface Piece {
  readonly source: SourceName;
  /** What it is about: an address, an interface, a service. */
  readonly subject: string;
  /** Since it was seen, when the verdict is made. */
  readonly ageMs: number;
}

export type Evidence =
  | OwnAddress
  | InterfaceState
  | NeighbourAnswers
  | EchoAnswers
  | ServiceAnswer
  | DaemonStatement
  | HeartbeatHeard
  | TrafficPiece
  | CircumstancePiece
  | Unseen;

/** A checked address on this machine itself; `subject` is the address. */
export interface OwnAddress extends Piece {
  readonly kind: "own-address";
  /** At the begin and at the end of the check. */
  readonly wasHere: boolean;
  readonly isHere: boolean;
  /** Where it is, else where it is asked for; `null`: no interface leads there. */
  readonly device: string | null;
  /** What is left of its life; `null`: forever, or not here. */
  readonly validSeconds: number | null;
}

/** An interface that the check is concerned with; `subject` is its name. */
export interface InterfaceState extends Piece {
  readonly kind: "interface";
  readonly exists: boolean;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
  readonly mtu: number;
  readonly hardware: string;
  /** `10.0.0.2/24`… */
  readonly addresses: readonly string[];
}

/** Who answered ARP or ND for an address on one interface; `subject` is the address. */
export interface NeighbourAnswers extends Piece {
  readonly kind: "neighbour";
  readonly device: string;
  /** How often it was asked. */
  readonly questions: number;
  readonly holders: readonly NeighbourHolder[];
}

export interface NeighbourHolder {
  readonly hardware: string;
  readonly answers: number;
  /** Number of the last question before its first and its last answer: who overlaps, held it at the same time. */
  readonly firstRound: number;
  readonly lastRound: number;
}

/** ICMP echo to an address; `subject` is the address. */
export interface EchoAnswers extends Piece {
  readonly kind: "echo";
  readonly sent: number;
  readonly received: number;
  /** Best round trip; `null`: nothing came back. */
  readonly roundTripMs: number | null;
}

/** A service of a node; `subject` is how it was asked for (`tcp:10.0.0.1:80`). */
export interface ServiceAnswer extends Piece {
  readonly kind: "service";
  readonly service: CheckedService;
  /** Where it was asked; `null`: at a name in a URL. */
  readonly address: string | null;
  /** All addresses that the name in a URL stands for; empty: it holds an address, or a name that nobody resolves. */
  readonly resolved: readonly string[];
  /**
   * answers: as it should; refuses: the machine lives, the service does not; fails: it answers, but not as it should;
   * silent: nothing came back.
   */
  readonly outcome: "answers" | "refuses" | "fails" | "silent";
  /** `HTTP 503`, `connection refused`… */
  readonly detail: string;
  readonly attempts: number;
  readonly tookMs: number;
}

/** What the Heartline daemon of this machine says; `subject` is its control socket, `ageMs` that of its view. */
export interface DaemonStatement extends Piece {
  readonly kind: "daemon";
  readonly view: NodeView;
}

/** Heartbeats of another node on a link; `subject` is the link. */
export interface HeartbeatHeard extends Piece {
  readonly kind: "heartbeat";
  readonly node: string;
  readonly count: number;
  /** By the key at hand; `null`: there is none. */
  readonly isAuthentic: boolean | null;
  /** Why it is not: `wrong-key`, `wrong-index`…; `null`: it is, or nobody knows. */
  readonly refusal: string | null;
}

/** Something that could not be looked at. */
export interface Unseen extends Piece {
  readonly kind: "unseen";
  readonly reason: string;
  /** `CAP_NET_RAW`; `null`: it is not for want of a capability. */
  readonly capability: string | null;
}

/** All pieces of one kind. */
export function ofKind<Kind extends Evidence["kind"]>(
  evidence: readonly Evidence[],
  kind: Kind,
): ReadonlyArray<Extract<Evidence, { kind: Kind }>> {
  return evidence.filter((piece): piece is Extract<Evidence, { kind: Kind }> => piece.kind === kind);
}
