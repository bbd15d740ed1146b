import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { counterMax } from "../../lib/wire/limits.ts";
import { type ClusterMessage, type Message, type Refusal, stringField } from "../../lib/wire/message.ts";
import { open, type Opened, readHex, seal } from "../../lib/wire/packet.ts";
import { capture, keys } from "./captures.ts";
import { drawFrom, mutate } from "./mutation.ts";

const authentication = keys("sha256", "a secret");
const formats = ["netstring", "text"] as const;
const receiver = { authentication, isPrivate: false };

const good: Readonly<Record<string, string>> = {
  t: "status",
  st: "active",
  src: "node1",
  seq: "a",
  hg: "6b02705e",
  ts: "6b02705d",
};

/** The good message with some fields changed, or left out where `undefined`. */
function messageWith(changes: Readonly<Record<string, string | undefined>>): Message {
  const entries = Object.entries({ ...good, ...changes }).filter(([, value]) => value !== undefined);
  return { fields: entries.map(([name, value]) => stringField(name, value!)) };
}

function opened(changes: Readonly<Record<string, string | undefined>>, format: "netstring" | "text"): Opened {
  return open(seal(messageWith(changes), { format, authentication }), receiver);
}

const accepted: ReadonlyArray<
  { name: string; changes: Record<string, string | undefined>; message: Partial<ClusterMessage> }
> = [
  {
    name: "an ordinary status",
    changes: {},
    message: {
      type: "status",
      source: "node1",
      destination: null,
      generation: 0x6b02705e,
      sequence: 10,
      timestamp: 0x6b02705d,
    },
  },
  {
    name: "a name in upper case is lower-cased",
    changes: { src: "Node1.Example" },
    message: { source: "node1.example" },
  },
  { name: "so is a destination", changes: { dest: "NODE2" }, message: { destination: "node2" } },
  { name: "without hg the generation is 0", changes: { hg: undefined }, message: { generation: 0 } },
  { name: "an hg of 0 is a generation", changes: { hg: "0" }, message: { generation: 0 } },
  {
    name: "NS_ types have no number",
    changes: { t: "NS_rexmit", seq: undefined },
    message: { sequence: null },
  },
  {
    name: "and a seq there means nothing",
    changes: { t: "NS_ackmsg", seq: "zz" },
    message: { sequence: null },
  },
  { name: "the largest number", changes: { seq: "ffffffffffff" }, message: { sequence: counterMax } },
  { name: "types nobody knows", changes: { t: "hello-world" }, message: { type: "hello-world" } },
];

const refused: ReadonlyArray<
  { name: string; changes: Record<string, string | undefined>; refusal: Refusal; detail: RegExp }
> = [
  { name: "no type", changes: { t: undefined }, refusal: "missing-field", detail: /^no field t$/ },
  { name: "no source", changes: { src: undefined }, refusal: "missing-field", detail: /^no field src$/ },
  { name: "no time", changes: { ts: undefined }, refusal: "missing-field", detail: /^no field ts$/ },
  { name: "no number", changes: { seq: undefined }, refusal: "missing-field", detail: /^no field seq/ },
  { name: "an empty type", changes: { t: "" }, refusal: "bad-field", detail: /^t is ""$/ },
  { name: "an empty source", changes: { src: "" }, refusal: "bad-field", detail: /^src is ""$/ },
  { name: "an empty destination", changes: { dest: "" }, refusal: "bad-field", detail: /^dest is ""$/ },
  { name: "a source with a blank", changes: { src: "a b" }, refusal: "bad-field", detail: /^src/ },
  {
    name: "a source with an escape",
    changes: { src: "\x1b[2J" },
    refusal: "bad-field",
    detail: /^src is "\\u001b/,
  },
  {
    name: "a source that is too long",
    changes: { src: "a".repeat(65) },
    refusal: "bad-field",
    detail: /^src/,
  },
  { name: "a type that is too long", changes: { t: "a".repeat(65) }, refusal: "bad-field", detail: /^t is/ },
  ...["0", "", "-1", "1.5", "0x1", "1 ", " 1", "01", "FF", "1000000000000", "NaN", "1e3\n"].flatMap((
    value,
  ) => [
    {
      name: `ts ${JSON.stringify(value)}`,
      changes: { ts: value },
      refusal: "bad-field" as const,
      detail: /^ts is/,
    },
    {
      name: `seq ${JSON.stringify(value)}`,
      changes: { seq: value },
      refusal: "bad-field" as const,
      detail: /^seq is/,
    },
  ]),
  { name: "hg that is no number", changes: { hg: "g" }, refusal: "bad-field", detail: /^hg is "g"$/ },
  { name: "hg without a bound", changes: { hg: "f".repeat(16) }, refusal: "bad-field", detail: /^hg is/ },
];

for (const format of formats) {
  for (const { name, changes, message } of accepted) {
    Deno.test(`${format}: ${name}`, () => {
      const result = opened(changes, format);
      assert(result.ok, JSON.stringify(result));
      for (const [member, value] of Object.entries(message)) {
        assert.deepEqual(result.message[member as keyof ClusterMessage], value, member);
      }
    });
  }
  for (const { name, changes, refusal, detail } of refused) {
    Deno.test(`${format}: ${name} is a ${refusal}`, () => {
      const result = opened(changes, format);
      assert(!result.ok, JSON.stringify(result));
      assert.equal(result.refusal, refusal);
      assert.match(result.detail, detail);
    });
  }
}

