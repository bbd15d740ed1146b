/** Requests, answers, refusals and acknowledgements between two nodes, rule by rule of protocol reference 6.3 to 6.5. */

import assert from "node:assert/strict";
import type { Effect } from "../../../lib/core/effects.ts";
import {
  refusalsAtOnceMax,
  refusalsPerSecondMax,
  requestBurstMax,
  resendsAtOnceMax,
  resendsMax,
  resendsPerSecondMax,
  sentPacketsMax,
  unackedMax,
} from "../../../lib/core/limits.ts";
import { Peer } from "../../../lib/core/membership/peer.ts";
import { Exchange } from "../../../lib/core/messaging/exchange.ts";
import { Outbox } from "../../../lib/core/messaging/outbox.ts";
import { Prng } from "../../../lib/core/prng.ts";
import { stringField } from "../../../lib/wire/message.ts";
import { at, contextAt, message, statement, timing } from "../samples.ts";

/** The exchange of n1 with n2, which is in view and acknowledges. */
function scene(options: { delayMs?: number; seed?: number; peers?: readonly string[] } = {}) {
  const { delayMs = 250, seed = 1, peers: names = ["n2"] } = options;
  const peers = names.map((name) => new Peer(name, ["hb0"], timing));
  for (const peer of peers) {
    peer.isInView = true;
    peer.hasAcks = true;
  }
  const outbox = new Outbox();
  const exchange = new Exchange("n1", 3, peers, outbox, new Prng(seed), delayMs);
  const context = contextAt(0);
  const peer = peers[0]!;
  exchange.tick(context);
  return {
    exchange,
    outbox,
    peer,
    context,
    send(count: number): void {
      for (let n = 0; n < count; n++) outbox.send(context, { type: "status", fields: [] });
      context.takeEffects();
    },
    hear(...sequences: number[]): void {
      for (const sequence of sequences) peer.tracker.judge(5, sequence);
    },
    tickAt(ms: number): string[] {
      context.now = at(ms);
      exchange.tick(context);
      return words(context.takeEffects());
    },
    control(type: string, fields: Record<string, string>, destination: string | null = "n1"): string[] {
      const { message: bare } = message({ type, sequence: null }, null);
      const list = Object.entries(fields).map(([name, value]) => stringField(name, value));
      exchange.hear(context, peer, { ...bare, destination, message: { fields: list } });
      return words(context.takeEffects());
    },
  };
}

/** Effects as short words: `NS_rexmit n2 12 12`, `resend 4`. */
function words(effects: readonly Effect[]): string[] {
  return effects.map((effect) => {
    if (effect.kind === "resend") return `resend ${effect.sequence}`;
    if (effect.kind !== "send") {
      return effect.kind === "report" ? `${effect.level} ${effect.code}` : effect.kind;
    }
    assert.equal(effect.sequence, null, "outside the sequence");
    return [effect.type, effect.destination, ...effect.fields.map(([, value]) => value)].join(" ");
  });
}

Deno.test("a missing number is asked for in decimal, after 50 to 250 ms, and then every max_rexmit_delay", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { hear, tickAt, exchange } = scene({ seed });
    hear(11, 13);
    assert.deepEqual(tickAt(1_000).filter((word) => word.startsWith("NS_rexmit")), []);
    const asked: number[] = [];
    for (let ms = 1_001; ms < 2_000; ms++) {
      const due = exchange.deadline(at(ms - 1))!;
      assert.ok(due >= ms, "a deadline in the past is a busy loop");
      const requests = tickAt(ms).filter((word) => word.startsWith("NS_rexmit"));
      if (requests.length > 0) {
        assert.equal(due, ms);
        assert.deepEqual(requests, ["NS_rexmit n2 12 12"]);
        asked.push(ms);
      }
    }
    assert.ok(asked[0]! >= 1_050 && asked[0]! <= 1_250, `first after ${asked[0]! - 1_000} ms`);
    assert.deepEqual(asked.slice(1), asked.slice(1).map((_, index) => asked[0]! + 250 * (index + 1)));
  }
});

Deno.test("nobody is asked for what arrived, was refused, or is of a node out of view", () => {
  const { hear, tickAt, control, peer, exchange } = scene();
  hear(1, 3, 6);
  tickAt(0);
  hear(2);
  assert.deepEqual(control("NS_nak_rexmit", { firstseq: "4", info: "seqno too low" }), [
    "warning message-lost",
  ]);
  assert.deepEqual(control("NS_nak_rexmit", { firstseq: "4" }), [], "it is missing no more");
  peer.isInView = false;
  assert.deepEqual([tickAt(10_000), exchange.deadline(at(10_000))], [[], null]);
  peer.isInView = true;
  assert.deepEqual(tickAt(20_000).filter((word) => word.startsWith("NS_rexmit")), ["NS_rexmit n2 5 5"]);
  assert.deepEqual(
    control("NS_nak_rexmit", { firstseq: "5" }, "n3"),
    [],
    "told to another node, true for all",
  );
  assert.equal(peer.tracker.missing.size, 0);
});

