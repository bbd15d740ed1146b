import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { BeatSpeaker, TrafficPiece } from "../../lib/checks/traffic/pieces.ts";
import { TrafficTally } from "../../lib/checks/traffic/tally.ts";
import type { Authentication } from "../../lib/core/settings.ts";
import type { SniffedPacket } from "../../lib/system/sniffer.ts";
import { keys } from "../wire/captures.ts";
import { hex } from "../system/packets/bytes.ts";

interface Frame {
  readonly atMs: number;
  readonly packet: SniffedPacket;
}

/** Ethernet frames of a recording of real Heartbeat 3.0.6 daemons, as a socket without link header gives them. */
function frames(name: string): Frame[] {
  const file = readFileSync(new URL(`../fixtures/captures/${name}.pcap`, import.meta.url));
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found: Frame[] = [];
  for (let at = 24; at < file.length;) {
    const length = view.getUint32(at + 8, true);
    const frame = new Uint8Array(file.subarray(at + 16, at + 16 + length));
    found.push({
      atMs: view.getUint32(at, true) * 1000 + view.getUint32(at + 4, true) / 1000,
      packet: sniffed(frame.slice(14), (frame[12]! << 8) | frame[13]!),
    });
    at += 16 + length;
  }
  return found;
}

function sniffed(bytes: Uint8Array, ethernetType: number, direction: "in" | "out" = "in"): SniffedPacket {
  return { device: "hb0", direction, hardware: "02:00:00:00:00:01", ethernetType, bytes };
}

function tallyOf(recorded: readonly Frame[], authentication: Authentication | null): TrafficPiece[] {
  const tally = new TrafficTally({
    authentication,
    addresses: new Set(["10.77.1.100"]),
    mark: (secret) => `mark of ${secret.length}`,
  });
  for (const { packet, atMs } of recorded) tally.add(packet, atMs);
  return tally.pieces(recorded.at(-1)?.atMs ?? 0);
}

function beats(pieces: readonly TrafficPiece[]): BeatSpeaker[] {
  return pieces.filter((piece): piece is BeatSpeaker => piece.kind === "beats");
}

const cases: ReadonlyArray<
  readonly [
    name: string,
    recording: string,
    authentication: Authentication | null,
    expected: Partial<BeatSpeaker>,
  ]
> = [
  ["without a key: who speaks, with which key index and method", "steady", null, {
    isAuthentic: null,
    refusal: null,
    keyIndex: 1,
    method: "sha1",
    port: 694,
    deadTimeMs: 1000,
    settingsHash: null,
    hears: null,
  }],
  ["with the key: verified", "steady", keys("sha1", "LabSecret-sha1"), { isAuthentic: true, refusal: null }],
  ["with another key: refused", "steady", keys("sha1", "another"), {
    isAuthentic: false,
    refusal: "wrong-key",
  }],
  ["with another index: refused", "steady", keys("sha1", "LabSecret-sha1", 2), { refusal: "unknown-key" }],
  ["another method: told by its length", "auth-md5", null, { method: "md5" }],
  ["a checksum: told by its length", "auth-crc", null, { method: "crc" }],
];

for (const [name, recording, authentication, expected] of cases) {
  Deno.test(`heartbeats of real daemons, ${name}`, () => {
    const heard = beats(tallyOf(frames(recording), authentication));
    assert.deepEqual([...new Set(heard.map((beat) => `${beat.subject} ${beat.from}`))].sort(), [
      "node1 10.77.2.1",
      "node2 10.77.2.2",
    ]);
    for (const beat of heard) assert.deepEqual({ ...beat, ...expected }, beat);
  });
}

Deno.test("the interval of heartbeats is measured: keepalive 200 ms", () => {
  for (const { intervalMs } of beats(tallyOf(frames("steady"), null))) {
    assert(intervalMs !== null && Math.abs(intervalMs - 200) < 20, `${intervalMs}`);
  }
});

Deno.test("a healed pair that restarts itself is not taken for one with different dead times", () => {
  const told = beats(tallyOf(frames("partition-heal"), null)).map((beat) => beat.deadTimeMs);
  assert.deepEqual([...new Set(told)], [1000]);
});

Deno.test("a gratuitous claim of the checked address is counted, and each change of the claimant", () => {
  const claim = (last: string, address = "0a4d0164") =>
    sniffed(hex(`0001 0800 06 04 0001 0200000000${last} ${address} 000000000000 ${address}`), 0x0806);
  const packets = [claim("01"), claim("02"), claim("01"), claim("01"), claim("07", "0a4d0165")];
  const [piece, ...others] = tallyOf(packets.map((packet, index) => ({ packet, atMs: index * 100 })), null);
  assert.deepEqual(others, []);
  assert.deepEqual(piece, {
    kind: "claims",
    source: "sniffer",
    subject: "10.77.1.100",
    device: "hb0",
    ageMs: 100,
    flips: 2,
    claimants: [
      { hardware: "02:00:00:00:00:01", count: 3 },
      { hardware: "02:00:00:00:00:02", count: 1 },
    ],
  });
});

Deno.test("a master that changes its password is two speakers, and no password is in the evidence", () => {
  const from = (password: string) =>
    sniffed(hex(`45c000280001 0000ff70c788 0a090901e0000012 21339601 0101f842 0a090964 ${password}`), 0x0800);
  const packets = [from("7333637265740000"), from("6162636465666700")];
  const pieces = tallyOf(packets.map((packet) => ({ packet, atMs: 0 })), null);
  assert.equal(pieces.length, 2);
  assert(!JSON.stringify(pieces).includes("s3cret"));
});

Deno.test("strangers with ever new names cost a bounded amount of memory, and nothing throws", () => {
  const tally = new TrafficTally({ authentication: null, addresses: new Set(), mark: (secret) => secret });
  const source = frames("steady")[0]!.packet;
  for (let index = 0; index < 1000; index++) {
    const bytes = source.bytes.slice();
    bytes.set([10, 0, index >> 8, index & 255], 12); // another source address each time
    tally.add({ ...source, bytes }, 0);
  }
  assert(tally.pieces(0).length <= 256);
  const begins = fc.constantFrom<number[]>([0x45, 0, 0, 40, 0, 0, 0, 0, 255, 112], [0x60], []);
  fc.assert(
    fc.property(begins, fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0x0800, 0x86dd, 0x0806, 1), (
      begin,
      rest,
      type,
    ) => tally.add(sniffed(Uint8Array.of(...begin, ...rest), type), 0)),
  );
});