Deno.test("the first field of a name counts", () => {
  const message = {
    fields: [...messageWith({}).fields, stringField("src", "other"), stringField("seq", "ff")],
  };
  const result = open(seal(message, { format: "netstring", authentication }), receiver);
  assert(result.ok);
  assert.equal(result.message.source, "node1");
  assert.equal(result.message.sequence, 10);
});

Deno.test("a control field of another type is a bad-field, even when a good one follows", () => {
  const fields = [{ name: "src", type: 1 as const, value: Uint8Array.of(65) }, ...messageWith({}).fields];
  const result = open(seal({ fields }, { format: "netstring", authentication }), receiver);
  assert.equal(result.ok ? null : result.refusal, "bad-field");
});

Deno.test("a packet above the medium's limit is refused unread", () => {
  const packet = seal(messageWith({}), { format: "netstring", authentication });
  assert(open(packet, { ...receiver, bytesMax: packet.length }).ok);
  const result = open(packet, { ...receiver, bytesMax: packet.length - 1 });
  assert.equal(result.ok ? null : result.refusal, "too-large");
  const huge = open(new Uint8Array(300_000), receiver);
  assert.equal(huge.ok ? null : huge.refusal, "too-large");
});

Deno.test("sealing again replaces the authentication of the first time", () => {
  for (const format of formats) {
    const first = open(seal(messageWith({}), { format, authentication }), receiver);
    assert(first.ok);
    const other = keys("md5", "another");
    const second = open(seal(first.message.message, { format, authentication: other }), {
      authentication: other,
      isPrivate: false,
    });
    assert(second.ok, JSON.stringify(second));
  }
});

/** Real packets, and one of each encoding and method of our own. */
function samples(): ReadonlyArray<
  { name: string; packet: Uint8Array; authentication: typeof authentication }
> {
  const recorded = ["cold-start-both.pcap", "auth-md5.pcap", "auth-crc.pcap", "media-serial-1to2.raw"].map(
    (name) => {
      const { packets, authentication } = capture(name);
      return { name: `the first packet of ${name}`, packet: packets[0]!, authentication };
    },
  );
  const own = formats.map((format) => ({
    name: `our own ${format} packet with sha256`,
    packet: seal(messageWith({}), { format, authentication }),
    authentication,
  }));
  return [...recorded, ...own];
}

for (const { name, packet, authentication } of samples()) {
  const receiver = { authentication, isPrivate: true };

  Deno.test(`${name}: cut off anywhere it is refused`, () => {
    assert(open(packet, receiver).ok);
    for (let length = 0; length < packet.length; length++) {
      assert(!open(packet.subarray(0, length), receiver).ok, `${length} of ${packet.length} bytes`);
    }
  });

  Deno.test(`${name}: with any one bit flipped it is refused`, () => {
    for (let bit = 0; bit < packet.length * 8; bit++) {
      const flipped = packet.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const result = open(flipped, receiver);
      assert(!result.ok, `bit ${bit & 7} of byte ${bit >> 3}`);
    }
  });

  Deno.test(`${name}: with one byte more anywhere it is refused`, () => {
    for (let at = 0; at <= packet.length; at++) {
      const longer = Buffer.concat([packet.subarray(0, at), Buffer.from("0"), packet.subarray(at)]);
      assert(!open(longer, receiver).ok, `byte ${at}`);
    }
  });
}

Deno.test("20,000 damaged packets are all refused, with a reason, and none throws", () => {
  const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
  console.log(`      seed ${seed}; again with FUZZ_SEED=${seed}`);
  const draw = drawFrom(seed);
  const { packets, authentication } = capture("cold-start-both.pcap");
  const all = [...packets, ...capture("media-serial-1to2.raw").packets];
  const genuine = new Set(all.map((packet) => Buffer.from(packet).toString("latin1")));
  const reasons = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const packet = mutate(all[draw(all.length)]!, all[draw(all.length)]!, draw);
    const result = open(packet, { authentication, isPrivate: false });
    if (result.ok) {
      // Changes can cancel out, and a blank line or a final NUL changes nothing that counts.
      const text = Buffer.from(packet).toString("latin1").replace(/\n\n+/g, "\n").replace(/\0$/, "");
      assert(genuine.has(text), `a damaged packet was accepted: ${JSON.stringify(text)}`);
    } else {
      reasons.set(result.refusal, (reasons.get(result.refusal) ?? 0) + 1);
    }
  }
  for (const reason of ["malformed", "wrong-key", "unknown-encoding", "unknown-key", "no-authentication"]) {
    assert((reasons.get(reason) ?? 0) > 0, `none was refused as ${reason}: the damage is too one-sided`);
  }
});

Deno.test("hex numbers are read strictly", () => {
  const table: Array<[string, number]> = [
    ["0", 0],
    ["1", 1],
    ["ff", 255],
    ["6b02705e", 0x6b02705e],
    ["ffffffffffff", 2 ** 48 - 1],
  ];
  for (const [digits, value] of table) assert.equal(readHex(digits), value);
  for (
    const digits of [
      "",
      "00",
      "0f",
      "F",
      "g",
      "+1",
      "-1",
      " 1",
      "1 ",
      "0x1",
      "1000000000000",
      "\u0661",
      "1.0",
    ]
  ) {
    assert(Number.isNaN(readHex(digits)), JSON.stringify(digits));
  }
});
