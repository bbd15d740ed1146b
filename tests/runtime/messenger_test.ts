/** Between messages and packets: order of the fields, one sealing per encoding, what is handed over and what refused. */

import assert from "node:assert/strict";
import type { SendEffect } from "../../lib/core/effects.ts";
import type { Input } from "../../lib/core/inputs.ts";
import { sentBytesMax, sentPacketsMax } from "../../lib/core/limits.ts";
import type { Settings } from "../../lib/core/settings.ts";
import { Messenger } from "../../lib/runtime/messenger.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { decode, open } from "../../lib/wire/packet.ts";
import { ProbeSealer, questionFields, readAnswer } from "../../lib/wire/probe_message.ts";
import { bytes, type Message, text } from "../../lib/wire/message.ts";
import { settings as clusterOf, statement } from "../core/samples.ts";
import { FakeMedium } from "./fake_medium.ts";

// Opens the native library before any test, so that no test is blamed for it.
monotonicMs();

const uuid = Uint8Array.from({ length: 16 }, (_, index) => 240 + index);
const settings: Settings = {
  ...clusterOf(),
  authentication: { signWith: 1, keys: [{ index: 1, method: "sha1", secret: "s" }], allowCrc: false },
};

function status(parts: Partial<SendEffect> = {}): SendEffect {
  const fields = [["st", "active"], ["dt", "3e8"]] as const;
  return {
    kind: "send",
    type: "status",
    sequence: 0x2a,
    destination: null,
    fields,
    statement: statement(),
    ...parts,
  };
}

async function opened(media: readonly FakeMedium[], changes: Partial<Settings> = {}, node = "n1") {
  const inputs: Input[] = [];
  const sender = { node, generation: 0x6b032ea1, uuid };
  const messenger = new Messenger({ ...settings, ...changes }, sender, media, (input) => inputs.push(input));
  await messenger.open();
  return { messenger, inputs };
}

function messageOf(packet: Uint8Array): Message {
  const decoded = decode(packet);
  assert.ok(decoded.ok);
  return decoded.message;
}

/** Without the authentication, which the text encoding has as a field. */
function names(packet: Uint8Array): string[] {
  return messageOf(packet).fields.map(({ name }) => name).filter((name) => name !== "auth");
}

Deno.test("fields are in the order of a real daemon, numbers in hex but for ttl", async () => {
  const medium = new FakeMedium("hb0");
  const { messenger } = await opened([medium]);
  const beforeSeconds = Math.floor(Date.now() / 1000);
  messenger.send(status());
  const [packet] = medium.sent;
  const order = ["t", "st", "dt", "heartline", "src", "srcuuid", "seq", "hg", "ts", "ttl"];
  assert.deepEqual(names(packet!), order);
  const sent = messageOf(packet!);
  assert.deepEqual(["t", "src", "seq", "hg", "ttl"].map((name) => text(sent, name)), [
    "status",
    "n1",
    "2a",
    "6b032ea1",
    "4",
  ]);
  assert.deepEqual([...bytes(sent, "srcuuid")!], [...uuid]);
  const seconds = Number.parseInt(text(sent, "ts")!, 16);
  assert.ok(seconds >= beforeSeconds && seconds <= Date.now() / 1000, `${seconds}`);
});

Deno.test("a message outside the sequence has no number", async () => {
  const medium = new FakeMedium("hb0");
  const { messenger } = await opened([medium]);
  const parts = { type: "NS_ackmsg", sequence: null, destination: "n2", statement: null } as const;
  messenger.send(status({ ...parts, fields: [["ackseq", "5"]] }));
  assert.deepEqual(names(medium.sent[0]!), ["t", "dest", "ackseq", "src", "srcuuid", "hg", "ts", "ttl"]);
});

