import assert from "node:assert/strict";
import {
  covers,
  type Holding,
  swapped,
  together,
  without,
} from "../../../lib/core/heartbeat_dialect/holding.ts";
import { readWord, type Word } from "../../../lib/core/heartbeat_dialect/messages.ts";
import { Partner } from "../../../lib/core/heartbeat_dialect/partner.ts";
import { open } from "../../../lib/wire/packet.ts";
import { capture } from "../../wire/captures.ts";

/** Every change of what a node is believed to hold, from all that it said in a recording, in its own words. */
function transcript(name: string, node: string): string[] {
  const { packets, authentication } = capture(name);
  const partner = new Partner();
  const states: string[] = [];
  const seen = new Set<number>();
  for (const packet of packets) {
    const opened = open(packet, { authentication, isPrivate: true, bytesMax: 65_507 });
    if (!opened.ok || opened.message.source !== node || opened.message.sequence === null) continue;
    if (seen.has(opened.message.sequence)) continue;
    seen.add(opened.message.sequence);
    const word = readWord(opened.message);
    if (word === null || word.kind === "nodes-wanted") continue;
    hear(partner, word);
    const state = `${partner.hold("local")} ${partner.hold("foreign")} ${partner.isStable ? "stable" : "-"}`;
    if (states.at(-1) !== state) states.push(state);
  }
  return states;
}

function hear(partner: Partner, word: Word): void {
  if (word.kind === "starting") partner.starts();
  if (word.kind === "resource") partner.states(word);
  if (word.kind === "ask" && word.step === "done") partner.freed(word.set);
  if (word.kind === "shutdone") partner.freed("all");
}

const recorded: readonly [name: string, node: string, states: readonly string[]][] = [
  ["cold-start-both.pcap", "node1", ["free free -", "held free stable"]],
  ["cold-start-both.pcap", "node2", ["free free -", "held free stable"]],
  ["join-failback-on.pcap", "node2", [
    "held held stable",
    "held letting -",
    "held free -",
    "held free stable",
  ]],
  ["standby-all.pcap", "node1", [
    "unknown unknown -",
    "letting letting -",
    "free free -",
    "free free stable",
  ]],
];

for (const [name, node, states] of recorded) {
  Deno.test(`what ${node} holds by its own words in ${name}`, () => {
    assert.deepEqual(transcript(name, node), states);
  });
}

Deno.test("a set that a daemon strikes off while it stops it is not free before it says done", () => {
  const partner = new Partner();
  const resource = (holds: Holding, isStable: boolean, info = "") =>
    partner.states({ kind: "resource", holds, isFull: true, isStable, info });
  resource("all", true);
  resource("local", false, "standby");
  assert.equal(partner.hold("foreign"), "letting");
  resource("local", false);
  assert.equal(partner.hold("foreign"), "letting");
  partner.freed("foreign");
  assert.equal(partner.hold("foreign"), "free");
});

Deno.test("a first statement in the middle of a shutdown frees nothing", () => {
  const partner = new Partner();
  partner.states({ kind: "resource", holds: "none", isFull: true, isStable: false, info: "shutdown" });
  assert.deepEqual([partner.hold("local"), partner.hold("foreign")], ["letting", "letting"]);
});

Deno.test("without rtype=full a statement only adds", () => {
  const partner = new Partner();
  partner.states({ kind: "resource", holds: "local", isFull: true, isStable: true, info: "" });
  partner.states({ kind: "resource", holds: "foreign", isFull: false, isStable: null, info: "mach_down" });
  assert.deepEqual([partner.hold("local"), partner.hold("foreign")], ["held", "held"]);
});

Deno.test("sets: seen from the other side, joined, and with less", () => {
  const all: readonly Holding[] = ["none", "local", "foreign", "all"];
  assert.deepEqual(all.map((each) => swapped(each)), ["none", "foreign", "local", "all"]);
  for (const a of all) {
    for (const b of all) {
      for (const side of ["local", "foreign"] as const) {
        assert.equal(covers(together(a, b), side), covers(a, side) || covers(b, side));
        assert.equal(covers(without(a, b), side), covers(a, side) && !covers(b, side));
      }
    }
  }
});
