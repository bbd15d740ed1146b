/**
 * Reads what real Heartbeat 3.0.6 daemons sent: packet captures of UDP and raw recordings of a serial line, in
 * `tests/fixtures/captures`. ICMP and ARP in the captures are passed over.
 */

import { readdirSync, readFileSync } from "node:fs";
import { Buffer } from "node:buffer";
import type { Authentication, AuthenticationMethod } from "../../lib/core/settings.ts";

const directory = new URL("../fixtures/captures/", import.meta.url);

export interface Capture {
  readonly name: string;
  readonly packets: readonly Uint8Array[];
  readonly authentication: Authentication;
  readonly isSerial: boolean;
}

export function capture(name: string): Capture {
  const bytes = readFileSync(new URL(name, directory));
  const isSerial = name.endsWith(".raw");
  return {
    name,
    isSerial,
    packets: isSerial ? serialMessages(bytes) : udpPayloads(bytes),
    authentication: name === "auth-crc.pcap"
      ? keys("crc", "")
      : name === "auth-md5.pcap"
      ? keys("md5", "LabSecret-md5")
      : keys("sha1", "LabSecret-sha1"),
  };
}

export function captures(): Capture[] {
  return readdirSync(directory).filter((name) => /\.(pcap|raw)$/.test(name)).sort().map(capture);
}

/** One key with index 1, `crc` allowed. */
export function keys(method: AuthenticationMethod, secret: string, index = 1): Authentication {
  return { signWith: index, keys: [{ index, method, secret }], allowCrc: true };
}

/** Classic pcap with Ethernet frames, microseconds, written by a little-endian machine. */
function udpPayloads(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0, true) !== 0xa1b2c3d4) throw new Error("not a little-endian pcap file");
  const payloads: Uint8Array[] = [];
  for (let at = 24; at < file.length;) {
    const length = view.getUint32(at + 8, true);
    const frame = at + 16;
    const isUdp = view.getUint16(frame + 12) === 0x0800 && file[frame + 14 + 9] === 17;
    if (isUdp) {
      const udp = frame + 14 + (file[frame + 14]! & 15) * 4;
      payloads.push(new Uint8Array(file.subarray(udp + 8, udp + view.getUint16(udp + 4))));
    }
    at = frame + length;
  }
  return payloads;
}

/** Messages from `>>>` to `<<<`; whatever precedes the first one or follows the last is dropped. */
function serialMessages(stream: Uint8Array): Uint8Array[] {
  const text = Buffer.from(stream).toString("latin1");
  return [...text.matchAll(/^>>>\n[^]*?^<<<\n/gm)].map((match) =>
    Uint8Array.from(Buffer.from(match[0], "latin1"))
  );
}