Deno.test("a long gap is asked for in bursts that are bounded, and completely", () => {
  const { hear, tickAt } = scene();
  hear(1, 251);
  const asked = new Set<string>();
  for (let ms = 0; ms < 1_200; ms += 5) {
    const requests = tickAt(ms).filter((word) => word.startsWith("NS_rexmit"));
    assert.ok(requests.length <= requestBurstMax, `${requests.length} at once`);
    for (const request of requests) asked.add(request);
  }
  assert.equal(asked.size, 249);
});

const requests: readonly (readonly [string, Record<string, string>, string | null, readonly string[]])[] = [
  ["a number", { firstseq: "212", lastseq: "212" }, "n1", ["resend 212"]],
  ["a range", { firstseq: "212", lastseq: "214" }, "n1", ["resend 212", "resend 213", "resend 214"]],
  ["a range that goes beyond what was sent", { firstseq: "599", lastseq: "700" }, "n1", [
    "resend 599",
    "resend 600",
  ]],
  ["beyond what was sent", { firstseq: "601", lastseq: "601" }, "n1", []],
  ["what is kept no more", { firstseq: "100", lastseq: "101" }, "n1", [
    "NS_nak_rexmit n2 64 seqno too low",
    "resend 101",
  ]],
  ["another node's number", { firstseq: "212", lastseq: "212" }, "n3", []],
  ["a number that is none", { firstseq: "0x12", lastseq: "212" }, "n1", []],
  ["a range that goes backwards", { firstseq: "214", lastseq: "212" }, "n1", []],
  ["nothing", {}, "n1", []],
];

Deno.test("a request is answered with what is kept, refused for what is not, and left where it makes no sense", () => {
  for (const [name, fields, destination, answers] of requests) {
    const { send, control } = scene();
    send(sentPacketsMax + 100);
    assert.deepEqual(control("NS_rexmit", fields, destination).toSorted(), [...answers].toSorted(), name);
  }
});

Deno.test("what was too large to be kept is refused from then on, not left", () => {
  const { send, control, exchange, context } = scene();
  send(20);
  assert.deepEqual(control("NS_rexmit", { firstseq: "7", lastseq: "7" }), ["resend 7"]);
  exchange.forget(7);
  context.now = at(250);
  assert.deepEqual(control("NS_rexmit", { firstseq: "7", lastseq: "8" }).toSorted(), [
    "NS_nak_rexmit n2 7 seqno too low",
    "resend 8",
  ]);
});

Deno.test("one request costs a bounded number of packets, however large its range", () => {
  const { send, control } = scene();
  send(400);
  assert.equal(control("NS_rexmit", { firstseq: "1", lastseq: "999999999" }).length, resendsMax);
});

Deno.test("whoever asks without end gets a bounded number of answers a second, and a quiet peer all that it asks for", () => {
  const { send, control, context, exchange } = scene();
  send(2_000);
  const answersIn = (seconds: number, range: (n: number) => readonly [first: number, last: number]) => {
    const startMs = context.now;
    let count = 0;
    for (let n = 0; n < seconds * 1_000; n++) {
      context.now = at(startMs + n);
      const [firstseq, lastseq] = range(n).map(String) as [string, string];
      count += control("NS_rexmit", { firstseq, lastseq }).length;
    }
    return count;
  };
  const replayed = answersIn(1, () => [1, 50]);
  assert.ok(replayed <= refusalsAtOnceMax + refusalsPerSecondMax, `one request played again: ${replayed}`);
  const refused = answersIn(4, (n) => [1 + 50 * (n % 29), 50 + 50 * (n % 29)]);
  assert.ok(refused <= refusalsAtOnceMax + 4 * refusalsPerSecondMax, `${refused} refusals`);
  const resent = answersIn(4, (n) => [1_501 + 50 * (n % 10), 1_550 + 50 * (n % 10)]);
  assert.ok(resent <= resendsAtOnceMax + 4 * resendsPerSecondMax, `${resent} sent again`);
  assert.ok(resent >= 4 * resendsPerSecondMax, `${resent} sent again`);
  assert.ok(exchange.exchanges[0]!.unanswered > 1_000, "and it is counted how many are left");
  context.now = at(60_000);
  assert.equal(control("NS_rexmit", { firstseq: "1501", lastseq: "1550" }).length, 50);
});

Deno.test("what was sent again a moment ago is not sent again for the next one that asks", () => {
  const { send, control, context } = scene();
  send(20);
  const ask = (ms: number) => {
    context.now = at(ms);
    return control("NS_rexmit", { firstseq: "7", lastseq: "7" });
  };
  assert.deepEqual([ask(0), ask(1), ask(239), ask(240)], [["resend 7"], [], [], ["resend 7"]]);
});

