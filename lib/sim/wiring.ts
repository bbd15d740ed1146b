/**
 * Whether what one node sends can get to another at all, judged from what both have been told: media, addresses,
 * ports, keys. So a wrong address or a wrong key in a real configuration does in the simulator what it does outside.
 */

import { linkName, type MediumSettings, type Settings } from "../core/settings.ts";
import type { Refusal } from "../wire/message.ts";

export type Passage =
  | { readonly kind: "open" }
  /** The sender does not have the medium. */
  | { readonly kind: "none" }
  /** It is sent, and nobody listens there. */
  | { readonly kind: "nowhere" }
  /** It arrives and cannot be believed. */
  | { readonly kind: "refused"; readonly reason: Refusal; readonly detail: string };

/** Own addresses of the nodes by link. A link that is not named here delivers every unicast packet. */
export type LinkAddresses = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function passageBetween(
  sender: Settings,
  medium: string,
  receiver: Settings,
  receiverName: string,
  addresses: LinkAddresses,
): Passage {
  const outgoing = sender.media.filter((each) => linkName(each) === medium);
  if (outgoing.length === 0) return { kind: "none" };
  const listening = receiver.media.filter((each) => linkName(each) === medium);
  const address = addresses[medium]?.[receiverName] ?? null;
  if (!outgoing.some((out) => listening.some((at) => arrives(out, at, address)))) return { kind: "nowhere" };
  return authenticated(sender, receiver);
}

function arrives(out: MediumSettings, at: MediumSettings, address: string | null): boolean {
  if (out.kind === "serial" || at.kind === "serial") return out.kind === at.kind;
  if ((out.kind === "tcp") !== (at.kind === "tcp") || out.port !== at.port) return false;
  if (out.kind === "mcast") return at.kind === "mcast" && at.group === out.group;
  return !("peer" in out) || address === null || out.peer === address;
}

function authenticated(sender: Settings, receiver: Settings): Passage {
  const { signWith, keys } = sender.authentication;
  const signing = keys.find(({ index }) => index === signWith);
  const verifying = receiver.authentication.keys.find(({ index }) => index === signWith);
  // A scenario may leave the keys out: then nothing is signed.
  if (signing === undefined && receiver.authentication.keys.length === 0) return { kind: "open" };
  if (verifying === undefined) {
    return { kind: "refused", reason: "unknown-key", detail: `signed with key ${signWith}` };
  }
  if (signing?.method === verifying.method && signing.secret === verifying.secret) return { kind: "open" };
  return { kind: "refused", reason: "wrong-key", detail: `key ${signWith} differs` };
}
