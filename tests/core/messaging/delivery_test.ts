/** Other messages than heartbeats: numbered with them, judged like them, delivered once to whoever asked. */

import assert from "node:assert/strict";
import { heldBytesMax } from "../../../lib/core/limits.ts";
import { Delivery } from "../../../lib/core/messaging/delivery.ts";
import { Outbox } from "../../../lib/core/messaging/outbox.ts";
import { receive, type Reception } from "../../../lib/core/messaging/reception.ts";
import { isAccepted, type SequenceVerdict } from "../../../lib/core/messaging/sequencing.ts";
import { Peer } from "../../../lib/core/membership/peer.ts";
import { packetBytesMax } from "../../../lib/wire/limits.ts";
import { stringField } from "../../../lib/wire/message.ts";
import { quietPair } from "../hand_wired.ts";
import { at, contextAt, message, timing } from "../samples.ts";

Deno.test("one counter numbers all messages, whatever their type and destination", () => {
  const outbox = new Outbox();
  const context = contextAt(0);
  assert.equal(outbox.send(context, { type: "status", fields: [] }), 1);
  assert.equal(outbox.send(context, { type: "reqnodes", destination: "n2", fields: [["a", "b"]] }), 2);
  assert.deepEqual(context.takeEffects().map((effect) => ({ ...effect })), [
    { kind: "send", type: "status", sequence: 1, destination: null, fields: [], statement: null },
    { kind: "send", type: "reqnodes", sequence: 2, destination: "n2", fields: [["a", "b"]], statement: null },
  ]);
});

const steps: readonly (readonly [type: string, generation: number, sequence: number, Reception])[] = [
  ["resource", 5, 1, "unknown-run"],
  ["status", 5, 1, "new"],
  ["resource", 5, 2, "new"],
  ["resource", 5, 2, "copy"],
  ["resource", 6, 3, "unknown-run"],
  ["starting", 5, 4, "new"],
  ["resource", 5, 3, "late"],
  ["resource", 4, 9, "old-generation"],
  ["status", 6, 1, "restart"],
  ["resource", 6, 2, "new"],
];

Deno.test("all types take part in one sequence; only a heartbeat makes a run known", () => {
  const peer = new Peer("n2", ["hb0"], timing);
  for (const [type, generation, sequence, reception] of steps) {
    const input = message({ type, generation, sequence }, null);
    assert.equal(receive(at(0), peer, input), reception, `${type} ${generation}/${sequence}`);
  }
});

Deno.test("messages go to the handler of their type, those for other nodes to nobody, unknown ones are counted", () => {
  const delivery = new Delivery("n1");
  const peer = new Peer("n2", ["hb0"], timing);
  const heard: string[] = [];
  delivery.on("resource", (_, from, { sequence }) => heard.push(`${from.node} ${sequence}`));
  const deliver = (type: string, sequence: number, destination: string | null) =>
    delivery.deliver(contextAt(0), peer, { ...message({ type, sequence }, null).message, destination });
  deliver("resource", 1, null);
  deliver("resource", 2, "n1");
  deliver("resource", 3, "n3");
  deliver("hbapi-clstat", 4, null);
  deliver("hbapi-clstat", 5, "n3");
  assert.deepEqual([heard, delivery.unknown], [["n2 1", "n2 2"], 1]);
});

Deno.test("in the order of sending, where that is asked for: what came too early waits for what is before it", () => {
  const delivery = new Delivery("n1");
  const peer = new Peer("n2", ["hb0"], timing);
  peer.isInView = true;
  const heard: number[] = [];
  delivery.on("event", (_, __, { sequence }) => heard.push(sequence!), "fifo");
  const hear = (sequence: number, type = "event", generation = 5) => {
    const input = message({ type, sequence, generation }, null);
    if (isAccepted(receive(at(0), peer, input) as SequenceVerdict) && type === "event") {
      delivery.deliver(contextAt(0), peer, input.message);
    }
    delivery.tick(contextAt(0));
    return heard.splice(0);
  };
  hear(1, "status");
  assert.deepEqual(hear(2), [2]);
  assert.deepEqual([hear(6), hear(5), hear(5)], [[], [], []]);
  assert.deepEqual(hear(3, "status"), []);
  assert.deepEqual(hear(4), [4, 5, 6]);
  assert.deepEqual(hear(9), []);
  assert.deepEqual(hear(1, "status", 6), [9], "after a restart nobody sends what was missing");
  assert.deepEqual(hear(3, "event", 6), []);
  peer.isInView = false;
  delivery.tick(contextAt(0));
  assert.deepEqual(heard, [3], "nor after the death of the sender");
});

Deno.test("of messages of maximum size no more wait for an earlier one than memory allows: the oldest wait no longer", () => {
  const delivery = new Delivery("n1");
  const peer = new Peer("n2", ["hb0"], timing);
  peer.isInView = true;
  const heard: number[] = [];
  delivery.on("event", (_, __, { sequence }) => heard.push(sequence!), "fifo");
  receive(at(0), peer, message({ type: "status", sequence: 1, generation: 5 }, null));
  const value = "x".repeat(packetBytesMax - 1_000);
  for (let sequence = 3; sequence <= 102; sequence++) {
    const input = message({ type: "event", sequence, generation: 5 }, null);
    receive(at(0), peer, input);
    const large = { ...input.message, message: { fields: [stringField("info", value)] } };
    delivery.deliver(contextAt(0), peer, large);
    delivery.tick(contextAt(0));
  }
  const waiting = 100 - heard.length;
  assert.equal(waiting, Math.floor(heldBytesMax / value.length));
  assert.deepEqual(heard, Array.from({ length: heard.length }, (_, n) => n + 3), "in their order");
});

Deno.test("a node hands each accepted message to its handler once, though it comes on every link", () => {
  const wired = quietPair();
  const heard: number[] = [];
  wired.nodes.get("n2")!.delivery.on("hello", (_, __, { sequence }) => heard.push(sequence!));
  const { generation } = wired.nodes.get("n1")!.identity;
  const sequence = wired.nodes.get("n1")!.outbox.last + 1;
  for (const medium of ["hb0", "hb1", "hb0"]) {
    wired.step("n2", message({ source: "n1", generation, type: "hello", sequence, medium }, null));
  }
  assert.deepEqual(heard, [sequence]);
});
