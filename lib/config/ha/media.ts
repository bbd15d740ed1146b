/**
 * The media directives of ha.cf, as they stand in the file and then as settings. `udpport` and `baud` hold for the
 * media below them. Names are resolved elsewhere, before; how links fit together is judged elsewhere, after.
 */

import type { MediumSettings, SerialBaud, UcastSettings } from "../../core/settings.ts";
import type { LoadContext } from "../context.ts";
import * as defaults from "../defaults.ts";
import type { Findings, Parsed, Placed, Places, Span } from "../problem.ts";
import { parseAddress } from "../text/addresses.ts";
import { parseMulticastGroup, parseTty, parseWholeNumber } from "../text/media_words.ts";
import { addressHint, isInterfaceName } from "../vip_spec.ts";

/** A directive, or one value of a directive that takes a list. `port` null: none was set above it. */
export type HaMedium =
  & { readonly span: Span }
  & (
    | {
      readonly kind: "ucast";
      readonly device: string;
      /** Address or host name, as written. */
      readonly peer: Placed<string>;
      readonly port: number | null;
    }
    | { readonly kind: "bcast"; readonly device: string; readonly port: number | null }
    | Extract<MediumSettings, { kind: "mcast" | "serial" }>
  );

/** The values in force at the line. */
export interface InForce {
  readonly udpport: string | undefined;
  readonly baud: string | undefined;
}

/** Heartbeat's default. */
const defaultBaud: SerialBaud = 19_200;

export function readHaMedia(
  directive: Placed<string>,
  values: readonly Placed<string>[],
  inForce: InForce,
  findings: Findings,
): HaMedium[] {
  const port = inForce.udpport === undefined ? null : Number(inForce.udpport);
  switch (directive.value) {
    case "ucast":
    case "ucast6":
      return readUcast(directive, values, port, findings);
    case "udp":
      findings.note(directive.span, "obsolete", `"udp" is an old name`, "write bcast");
      return readBcast(directive, values, port, findings);
    case "bcast":
      return readBcast(directive, values, port, findings);
    case "serial": {
      const baud = (inForce.baud === undefined ? defaultBaud : Number(inForce.baud)) as SerialBaud;
      return values.flatMap((word) => {
        const tty = taken(parseTty(word.value), directive, word, findings);
        return tty === null ? [] : [{ kind: "serial" as const, tty, baud, span: word.span }];
      });
    }
    default:
      return readMcast(directive, values, findings);
  }
}

function readUcast(
  directive: Placed<string>,
  [device, peer, extra]: readonly Placed<string>[],
  port: number | null,
  findings: Findings,
): HaMedium[] {
  const hint = `write ${directive.value} DEV ADDRESS, one line for each peer`;
  if (device === undefined || peer === undefined) {
    findings.error(directive.span, "missing-value", `"${directive.value}" names no peer`, hint);
    return [];
  }
  if (extra !== undefined) {
    findings.error(extra.span, "extra-word", `"${extra.value}" follows the address of the peer`, hint);
  }
  if (!isDevice(device, hint, findings)) return [];
  return [{ kind: "ucast", device: device.value, peer, port, span: spanTo(directive, peer) }];
}

function readBcast(
  directive: Placed<string>,
  devices: readonly Placed<string>[],
  port: number | null,
  findings: Findings,
): HaMedium[] {
  return devices.filter((device) => isDevice(device, `write ${directive.value} DEV…`, findings))
    .map((device) => ({ kind: "bcast", device: device.value, port, span: device.span }));
}

function readMcast(
  directive: Placed<string>,
  values: readonly Placed<string>[],
  findings: Findings,
): HaMedium[] {
  const name = directive.value;
  const [device, group, port, ttl, loop, extra] = values;
  const hint = `write ${name} DEV GROUP PORT ${name === "mcast6" ? "HOPS" : "TTL"} LOOP`;
  if (!device || !group || !port || !ttl || !loop) {
    findings.error(directive.span, "missing-value", `"${name}" takes five values`, hint);
    return [];
  }
  if (extra !== undefined) {
    findings.error(extra.span, "extra-word", `"${extra.value}" follows the five values`, hint);
  }
  const isGood = isDevice(device, hint, findings);
  const read = {
    group: taken(parseMulticastGroup(group.value, name === "mcast6" ? 6 : 4), directive, group, findings),
    port: taken(parseWholeNumber(port.value, "port", 1, 65_535), directive, port, findings),
    ttl: taken(parseWholeNumber(ttl.value, "TTL that leaves this machine", 1, 255), directive, ttl, findings),
    loop: taken(parseWholeNumber(loop.value, "choice", 0, 1), directive, loop, findings),
  };
  if (!isGood || read.group === null || read.port === null || read.ttl === null || read.loop === null) {
    return [];
  }
  return [{
    kind: "mcast",
    device: device.value,
    group: read.group,
    port: read.port,
    ttl: read.ttl,
    loop: read.loop === 1,
    span: spanTo(directive, loop),
  }];
}

