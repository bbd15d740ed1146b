/** `ping-members` and `deadping` of heartline.yaml: hosts that are asked by ICMP echo and shown by `status`. */

import type { PingMemberSettings, Timing } from "../../core/settings.ts";
import { parseAddress } from "../text/addresses.ts";
import type { Parsed } from "../problem.ts";
import type { Value, YamlReader } from "./reader.ts";

/** By name: an address, or a list of which one must answer. */
export function readPingMembers(reader: YamlReader, value: Value | undefined): PingMemberSettings[] {
  if (value === undefined) return [];
  const members: PingMemberSettings[] = [];
  for (const [name, entry] of reader.openMapping(value, `"ping-members"`) ?? []) {
    const items = reader.isList(entry.value) ? reader.list(entry.value, `"${name}"`) : [entry.value];
    const targets = items.map((item) => reader.parsed(item, "an address", parsePinged)).filter((address) =>
      address !== null
    );
    if (items.length === 0) {
      reader.findings.error(
        entry.value.span,
        "bad-value",
        `"${name}" has no address`,
        "write one, or a list",
      );
    }
    if (targets.length > 0) members.push({ name, targets });
  }
  return members;
}

/** More than twice keepalive, at which questions are put: else one lost answer is a death. */
export function readDeadPing(reader: YamlReader, value: Value | undefined, timing: Timing): number {
  const ms = value && reader.duration(value, `"deadping"`, 1);
  if (value === undefined || ms === null || ms === undefined) return timing.deadTimeMs;
  if (ms <= 2 * timing.keepaliveMs) {
    const message = "deadping is not more than twice keepalive";
    reader.findings.error(value.span, "deadping-short", message, "raise it");
  }
  return ms;
}

function parsePinged(text: string): Parsed<string> {
  const address = parseAddress(text);
  if (address !== null) return { ok: true, value: address.text };
  return {
    ok: false,
    message: `"${text}" is not an IP address`,
    hint: "write it as 192.0.2.1 or 2001:db8::1",
  };
}
