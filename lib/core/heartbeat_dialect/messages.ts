/**
 * The messages of the resource layer of a haresources pair (protocol reference 5, 8 and 9): read into what they say,
 * and drafted. Fields that are missing or unknown make no statement: such a message is left.
 */

import type { Draft } from "../messaging/outbox.ts";
import { type ClusterMessage, text } from "../../wire/message.ts";
import { type GroupSet, type Holding, readHolding } from "./holding.ts";

/** Steps of a standby: "I give", "I am ready to take", "done" by either. */
export type AskStep = "me" | "other" | "done";

export type Word =
  /** Its resource layer is up; it asks what we hold. */
  | { readonly kind: "starting" }
  /** What it holds, in its words. `isStable` is `null` where it is not told. */
  | {
    readonly kind: "resource";
    readonly holds: Holding;
    readonly isFull: boolean;
    readonly isStable: boolean | null;
    readonly info: string;
  }
  /** A step of a standby; the set in the words of the one that gives. */
  | { readonly kind: "ask"; readonly set: GroupSet; readonly step: AskStep }
  /** It asks that we go standby for this set, in its words. */
  | { readonly kind: "take"; readonly set: GroupSet }
  /** All is released; its daemon ends. */
  | { readonly kind: "shutdone" }
  | { readonly kind: "nodes-wanted" }
  /** It has declared a node dead and takes over; not told where a fencing failed (protocol reference 9.4, 10). */
  | { readonly kind: "fenced"; readonly node: string }
  /** `auto_failback legacy`: it wants this group. */
  | { readonly kind: "request"; readonly group: string }
  /** `auto_failback legacy`: it does not have, or no longer has, this group. */
  | { readonly kind: "response"; readonly group: string };

/** Types of message that `readWord` understands. */
export const wordTypes = [
  "starting",
  "resource",
  "ask_resources",
  "hb_takeover",
  "shutdone",
  "reqnodes",
  "stonith",
  "ip-request",
  "ip-request-resp",
] as const;

export function readWord({ type, message }: ClusterMessage): Word | null {
  switch (type as typeof wordTypes[number]) {
    case "starting":
      return { kind: "starting" };
    case "resource": {
      const holds = readHolding(text(message, "rsc_hold"));
      if (holds === null) return null;
      const stable = text(message, "isstable");
      return {
        kind: "resource",
        holds,
        isFull: text(message, "rtype") === "full",
        isStable: stable === undefined ? null : stable === "1",
        info: text(message, "info") ?? "",
      };
    }
    case "ask_resources": {
      const set = readSet(message);
      const step = text(message, "info");
      if (set === null || (step !== "me" && step !== "other" && step !== "done")) return null;
      return { kind: "ask", set, step };
    }
    case "hb_takeover": {
      const set = readSet(message);
      return set === null ? null : { kind: "take", set };
    }
    case "shutdone":
      return { kind: "shutdone" };
    case "reqnodes":
      return { kind: "nodes-wanted" };
    case "stonith": {
      const node = text(message, "node");
      const result = text(message, "result");
      const isTakeover = result === "n_stnth" || result === "OK" || result === "unneeded";
      return node !== undefined && isTakeover ? { kind: "fenced", node } : null;
    }
    case "ip-request":
    case "ip-request-resp": {
      const group = text(message, "ipaddr");
      if (group === undefined || group === "") return null;
      if (type === "ip-request") return { kind: "request", group };
      return text(message, "ok") === "OK" ? { kind: "response", group } : null;
    }
  }
  return null;
}

function readSet(message: ClusterMessage["message"]): GroupSet | null {
  const holds = readHolding(text(message, "rsc_hold"));
  return holds === "none" ? null : holds;
}

export const starting: Draft = { type: "starting", fields: [] };

export function resource(holds: Holding, isStable: boolean, info = ""): Draft {
  const fields: [string, string][] = [
    ["rsc_hold", holds],
    ["rtype", "full"],
    ["isstable", isStable ? "1" : "0"],
  ];
  return { type: "resource", fields: info === "" ? fields : [...fields, ["info", info]] };
}

export function ask(set: GroupSet, step: AskStep): Draft {
  return { type: "ask_resources", fields: [["rsc_hold", set], ["info", step]] };
}

export function take(set: GroupSet): Draft {
  return { type: "hb_takeover", fields: [["rsc_hold", set]] };
}

export const shutdone: Draft = { type: "shutdone", fields: [["st", "dead"]] };

/** Each name followed by a blank; an empty list is one blank. The receiver makes its configuration equal to it. */
export function nodes(names: readonly string[], destination: string): Draft {
  const nodelist = names.map((name) => `${name} `).join("");
  return { type: "repnodes", destination, fields: [["nodelist", nodelist], ["delnodelist", " "]] };
}

/** No Heartbeat daemon acts on it (protocol reference 10). */
export function stonith(node: string, isNeeded: boolean): Draft {
  return { type: "stonith", fields: [["node", node], ["result", isNeeded ? "n_stnth" : "unneeded"]] };
}

export function request(group: string): Draft {
  return { type: "ip-request", fields: [["ipaddr", group]] };
}

export function response(group: string, wasHeld: boolean, destination: string): Draft {
  return {
    type: "ip-request-resp",
    destination,
    fields: [["ipaddr", group], ["weown", wasHeld ? "yes" : "no"], ["ok", "OK"]],
  };
}
