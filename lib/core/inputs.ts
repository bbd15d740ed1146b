/**
 * Everything that can happen to a cluster node. The driver turns the world into these; nothing else reaches the core.
 */

import type { ClusterMessage, Refusal } from "../wire/message.ts";
import type { Statement } from "../wire/statement.ts";
import type { EffectId } from "./effects.ts";
import type { Instant } from "./instant.ts";

export type Input =
  /** First input of a run. */
  | { readonly kind: "start" }
  /** The instant asked for by `deadline()` has come. Any other input also does whatever is due. */
  | { readonly kind: "wake" }
  | MessageInput
  /** Packets were refused before they reached the core: `count` alike, of which one is described. */
  | {
    readonly kind: "refused";
    readonly medium: string;
    readonly reason: Refusal;
    readonly detail: string;
    readonly from: string;
    readonly count: number;
  }
  /** `address`: own address of the packets sent, `null` where there is none. */
  | {
    readonly kind: "medium";
    readonly medium: string;
    readonly isUp: boolean;
    readonly address: string | null;
    readonly reason: string;
  }
  /** What was to be sent again is kept no more, nor is anything of ours before it: too much was too large. */
  | { readonly kind: "not-kept"; readonly sequence: number }
  | { readonly kind: "command"; readonly command: Command }
  | { readonly kind: "outcome"; readonly id: EffectId; readonly outcome: Outcome }
  /**
   * An arbiter answered: proof that we were not cut off when it was asked, at `askedAt` (now, where that is not told).
   * The answer may have waited for us, as after a pause.
   */
  | { readonly kind: "arbiter"; readonly name: string; readonly target: string; readonly askedAt?: Instant }
  /** An address of a ping member answered what was asked at `askedAt`. */
  | { readonly kind: "ping"; readonly member: string; readonly target: string; readonly askedAt: Instant }
  /** The carrier of the interface of a group's address changed. */
  | { readonly kind: "carrier"; readonly group: string; readonly device: string; readonly isUp: boolean }
  /** Something other than us removed an address that we hold (or the kernel ended its lease). */
  | { readonly kind: "address-lost"; readonly group: string; readonly resource: number }
  /** An address of a group is on `device` of this machine though we do not hold it; `null`: it is gone again. */
  | {
    readonly kind: "stray";
    readonly group: string;
    readonly address: string;
    readonly device: string | null;
  }
  /** This machine was to reboot, because the group could not be stopped, and still runs. */
  | { readonly kind: "reboot-failed"; readonly group: string; readonly reason: string }
  /** Somebody else claims, on the service network, an address that we hold. */
  | { readonly kind: "claim"; readonly group: string; readonly address: string; readonly hardware: string };

export interface MessageInput {
  readonly kind: "message";
  readonly medium: string;
  readonly message: ClusterMessage;
  /** `null`: the sender is no Heartline node (or the message is no heartbeat). */
  readonly statement: Statement | null;
}

/** What an operator asks for. `groups` empty: all groups. */
export type Command =
  /** Bring groups here. */
  | { readonly kind: "takeover"; readonly groups: readonly string[] }
  /** Hand groups held here to the next able node; refused where there is none. */
  | { readonly kind: "standby"; readonly groups: readonly string[] }
  /** Stop groups here whoever can take them, and stay out until `takeover` or `rejoin`. */
  | { readonly kind: "release"; readonly groups: readonly string[] }
  /** Lift a release, a recorded failure or a block ("I looked: it is stopped"). */
  | { readonly kind: "rejoin"; readonly groups: readonly string[] }
  /** Cluster-wide: nothing is taken, given up, monitored or moved until it is off. */
  | { readonly kind: "maintenance"; readonly on: boolean }
  /** Allow the takeover that waits for a person. */
  | { readonly kind: "confirm"; readonly groups: readonly string[] }
  /** SIGTERM: hand over, say goodbye, exit. */
  | { readonly kind: "shutdown" };

/** How a numbered effect ended. `unknown` (time limit, lost answer) never counts as success. */
export type Outcome =
  | ResourceOutcome
  | { readonly kind: "wire"; readonly verdict: WireVerdict }
  | FenceOutcome;

/** What an attempt to switch a node off led to: `fenced` is verified, nothing else is a success. */
export interface FenceOutcome {
  readonly kind: "fence";
  readonly result: "fenced" | "failed" | "unknown";
  /** One line for people. */
  readonly reason: string;
}

/** What an operation on a resource led to. */
export interface ResourceOutcome {
  readonly kind: "resource";
  /**
   * `running` and `stopped` are certain. `failed`: the operation ended and reported failure.
   * `unknown`: it had to be killed, or its answer cannot be read.
   */
  readonly result: "running" | "stopped" | "failed" | "unknown";
  /** Exit code, `null` where there was none. */
  readonly code: number | null;
  /** One line for people: the agent's own reason, or the last line it printed. */
  readonly reason: string;
  /** Last lines of output, oldest first, at most 20. */
  readonly output: readonly string[];
  readonly durationMs: number;
}

/** What the service network said when asked who has a group's addresses. */
export type WireVerdict =
  /** Asked for every address; nobody but us answered within the window. */
  | { readonly kind: "silent" }
  | { readonly kind: "answered"; readonly address: string; readonly hardware: string }
  /** Nobody has it, but another machine, which goes first, is asking for it at this moment (RFC 5227, 2.1.1). */
  | { readonly kind: "contended"; readonly address: string; readonly hardware: string }
  /** The question could not be put: no interface, no carrier, no permission. Never counts as silence. */
  | { readonly kind: "blind"; readonly reason: string };
