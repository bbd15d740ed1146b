/**
 * Damages packets by the million and feeds them to the wire code: `deno task fuzz [COUNT] [SEED]`.
 *
 * Three kinds in turn: real packets damaged on the way, whose acceptance would be a forgery; damaged messages signed
 * with the right key, which reach everything behind the authentication, a node included; damaged statements in such
 * messages.
 * Nothing may throw, nothing damaged may be accepted as authentic, and what is accepted must be written back byte
 * for byte. The first violation ends the run with the packet in hex and the seed. Exit code 1.
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { instant } from "../lib/core/instant.ts";
import { eventsWaitingMax, missingSequencesMax } from "../lib/core/limits.ts";
import { ClusterNode } from "../lib/core/node.ts";
import { Prng } from "../lib/core/prng.ts";
import type { Authentication } from "../lib/core/settings.ts";
import { clusterSettings } from "../lib/sim/cluster_settings.ts";
import { sign } from "../lib/wire/authentication.ts";
import { eventField, eventType, writeEvent } from "../lib/wire/event_codec.ts";
import { type ClusterMessage, stringField, text } from "../lib/wire/message.ts";
import { encodeNetstring, writeTrailer } from "../lib/wire/netstring.ts";
import { decode, open, seal } from "../lib/wire/packet.ts";
import { type Statement, statementField } from "../lib/wire/statement.ts";
import { readStatement, writeStatement } from "../lib/wire/statement_codec.ts";
import { encodeText } from "../lib/wire/text.ts";
import { capture, keys } from "../tests/wire/captures.ts";
import { type Draw, drawFrom, mutate, mutateOnce } from "../tests/wire/mutation.ts";

/** Requests, answers, deliveries and reports of one step: each is bounded, and so must their sum be. */
const effectsMax = 2_000;

/** Messages that one node hears before another takes its place. */
const listenerMessages = 200;

/** Packets between two lines of progress. */
const reportEvery = 1_000_000;

const authentication: Authentication = keys("sha1", "LabSecret-sha1");
const receiver = { authentication, isPrivate: false };
const statement: Statement = {
  dialect: 1,
  version: "0.1.0",
  settingsHash: "5d41402abc4b2a76",
  phase: "settled",
  settledForMs: 4_711,
  media: [{ name: "hb0", address: "10.0.0.1" }, { name: "hb1", address: null }],
  hears: { node2: { generation: 3, sequence: 99, on: [0, 1] } },
  groups: {
    web: {
      state: "running",
      epoch: 4,
      able: true,
      wants: false,
      leaseSeconds: 1,
      pin: { node: "node1", version: 2 },
    },
  },
  maintenance: { on: false, version: 0 },
};

const statusFields = Object.entries({ t: "status", st: "active", src: "node1", seq: "a", hg: "b", ts: "c" })
  .map(([name, value]) => stringField(name, value));
const formats = ["netstring", "text"] as const;
const own = formats.map((format) =>
  seal({ fields: [...statusFields, stringField(statementField, writeStatement(statement))] }, {
    format,
    authentication,
  })
);
const event = writeEvent({
  clock: 17,
  level: "alarm",
  code: "link-lost",
  sentence: "link hb0 is dead; 1 of 2 links left to node2",
  fields: { node: "node2", left: 1, isLast: false },
});
/** Requests, refusals and acknowledgements, and a cluster event. */
const exchanged = [
  { t: "NS_rexmit", dest: "node2", firstseq: "2", lastseq: "9" },
  { t: "NS_nak_rexmit", firstseq: "a", info: "seqno too low" },
  { t: "NS_ackmsg", dest: "node2", ackseq: "1f" },
  { t: eventType, [eventField]: event, seq: "b" },
].flatMap((given) => {
  const all = { ...given, src: "node1", hg: "b", ts: "c" };
  const fields = Object.entries(all).map(([name, value]) => stringField(name, value));
  return formats.map((format) => seal({ fields }, { format, authentication }));
});
const recorded = ["join-failback-on.pcap", "rexmit.pcap", "msgfmt-netstring.pcap", "media-serial-1to2.raw"]
  .flatMap((name) => capture(name).packets);
/** Nested messages, lists and binary values, which real R1 clusters do not send. */
const typed = formats.map((format) =>
  seal({
    fields: [
      ...statusFields,
      { name: "list", type: 3, value: ["one", "two"] },
      {
        name: "outer",
        type: 2,
        value: { fields: [{ name: "inner", type: 2, value: { fields: statusFields } }] },
      },
      { name: "packed", type: 4, value: Uint8Array.of(0, 1, 2, 255) },
    ],
  }, { format, authentication })
);
const samples = [...own, ...own, ...typed, ...typed, ...exchanged, ...recorded];
/** A node that hears every message that is rightly signed, whatever it says. */
function listener(): ClusterNode {
  const settings = clusterSettings({
    nodes: ["node1", "node2"],
    links: 1,
    timing: { keepaliveMs: 200, deadTimeMs: 1_000 },
    groups: [],
  });
  const identity = {
    node: "node2",
    generation: 1,
    version: "fuzz",
    settingsHash: "5d41402abc4b2a76",
    keptEpochs: {},
    unprotected: [],
  };
  const node = new ClusterNode(settings, identity, new Prng(1));
  node.step(instant(0), { kind: "start" });
  return node;
}