Deno.test("two nodes that miss the same message have it sent again once: both hear that", () => {
  const { exchange, context, send } = scene({ peers: ["n2", "n3"] });
  send(20);
  const resent = exchange.exchanges.flatMap(({ peer }) => {
    const { message: bare } = message({ type: "NS_rexmit", sequence: null }, null);
    const fields = [stringField("firstseq", "12"), stringField("lastseq", "12")];
    exchange.hear(context, peer, { ...bare, source: peer.node, destination: "n1", message: { fields } });
    return words(context.takeEffects());
  });
  assert.deepEqual(resent, ["resend 12"]);
  assert.equal(exchange.resent, 1);
});

Deno.test("what the asker has acknowledged is not sent again", () => {
  const { send, control } = scene();
  send(20);
  control("NS_ackmsg", { ackseq: "a" });
  assert.deepEqual(control("NS_rexmit", { firstseq: "9", lastseq: "11" }), ["resend 11"]);
});

Deno.test("about one message in ten is acknowledged, never beyond one that is missing", () => {
  const phases = new Set<number>();
  for (let seed = 1; seed <= 60; seed++) {
    const { hear, tickAt } = scene({ seed });
    const acked: number[] = [];
    for (let sequence = 1; sequence <= 100; sequence++) {
      if (sequence !== 42) hear(sequence);
      if (sequence === 75) hear(42);
      const acks = tickAt(0).filter((word) => word.startsWith("NS_ackmsg")).map((word) => {
        return Number.parseInt(word.split(" ")[2]!, 16);
      });
      for (const ack of acks) assert.ok(sequence >= 75 ? ack <= sequence : ack < 42, `${ack} at ${sequence}`);
      acked.push(...acks);
    }
    assert.ok(acked.length >= 7 && acked.length <= 10, `${acked.length}`);
    phases.add(acked.at(-1)! % 10);
  }
  assert.equal(phases.size, 10, "each node by a phase of its own");
});

Deno.test("acknowledgements count up to what was sent, and never back", () => {
  const { send, control, exchange } = scene();
  send(100);
  assert.equal(exchange.unacknowledged, 100);
  control("NS_ackmsg", { ackseq: "32" });
  assert.equal(exchange.unacknowledged, 50);
  for (const ackseq of ["65", "31", "x", ""]) control("NS_ackmsg", { ackseq });
  control("NS_ackmsg", { ackseq: "64" }, "n3");
  assert.equal(exchange.unacknowledged, 50);
  control("NS_ackmsg", { ackseq: "64" });
  assert.equal(exchange.unacknowledged, 0);
});

Deno.test("acknowledgements of another run of ours count for nothing, nor does one of a Heartline that tells no run", () => {
  const { send, control, exchange, peer } = scene();
  send(100);
  control("NS_ackmsg", { ackseq: "32", ackhg: "2" });
  control("NS_ackmsg", { ackseq: "32", ackhg: "x" });
  assert.equal(exchange.unacknowledged, 100);
  control("NS_ackmsg", { ackseq: "32", ackhg: "3" });
  assert.equal(exchange.unacknowledged, 50);
  peer.statement = statement();
  control("NS_ackmsg", { ackseq: "64" });
  assert.equal(exchange.unacknowledged, 50);
  control("NS_ackmsg", { ackseq: "64", ackhg: "3" });
  assert.equal(exchange.unacknowledged, 0);
});

Deno.test("local producers wait while a node in view has not acknowledged, and it becomes an alarm", () => {
  const { send, tickAt, control, exchange } = scene({ peers: ["n2", "n3"] });
  send(unackedMax);
  assert.equal(exchange.isCongested, false);
  send(1);
  assert.equal(exchange.isCongested, true);
  send(200);
  assert.deepEqual(tickAt(0), ["alarm not-acknowledged", "alarm not-acknowledged"]);
  control("NS_ackmsg", { ackseq: (451).toString(16) });
  assert.deepEqual(tickAt(1), ["clear not-acknowledged"]);
  assert.equal(exchange.isCongested, true, "n3 has not");
  exchange.exchanges[1]!.peer.isInView = false;
  assert.equal(exchange.isCongested, false, "who is out of view holds up nobody");
  tickAt(2);
  exchange.exchanges[1]!.peer.isInView = true;
  tickAt(3);
  assert.equal(exchange.isCongested, false, "who comes into view owes nothing for what was before");
});

Deno.test("with a node that does not acknowledge nobody does, and nobody waits", () => {
  const { send, tickAt, hear, exchange, peer } = scene();
  peer.hasAcks = false;
  send(1_000);
  for (let sequence = 1; sequence <= 50; sequence++) hear(sequence);
  assert.deepEqual([exchange.isAcknowledging, exchange.isCongested, tickAt(0)], [false, false, []]);
  peer.isInView = false;
  assert.equal(exchange.isAcknowledging, true, "it counts no more once it is out of view");
});

Deno.test("after a restart of the peer its former acknowledgements mean nothing", () => {
  const { send, control, hear, tickAt, peer } = scene();
  hear(1);
  send(20);
  tickAt(0);
  control("NS_ackmsg", { ackseq: "14" });
  peer.tracker.judge(6, 1);
  tickAt(1);
  assert.deepEqual(control("NS_rexmit", { firstseq: "20", lastseq: "20" }), ["resend 20"]);
});
