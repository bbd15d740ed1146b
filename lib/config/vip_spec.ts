/**
 * The virtual IP address as operators write it: the argument of IPaddr2 (`10.0.0.9/24/eth0:web/10.0.0.255`) and the
 * options of our own form (`lease`, `duplicate-check`…). Decides nothing about other resources.
 */

import type { VipSpec } from "../core/settings.ts";
import { parseAddress, parsePrefix, unusableReason } from "./text/addresses.ts";
import { formatDuration, parseDuration } from "./durations.ts";
import type { Parsed, Placed, Severity, Span } from "./problem.ts";

/** What a `vip` gets where it says nothing itself. */
export interface VipDefaults {
  readonly leaseSeconds: number | null;
  /** The meaning of `lease: auto`. */
  readonly autoLeaseSeconds: number;
  readonly duplicateCheckMs: number;
  readonly announceRefreshMs: number;
}

/** A problem inside a text whose file is not known. */
export interface SpecProblem {
  readonly severity: Severity;
  readonly span: Span;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** Lease off: only a daemon can renew one. */
export const vipDefaults: VipDefaults = {
  leaseSeconds: null,
  autoLeaseSeconds: 1,
  duplicateCheckMs: 10,
  announceRefreshMs: 60_000,
};

/** The kernel counts leases in whole seconds. Longer than a day defeats the purpose. */
const leaseSecondsMax = 86_400;

/**
 * Named lengths of the question whether a stranger has the address. fast: what a healthy local network needs to
 * answer, invisible in an outage. careful: survives one lost packet and slow hosts. rfc5227: the timing of the RFC.
 */
const duplicateChecks: Readonly<Record<string, number>> = { fast: 10, careful: 250, rfc5227: 7000, off: 0 };

/** Longest label and interface name in bytes (IFNAMSIZ less its terminator). */
const interfaceNameBytesMax = 15;

export function parseLease(text: string, autoSeconds: number): Parsed<number | null> {
  if (text === "none" || text === "off") return { ok: true, value: null };
  if (text === "auto") return { ok: true, value: autoSeconds };
  const parsed = parseDuration(text, "yaml");
  const hint = "write whole seconds such as 5s, auto (the longest that ends before deadtime) or none";
  if (!parsed.ok) return { ...parsed, hint };
  if (parsed.value < 1000 || parsed.value % 1000 !== 0) {
    return { ok: false, message: `a lease of ${formatDuration(parsed.value)} is not possible`, hint };
  }
  if (parsed.value > leaseSecondsMax * 1000) {
    return { ok: false, message: `a lease of "${text}" is longer than a day`, hint };
  }
  return { ok: true, value: parsed.value / 1000 };
}

export function parseDuplicateCheck(text: string): Parsed<number> {
  const named = Object.hasOwn(duplicateChecks, text) ? duplicateChecks[text] : undefined;
  if (named !== undefined) return { ok: true, value: named };
  const parsed = parseDuration(text, "yaml");
  if (parsed.ok && parsed.value <= 60_000) return parsed;
  return {
    ok: false,
    message: parsed.ok ? `"${text}" is too long a check` : parsed.message,
    hint: "write fast (10 ms), careful (250 ms), rfc5227 (7 s), off, or a time up to 60s",
  };
}

/** `off` or a time of at least a second: shorter would flood the neighbours. */
export function parseAnnounceRefresh(text: string): Parsed<number> {
  if (text === "off") return { ok: true, value: 0 };
  const parsed = parseDuration(text, "yaml");
  const hint = "write a time from 1s, such as 60s, or off";
  if (!parsed.ok) return { ...parsed, hint };
  if (parsed.value > 0 && parsed.value < 1000) {
    return {
      ok: false,
      message: `announcing every ${formatDuration(parsed.value)} floods the network`,
      hint,
    };
  }
  return parsed;
}

/** An interface name as the kernel takes it. */
export function isInterfaceName(text: string): boolean {
  return /^[^\s/:]+$/.test(text) && text !== "." && text !== ".." && bytes(text) <= interfaceNameBytesMax;
}

/** `DEV:TEXT` from `TEXT` or `DEV:TEXT`. */
export function parseLabel(text: string, device: string | null): Parsed<string> {
  const hint =
    `write TEXT or DEV:TEXT, at most ${interfaceNameBytesMax} bytes with the interface and the colon`;
  const colon = text.indexOf(":");
  if (colon < 0 && device === null) {
    return { ok: false, message: `the label "${text}" does not name its interface`, hint };
  }
  const label = colon < 0 ? `${device}:${text}` : text;
  if (device !== null && !label.startsWith(`${device}:`)) {
    return { ok: false, message: `the label "${text}" does not begin with "${device}:"`, hint };
  }
  if (!/^[^\s/:]+:[^\s/:]+$/.test(label)) return { ok: false, message: `"${text}" is not a label`, hint };
  if (bytes(label) > interfaceNameBytesMax) {
    return { ok: false, message: `the label "${label}" is too long`, hint };
  }
  return { ok: true, value: label };
}

/** `IP[/PREFIX[/DEV[:LABEL]][/BROADCAST]]`, also `IP/PREFIX/BROADCAST`. */
export function parseVip(
  argument: Placed<string>,
  defaults: VipDefaults,
): { spec: VipSpec | null; problems: SpecProblem[] } {
  const problems: SpecProblem[] = [];
  const parts: Placed<string>[] = [];
  let offset = argument.span.offset;
  for (const value of argument.value.split("/")) {
    parts.push({ value, span: { offset, length: value.length } });
    offset += value.length + 1;
  }
  const fail = (part: Placed<string>, code: string, message: string, hint: string) => {
    problems.push({ severity: "error", span: part.span, code, message, hint });
  };
  const [addressPart, prefixPart, third, fourth, ...rest] = parts as [Placed<string>, ...Placed<string>[]];

  const address = parseAddress(addressPart.value);
  if (address === null) {
    fail(
      addressPart,
      "bad-address",
      `"${addressPart.value}" is not an IP address`,
      addressHint(addressPart.value),
    );
    return { spec: null, problems };
  }
  const unusable = unusableReason(address);
  if (unusable !== null) {
    fail(
      addressPart,
      "bad-address",
      `"${address.text}" cannot be held by a node: ${unusable}`,
      "name a unicast address",
    );
  }
  const { family } = address;
  let prefix: number | null = null;
  if (prefixPart !== undefined && prefixPart.value !== "") {
    prefix = parsePrefix(prefixPart.value, family);
    if (prefix === null) {
      const range = family === 4 ? "1 to 32, or a netmask such as 255.255.255.0" : "1 to 128";
      fail(prefixPart, "bad-prefix", `"${prefixPart.value}" is not a prefix length`, `write ${range}`);
    }
  }
  const thirdIsBroadcast = third !== undefined && /^\d/.test(third.value);
  const devicePart = thirdIsBroadcast || third?.value === "" ? undefined : third;
  const broadcastPart = thirdIsBroadcast ? third : fourth;
  const extra = thirdIsBroadcast ? fourth : rest[0];
  if (extra !== undefined) {
    fail(
      extra,
      "bad-vip",
      `"${extra.value}" follows the last part`,
      "the form is IP/PREFIX/DEV:LABEL/BROADCAST",
    );
  }

  let device: string | null = null;
  let label: string | null = null;
  if (devicePart !== undefined) {
    const colon = devicePart.value.indexOf(":");
    device = colon < 0 ? devicePart.value : devicePart.value.slice(0, colon);
    if (!isInterfaceName(device)) {
      fail(
        devicePart,
        "bad-device",
        `"${device}" is not an interface name`,
        "at most 15 bytes, no blank, slash or colon",
      );
    } else if (colon >= 0) {
      const parsed = parseLabel(devicePart.value, device);
      if (!parsed.ok) fail(devicePart, "bad-label", parsed.message, parsed.hint);
      else if (family === 6) {
        fail(devicePart, "bad-label", "an IPv6 address has no label", `write "${device}" alone`);
      } else label = parsed.value;
    }
  }

  let broadcast: string | null = null;
  if (broadcastPart !== undefined && broadcastPart.value !== "") {
    const parsed = parseAddress(broadcastPart.value);
    if (family === 6 || parsed?.family !== 4) {
      fail(
        broadcastPart,
        "bad-broadcast",
        family === 6
          ? "an IPv6 address has no broadcast"
          : `"${broadcastPart.value}" is not a broadcast address`,
        family === 6 ? "leave it out" : "write an IPv4 address such as 10.0.0.255, or leave it out",
      );
    } else broadcast = parsed.text;
  }
  if (problems.length > 0) return { spec: null, problems };
  const { leaseSeconds, duplicateCheckMs, announceRefreshMs } = defaults;
  const spec: VipSpec = {
    kind: "vip",
    address: address.text,
    family,
    prefix,
    device,
    label,
    broadcast,
    leaseSeconds,
    duplicateCheckMs,
    announceRefreshMs,
  };
  return { spec, problems };
}

export const vipOptionNames = [
  "dev",
  "prefix",
  "label",
  "broadcast",
  "lease",
  "duplicate-check",
  "announce-refresh",
] as const;
export type VipOptionName = typeof vipOptionNames[number];

/** The spec with one option set. `dev` and `prefix` must come before `label` and `broadcast`. */
export function withVipOption(
  spec: VipSpec,
  name: VipOptionName,
  text: string,
  autoSeconds: number,
): Parsed<VipSpec> {
  const set = <K extends keyof VipSpec>(key: K, parsed: Parsed<VipSpec[K]>): Parsed<VipSpec> =>
    parsed.ok ? { ok: true, value: { ...spec, [key]: parsed.value } } : parsed;
  switch (name) {
    case "dev":
      if (isInterfaceName(text)) return set("device", { ok: true, value: text });
      return {
        ok: false,
        message: `"${text}" is not an interface name`,
        hint: "at most 15 bytes, no blank, slash or colon",
      };
    case "prefix": {
      const prefix = parsePrefix(text, spec.family);
      if (prefix !== null) return set("prefix", { ok: true, value: prefix });
      return { ok: false, message: `"${text}" is not a prefix length`, hint: "write a length such as 24" };
    }
    case "label":
      if (spec.family === 6) {
        return { ok: false, message: "an IPv6 address has no label", hint: "leave it out" };
      }
      return set("label", parseLabel(text, spec.device));
    case "broadcast": {
      const address = parseAddress(text);
      if (spec.family === 4 && address?.family === 4) {
        return set("broadcast", { ok: true, value: address.text });
      }
      return {
        ok: false,
        message: spec.family === 6 ? "an IPv6 address has no broadcast" : `"${text}" is not an IPv4 address`,
        hint: "leave it out, or write an address such as 10.0.0.255",
      };
    }
    case "lease":
      return set("leaseSeconds", parseLease(text, autoSeconds));
    case "duplicate-check":
      return set("duplicateCheckMs", parseDuplicateCheck(text));
    case "announce-refresh":
      return set("announceRefreshMs", parseAnnounceRefresh(text));
  }
}

export function addressHint(text: string): string {
  if (/%/.test(text)) return "leave the zone out: the interface is named by dev";
  if (/^[\d.]+$/.test(text)) {
    return "write four numbers from 0 to 255 without leading zeros, such as 10.0.0.9";
  }
  return "write an IPv4 or IPv6 address; names are not resolved, because DNS may be down when it matters";
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