for (const format of ["netstring", "text"] as const) {
  Deno.test(`every medium gets the same message, signed: ${format} where any will do, text where it must be`, async () => {
    const media = [new FakeMedium("hb0"), new FakeMedium("hb1"), new FakeMedium("/dev/ttyS0", "text")];
    const { messenger } = await opened(media, { messageFormat: format });
    messenger.send(status());
    const packets = media.map(({ sent }) => sent[0]!);
    const starts = packets.map((packet) => String.fromCharCode(...packet.subarray(0, 3)));
    const own = format === "text" ? ">>>" : "###";
    assert.deepEqual(starts, [own, own, ">>>"]);
    assert.equal(packets[0], packets[1], "sealed once");
    for (const packet of packets) {
      const verified = open(packet, { authentication: settings.authentication, isPrivate: false });
      assert.ok(verified.ok);
      assert.deepEqual(names(packet), names(packets[0]!));
    }
    assert.deepEqual(messenger.pack(status()).length, packets[0]!.length);
  });
}

Deno.test("a message is sent again byte by byte, in the encoding of each medium, as long as it is kept", async () => {
  const media = [new FakeMedium("hb0"), new FakeMedium("/dev/ttyS0", "text")];
  const { messenger } = await opened(media);
  messenger.send(status({ sequence: 1 }));
  messenger.send(status({ sequence: 2 }));
  messenger.resend(1);
  for (const { sent } of media) {
    assert.equal(sent.length, 3);
    assert.deepEqual(sent[2], sent[0]);
  }
  messenger.send(status({ sequence: 1 + sentPacketsMax }));
  messenger.resend(1);
  messenger.resend(sentPacketsMax);
  assert.equal(media[0]!.sent.length, 4, "overwritten, and never sent");
});

Deno.test("of messages of maximum size no more are kept than memory allows: the latest", async () => {
  const { messenger } = await opened([new FakeMedium("hb0"), new FakeMedium("/dev/ttyS0", "text")]);
  const fields = [["info", "x".repeat(60_000)]] as const;
  for (let sequence = 1; sequence <= 2 * sentPacketsMax; sequence++) {
    messenger.send(status({ sequence, fields, statement: null }));
  }
  const kept = Array.from({ length: 2 * sentPacketsMax }, (_, n) => n + 1).filter((n) => messenger.resend(n));
  const bytes = kept.length * 2 * 60_000;
  assert.ok(bytes <= sentBytesMax && bytes > 0.9 * sentBytesMax, `${kept.length} kept in two encodings`);
  assert.deepEqual([kept[0], kept.at(-1)], [2 * sentPacketsMax - kept.length + 1, 2 * sentPacketsMax]);
});

Deno.test("a medium that works says so when it opens, one that cannot yet does not; failures and repairs follow", async () => {
  const [working, waiting] = [new FakeMedium("hb0"), new FakeMedium("hb1")];
  waiting.localAddress = null;
  const { inputs } = await opened([working, waiting]);
  waiting.events!.failed("no carrier");
  waiting.localAddress = "192.0.2.9";
  waiting.events!.recovered();
  assert.deepEqual(inputs, [
    { kind: "medium", medium: "hb0", isUp: true, address: "192.0.2.1", reason: "works" },
    { kind: "medium", medium: "hb1", isUp: false, address: null, reason: "no carrier" },
    { kind: "medium", medium: "hb1", isUp: true, address: "192.0.2.9", reason: "works again" },
  ]);
});

/** A receiving messenger of n1 and a way to pack as n2. */
async function receiver() {
  const media = [new FakeMedium("hb0"), new FakeMedium("hb1")] as const;
  const { messenger, inputs } = await opened(media);
  inputs.length = 0;
  const { messenger: peer } = await opened([], {}, "n2");
  return { media, messenger, inputs, peer };
}