let node = listener();
let nowMs = 0;
const genuine = new Set(samples.map(latin1));

/** Why each packet was refused, or how far it came. */
const outcomes = new Map<string, number>();

function count(outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

/** Blank lines and a final NUL change nothing that counts. */
function significant(packet: Uint8Array): string {
  const text = latin1(packet);
  return text.startsWith(">>>") ? text.replace(/\n\n+/g, "\n").replace(/\0$/, "") : text;
}

/** What a damaged packet leads to; throws when it must not. */
function tryDamaged(packet: Uint8Array): void {
  const opened = open(packet, receiver);
  if (!opened.ok) return count(opened.refusal);
  if (!genuine.has(significant(packet))) throw new Error("a damaged packet was accepted as authentic");
  count("accepted: the damage cancelled out");
}

function trySigned(packet: Uint8Array): void {
  const opened = open(packet, receiver);
  if (!opened.ok) return count(`signed: ${opened.refusal}`);
  const decoded = decode(packet);
  if (!decoded.ok) throw new Error("opened but not decoded");
  const again = decoded.encoding === "text"
    ? encodeText(decoded.message)
    : encodeNetstring(decoded.message, decoded.claim);
  if (latin1(again) !== significant(packet)) throw new Error("not written back byte for byte");
  const words = text(opened.message.message, statementField);
  const read = words === undefined ? null : readStatement(words);
  if (read !== null && !read.ok) return count("signed: bad-statement");
  hear(opened.message, read === null ? null : read.statement);
  if (read !== null) count("signed: accepted with its statement");
  else {count(
      `signed: accepted, ${knownTypes.has(opened.message.type) ? opened.message.type : "another type"}`,
    );}
}

const knownTypes: ReadonlySet<string> = new Set([
  "status",
  "NS_rexmit",
  "NS_nak_rexmit",
  "NS_ackmsg",
  eventType,
]);

/** Whatever a node is told, a step stays small, and so does what it remembers. */
function hear(message: ClusterMessage, statement: Statement | null): void {
  nowMs += 1;
  // Damage soon makes an absurd generation known, after which all else is a replay.
  if (nowMs % listenerMessages === 0) node = listener();
  const effects = node.step(instant(nowMs), { kind: "message", medium: "hb0", message, statement });
  if (effects.length > effectsMax) throw new Error(`${effects.length} effects of one message`);
  const { tracker } = node.roster.peers[0]!;
  if (tracker.missing.size > missingSequencesMax) throw new Error(`${tracker.missing.size} missing numbers`);
  if (node.events.waiting > 2 * eventsWaitingMax) throw new Error(`${node.events.waiting} events wait`);
}

/** Damages what is signed and signs it. */
function signedDamage(packet: Uint8Array, other: Uint8Array, draw: Draw): Uint8Array {
  const decoded = decode(packet);
  if (!decoded.ok) throw new Error("a sample does not decode");
  const body = mutate(Buffer.concat(decoded.signed), other, draw);
  const claim = sign(authentication, [body]);
  return decoded.encoding === "netstring"
    ? Buffer.concat([body, Buffer.from(writeTrailer(claim))])
    : Buffer.concat([Buffer.from(">>>\n"), body, Buffer.from(`auth=${claim}\n<<<\n`)]);
}

function statementDamage(draw: Draw): Uint8Array {
  const genuine = Buffer.from(writeStatement(statement));
  // One change leaves the JSON whole often enough to reach the checks of its members.
  const words = latin1(mutateOnce(genuine, genuine, draw)).replaceAll("\0", "0");
  const fields = [...statusFields, stringField(statementField, words)];
  return seal({ fields }, { format: "netstring", authentication });
}

function main(): number {
  const total = Number(process.argv[2] ?? 10_000_000);
  const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32));
  if (!Number.isSafeInteger(total) || total < 1 || !Number.isSafeInteger(seed)) {
    console.error("Cannot fuzz: COUNT and SEED are whole numbers; for example: deno task fuzz 100000 42");
    return 2;
  }
  console.log(`seed ${seed}; again with: deno task fuzz ${total} ${seed}`);
  const draw = drawFrom(seed);
  const started = performance.now();
  const rate = (done: number) => Math.round(done / (performance.now() - started) * 1000).toLocaleString("en");
  for (let i = 1; i <= total; i++) {
    const sample = samples[draw(samples.length)]!;
    const other = samples[draw(samples.length)]!;
    const kind = i % 4;
    const packet = kind < 2
      ? mutate(sample, other, draw)
      : kind === 2
      ? signedDamage(sample, other, draw)
      : statementDamage(draw);
    try {
      if (kind < 2) tryDamaged(packet);
      else trySigned(packet);
    } catch (error) {
      console.error(`packet ${i} of seed ${seed}: ${Buffer.from(packet).toString("hex")}`);
      console.error(error);
      return 1;
    }
    if (i % reportEvery === 0) console.log(`${i.toLocaleString("en")} packets, ${rate(i)} a second`);
  }
  console.log(`${total.toLocaleString("en")} packets, ${rate(total)} a second, no violation`);
  for (const [outcome, times] of [...outcomes].sort((a, b) => b[1] - a[1])) {
    console.log(`${times.toLocaleString("en").padStart(12)}  ${outcome}`);
  }
  return 0;
}

process.exitCode = main();
