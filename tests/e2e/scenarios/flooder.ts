/**
 * A process of its own that runs in the client's namespace: records heartbeats from the wire, and floods a node's
 * port with many kinds of packets that must not count.
 *
 *     flooder.ts record DEVICE MILLISECONDS FILE
 *     flooder.ts flood ADDRESS PACKETS-PER-SECOND MILLISECONDS FILE
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { monotonicMs } from "../../../lib/system/clock.ts";
import { Netlink } from "../../../lib/system/netlink.ts";
import {
  AF,
  internetSocketAddress,
  linkSocketAddress,
  NativeSocket,
  SOCK,
} from "../../../lib/system/socket.ts";
import { stringField } from "../../../lib/wire/message.ts";
import { seal } from "../../../lib/wire/packet.ts";

const port = 694;
const allProtocols = 0x0003;
const udpProtocol = 17;
const tickMs = 2;
/** Of the 60 kB packets, which travel in 41 fragments each: more would exhaust this machine, not the daemon. */
const hugeEvery = 100;

async function record(device: string, durationMs: number, file: string): Promise<void> {
  const netlink = Netlink.open();
  const { index } = netlink.link(device)!;
  netlink.close();
  const protocol = (allProtocols >> 8) | (allProtocols << 8) & 0xff00;
  const socket = NativeSocket.open(AF.PACKET, SOCK.DGRAM, protocol, "record heartbeats");
  socket.bind(linkSocketAddress(index, allProtocols, new Uint8Array()), "record heartbeats");
  const recorded: string[] = [];
  const endMs = monotonicMs() + durationMs;
  while (monotonicMs() < endMs) {
    for (let got = socket.receive("record"); got !== null; got = socket.receive("record")) {
      const payload = heartbeatIn(got.packet);
      if (payload !== null) recorded.push(Buffer.from(payload).toString("base64"));
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  socket.close();
  writeFileSync(file, JSON.stringify(recorded));
  console.log(`recorded ${recorded.length}`);
}

function heartbeatIn(packet: Uint8Array): Uint8Array | null {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  if (packet.length < 28 || packet[0]! >> 4 !== 4 || packet[9] !== udpProtocol) return null;
  const headerBytes = (packet[0]! & 15) * 4;
  if (view.getUint16(headerBytes + 2) !== port) return null;
  return packet.slice(headerBytes + 8, headerBytes + view.getUint16(headerBytes + 4));
}

async function flood(address: string, perSecond: number, durationMs: number, file: string): Promise<void> {
  const recorded: Buffer[] = JSON.parse(readFileSync(file, "utf8")).map((text: string) =>
    Buffer.from(text, "base64")
  );
  if (recorded.length === 0) throw new Error("nothing was recorded");
  const [huge, ...small] = packetKinds(recorded) as [Uint8Array[], ...Uint8Array[][]];
  const socket = NativeSocket.open(AF.INET, SOCK.DGRAM, 0, "flood");
  const to = internetSocketAddress(address, port);
  const startMs = monotonicMs();
  let sent = 0;
  while (monotonicMs() < startMs + durationMs) {
    const due = Math.floor((monotonicMs() - startMs) / 1000 * perSecond);
    for (; sent < due; sent++) {
      const pool = sent % hugeEvery === 0 ? huge : small[sent % small.length]!;
      const packet = pool[(sent >> 3) % pool.length]!;
      socket.trySend(packet, to);
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  socket.close();
  console.log(`sent ${sent} in ${(monotonicMs() - startMs).toFixed(0)} ms`);
}

/** Huge ones first. Replays stay in their order. */
function packetKinds(recorded: readonly Buffer[]): Uint8Array[][] {
  const pick = (index: number) => recorded[index % recorded.length]!;
  const many = <T>(make: (index: number) => T) => Array.from({ length: 64 }, (_, index) => make(index));
  const authentication = {
    signWith: 1,
    keys: [{ index: 1, method: "sha256", secret: "not-the-key" }],
    allowCrc: false,
  } as const;
  const forged = (index: number) => {
    const fields = [
      stringField("t", "status"),
      stringField("st", "active"),
      stringField("src", index % 2 === 0 ? "node2" : "node1"),
      stringField("seq", (index + 1000).toString(16)),
      stringField("hg", "fffffff0"),
      stringField("ts", "6a000000"),
    ];
    return seal({ fields }, { format: index % 3 === 0 ? "text" : "netstring", authentication });
  };
  return [
    Array.from({ length: 4 }, () => Buffer.concat([Buffer.from(">>>\n"), randomBytes(60_000)])),
    many((index) => randomBytes(20 + 17 * index)),
    many((index) => pick(index).subarray(0, 5 + (index * 37) % Math.max(6, pick(index).length - 5))),
    [...recorded],
    many(forged),
    many((index) => {
      const damaged = Buffer.from(pick(index));
      const at = 4 + (index * 101) % (damaged.length - 4);
      damaged[at] = damaged[at]! ^ 1;
      return damaged;
    }),
  ].map((pool) => pool.map((packet) => new Uint8Array(packet)));
}

const [verb, where, first, second, third] = process.argv.slice(2);
if (verb === "record") await record(where!, Number(first), second!);
else await flood(where!, Number(first), Number(second), third!);