Deno.test("a heartbeat is handed over at once with its medium and its statement", async () => {
  const { media, inputs, peer } = await receiver();
  assert.equal(media[1].arrive(peer.pack(status())), true);
  const [input] = inputs;
  assert.ok(input?.kind === "message");
  assert.deepEqual([input.medium, input.message.source, input.message.sequence], ["hb1", "n2", 42]);
  assert.deepEqual(JSON.parse(JSON.stringify(input.statement)), statement());
});

const withoutStatement = [
  ["a heartbeat of a Heartbeat daemon", status({ statement: null })],
  ["another type of message, whatever it says", status({ type: "hbapi-clstat" })],
] as const;

for (const [name, effect] of withoutStatement) {
  Deno.test(`${name} is handed over without a statement`, async () => {
    const { media, inputs, peer } = await receiver();
    assert.equal(media[0].arrive(peer.pack(effect)), true);
    assert.ok(inputs[0]?.kind === "message");
    assert.equal(inputs[0].statement, null);
  });
}

Deno.test("refused packets wait for the flush: one input per reason and medium, with the count and the first detail", async () => {
  const { media, messenger, inputs, peer } = await receiver();
  const noise = Uint8Array.of(1, 2, 3);
  const badStatement = peer.pack(status({ fields: [["dt", "3e8"], ["heartline", "{}"]], statement: null }));
  for (let n = 0; n < 1_000; n++) assert.equal(media[0].arrive(noise, `192.0.2.${n % 200}`), false);
  for (let n = 0; n < 10; n++) media[1].arrive(noise);
  for (let n = 0; n < 7; n++) assert.equal(media[0].arrive(badStatement, "192.0.2.2"), false);
  assert.equal(inputs.length, 0);
  messenger.flush();
  const counted = inputs.map((input) =>
    input.kind === "refused" ? [input.reason, input.medium, input.from, input.count] : input
  );
  assert.deepEqual(counted, [
    ["unknown-encoding", "hb0", "192.0.2.0", 1_000],
    ["unknown-encoding", "hb1", "192.0.2.2", 10],
    ["bad-statement", "hb0", "192.0.2.2", 7],
  ]);
  for (const input of inputs) assert.ok(input.kind === "refused" && input.detail !== "");
  messenger.flush();
  assert.equal(inputs.length, 3, "nothing is handed over twice");
  media[0].arrive(noise);
  messenger.flush();
  assert.ok(inputs[3]?.kind === "refused" && inputs[3].count === 1);
});

Deno.test("a packet larger than its medium carries is refused unread", async () => {
  const small = new FakeMedium("/dev/ttyS0", "text", 100);
  const { messenger, inputs } = await opened([small]);
  const { messenger: peer } = await opened([], {}, "n2");
  inputs.length = 0;
  assert.equal(small.arrive(peer.pack(status())), false);
  messenger.flush();
  assert.ok(inputs[0]?.kind === "refused" && inputs[0].reason === "too-large");
});

Deno.test("closing closes every medium", async () => {
  const media = [new FakeMedium("hb0"), new FakeMedium("hb1")];
  const { messenger } = await opened(media);
  await messenger.close();
  assert.deepEqual(media.map(({ isOpen }) => isOpen), [false, false]);
});

Deno.test("a probe is answered at once on its medium only, and the core sees neither questions nor answers", async () => {
  const media = [new FakeMedium("hb0"), new FakeMedium("hb1")] as const;
  const { inputs } = await opened(media);
  const before = inputs.length;
  const { authentication } = settings;
  const question = new ProbeSealer().seal(
    questionFields({ session: "0123456789abcdef", number: 3, to: "n1" }, "n2", 1_700_000_000),
    { format: "text", authentication },
    512,
  )!;
  media[0].arrive(question);
  const [packet] = media[0].sent;
  const read = open(packet!, { authentication, isPrivate: false });
  assert.ok(read.ok);
  assert.equal(readAnswer(read.message)?.number, 3);
  media[1].arrive(packet!);
  assert.deepEqual([media[0].sent.length, media[1].sent.length, inputs.length], [1, 0, before]);
});