function taken<T>(parsed: Parsed<T>, directive: Placed<string>, word: Placed<string>, findings: Findings) {
  if (parsed.ok) return parsed.value;
  findings.error(word.span, "bad-value", `"${directive.value}": ${parsed.message}`, parsed.hint);
  return null;
}

function isDevice(device: Placed<string>, hint: string, findings: Findings): boolean {
  if (isInterfaceName(device.value)) return true;
  findings.error(device.span, "bad-device", `"${device.value}" is not an interface name`, hint);
  return false;
}

function spanTo({ span }: Placed<string>, last: Placed<string>): Span {
  return { offset: span.offset, length: last.span.offset + last.span.length - span.offset };
}

/** Media take the port and the speed that stand above them: a later one is easily thought to apply. */
export function checkMediaOrder(
  media: readonly HaMedium[],
  values: ReadonlyMap<string, Placed<string>>,
  findings: Findings,
): void {
  const port = values.get("udpport");
  const early = media.filter((medium) =>
    (medium.kind === "ucast" || medium.kind === "bcast") && medium.port !== Number(port?.value)
  ) as Extract<HaMedium, { kind: "ucast" | "bcast" }>[];
  if (port !== undefined && early.length > 0) {
    const devices = [...new Set(early.map((medium) => medium.device))].join(`", "`);
    const used = early[0]?.port ?? "the standard port";
    const message = `"udpport ${port.value}" comes after the link "${devices}", which keeps ${used}`;
    findings.warning(port.span, "late-udpport", message, "move udpport above all media");
  }
  const baud = values.get("baud");
  const slow = media.find((medium) => medium.kind === "serial" && medium.baud !== Number(baud?.value));
  if (baud !== undefined && slow?.kind === "serial") {
    const message = `"baud ${baud.value}" comes after "serial ${slow.tty}", which keeps ${slow.baud}`;
    findings.warning(baud.span, "late-baud", message, "move baud above all media");
  }
}

/** Where nothing but a late udpport speaks, the port in force for the last medium is the one of the settings. */
export function portOf(media: readonly HaMedium[]): number | null {
  const last = media.findLast((medium) => medium.kind === "ucast" || medium.kind === "bcast");
  return last?.port ?? null;
}

export function mediaOf(
  written: readonly HaMedium[],
  findings: Findings,
  places: Places,
  context: LoadContext,
): MediumSettings[] {
  const media: MediumSettings[] = [];
  const [first] = written;
  if (first !== undefined) places.set(["media"], findings.place(first.span));
  /** Own addresses by device, from directives that name the local machine: harmless, and the usual way to have one file. */
  const own = new Map<string, string>();
  for (const { span, ...medium } of written) {
    const port = "port" in medium && medium.port !== null
      ? medium.port
      : context.servicesPort ?? defaults.udpPort;
    if (medium.kind === "ucast") {
      const address = resolved(medium.peer, findings, context);
      if (address === null) continue;
      if (context.ownAddresses.has(address)) {
        own.set(medium.device, address);
        continue;
      }
      places.set(["media", media.length], findings.place(span));
      media.push({ kind: "ucast", device: medium.device, peer: address, port, local: null });
    } else {
      places.set(["media", media.length], findings.place(span));
      media.push(medium.kind === "bcast" ? { kind: "bcast", device: medium.device, port } : medium);
    }
  }
  return media.map((medium) => medium.kind === "ucast" ? withLocal(medium, own.get(medium.device)) : medium);
}

function withLocal(medium: UcastSettings, local: string | undefined): UcastSettings {
  return local !== undefined && local.includes(":") === medium.peer.includes(":")
    ? { ...medium, local }
    : medium;
}

function resolved(peer: Placed<string>, findings: Findings, context: LoadContext): string | null {
  const address = parseAddress(peer.value)?.text ?? context.hostAddresses.get(peer.value) ?? null;
  if (address === null) {
    const hint = /^[\d.:%]+$/.test(peer.value)
      ? addressHint(peer.value)
      : "write its address, or add the name to the hosts file";
    findings.error(peer.span, "bad-address", `"${peer.value}" cannot be resolved to an address`, hint);
  }
  return address;
}
