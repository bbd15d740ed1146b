/** The whole node, wired by hand to others: joining, moving, leaving, standing still, and what it refuses. */

import assert from "node:assert/strict";
import { isHeartbeat } from "../../lib/core/effects.ts";
import {
  extraBeatsAtOnceMax,
  extraBeatsPerKeepalive,
  refusalReportMs,
  stallMs,
} from "../../lib/core/limits.ts";
import { HandWired, holders, order, pair, quietPair } from "./hand_wired.ts";
import { message, outcome, reports, settings, statement, timing } from "./samples.ts";

Deno.test("two that start together settle within milliseconds, and the preferred one holds the group", () => {
  const wired = new HandWired(settings(pair));
  wired.start("n1");
  wired.start("n2");
  wired.run(100);
  assert.equal(wired.nodes.get("n1")!.view().phase, "settled");
  assert.equal(wired.nodes.get("n2")!.view().phase, "settled");
  wired.run(200);
  assert.equal(holders(wired), "n1");
});

Deno.test("alone, a node waits initdead, not less and not more, and says who is missing", () => {
  const wired = new HandWired(settings(pair));
  wired.start("n1");
  wired.run(timing.initDeadMs - 1);
  assert.equal(wired.nodes.get("n1")!.view().phase, "joining");
  wired.run(timing.initDeadMs);
  assert.equal(wired.nodes.get("n1")!.view().phase, "settled");
  assert.ok(wired.reports("n1").includes("alarm node-missing"));
  wired.run(timing.initDeadMs + 500);
  assert.equal(holders(wired), "n1");
});

Deno.test("a node whose settings name no other starts at once", () => {
  const wired = new HandWired(settings({ nodes: ["n1"] }));
  wired.start("n1");
  wired.run(100);
  assert.equal(holders(wired), "n1");
  wired.run(60_000);
  assert.equal(holders(wired), "n1");
});

Deno.test("a third node joins by the word of a settled one, although the second is missing", () => {
  const wired = new HandWired(settings());
  wired.start("n1");
  wired.run(timing.initDeadMs + 500);
  wired.start("n3");
  wired.run(timing.initDeadMs + 700);
  assert.equal(wired.nodes.get("n3")!.view().phase, "settled");
  assert.equal(holders(wired), "n1");
});

Deno.test("a peer that claims anew with each message gets a bounded number of heartbeats, and is told the last word", () => {
  const wired = quietPair();
  const { generation } = wired.nodes.get("n2")!.identity;
  const hears = { n1: { generation: 1, sequence: wired.nodes.get("n1")!.outbox.last, on: [0, 1] } };
  const sequence = wired.nodes.get("n2")!.outbox.last + 1;
  wired.still.add("n2");
  const beatsOf = (fromMs: number) =>
    wired.log.filter(({ node, atMs, effect }) => node === "n1" && atMs >= fromMs && isHeartbeat(effect))
      .length;
  const startMs = wired.nowMs;
  for (let n = 0; n < 2_000; n++) {
    if (n % 2 === 0) wired.run(wired.nowMs + 1);
    const web = { ...statement().groups.web!, wants: n % 2 === 0 };
    const stated = statement({ hears, groups: { web } });
    wired.step("n1", message({ source: "n2", generation, sequence: sequence + n }, stated));
  }
  const allowed = extraBeatsAtOnceMax(1) + 1_000 / timing.keepaliveMs * (1 + extraBeatsPerKeepalive) + 1;
  const count = beatsOf(startMs);
  assert.ok(count <= allowed, `${count} heartbeats of at most ${allowed}`);
  assert.ok(count >= extraBeatsAtOnceMax(1), `${count} heartbeats`);
  const lastMs = wired.nowMs;
  wired.run(lastMs + timing.keepaliveMs / extraBeatsPerKeepalive + 1);
  assert.ok(beatsOf(lastMs) >= 1, "what was left unsaid is said soon");
});

Deno.test("a planned takeover, and back by standby, each without a moment of two holders", () => {
  const wired = quietPair();
  assert.equal(wired.command("n2", order("takeover")), "accepted: taking web");
  for (let ms = 1_001; ms <= 1_100; ms++) assert.notEqual(holders(wired.run(ms)), "n1,n2");
  assert.equal(holders(wired), "n2");
  assert.ok(wired.reports("n1", 1_000).includes("notice group-handed-over"));
  assert.equal(typeof wired.nodes.get("n2")!.view().groups[0]!.lastGapMs, "number");
  assert.equal(wired.command("n2", order("standby")), "accepted: handing over web to n1");
  for (let ms = 1_101; ms <= 1_200; ms++) assert.notEqual(holders(wired.run(ms)), "n1,n2");
  assert.equal(holders(wired), "n1");
});

Deno.test("a released group stays away from the node until rejoin, also when no other can take it", () => {
  const wired = quietPair();
  wired.command("n2", order("release"));
  wired.command("n1", order("release"));
  wired.run(8_000);
  assert.equal(holders(wired), "");
  assert.ok(wired.reports("n1").concat(wired.reports("n2")).includes("alarm group-unheld"));
  wired.command("n1", order("rejoin"));
  wired.run(8_200);
  assert.equal(holders(wired), "n1");
  assert.ok(wired.reports("n1").concat(wired.reports("n2")).includes("clear group-unheld"));
});

Deno.test("maintenance spreads, survives the death of a node, and what was to be done is done at its end", () => {
  const wired = quietPair();
  wired.command("n1", { kind: "maintenance", on: true });
  wired.run(1_100);
  assert.equal(wired.nodes.get("n2")!.view().maintenance, true);
  wired.still.add("n1");
  wired.run(6_000);
  assert.equal(wired.held("n2"), false);
  wired.command("n2", { kind: "maintenance", on: false });
  wired.run(6_500);
  assert.equal(wired.held("n2"), true);
});

Deno.test("a resource that was asked before maintenance began is not restarted in it", () => {
  const wired = quietPair({ groups: [{ name: "web", resources: ["script"], monitorIntervalMs: 2_000 }] });
  const asked: number[] = [];
  wired.answer = (run) => {
    if (run.operation === "monitor") asked.push(run.id);
    return null;
  };
  wired.run(4_000);
  assert.equal(asked.length, 1);
  wired.command("n1", { kind: "maintenance", on: true });
  wired.run(4_100);
  wired.step("n1", { kind: "outcome", id: asked[0] as never, outcome: outcome("stopped", 7) });
  wired.run(9_000);
  const begun = wired.log.filter(({ atMs, effect }) => atMs >= 4_000 && effect.kind === "run");
  assert.deepEqual(begun, []);
  assert.equal(holders(wired), "n1");
});

/** n1 holds `web`, maintenance is on, and an operator has taken the address off. */
function takenOffInMaintenance(outline: Parameters<typeof quietPair>[0] = {}): HandWired {
  const wired = quietPair(outline);
  wired.run(4_000);
  wired.command("n1", { kind: "maintenance", on: true });
  wired.run(4_100);
  for (const resource of [0, 0]) wired.step("n1", { kind: "address-lost", group: "web", resource });
  return wired;
}

function acts(wired: HandWired, sinceMs: number): string[] {
  return wired.log.filter(({ node, atMs }) => node === "n1" && atMs >= sinceMs)
    .flatMap(({ effect }) => effect.kind === "run" ? [effect.operation] : [effect.kind])
    .filter((kind) => ["ask-wire", "start", "stop", "monitor", "drop", "announce"].includes(kind));
}

for (const isFree of [true, false]) {
  const end = isFree ? "put back" : "given up, as somebody has it";
  Deno.test(`in maintenance an address that is taken off is said once and left; afterwards it is ${end}`, () => {
    const wired = takenOffInMaintenance({
      groups: [{ name: "web", resources: [{ leaseSeconds: 1 }], monitorIntervalMs: 1_000 }],
    });
    wired.wire = () =>
      isFree ? { kind: "silent" } : { kind: "answered", address: "192.0.2.1", hardware: "b", from: null };
    wired.run(9_000);
    assert.deepEqual(acts(wired, 4_000), []);
    assert.equal(wired.reports("n1").filter((each) => each === "warning address-lost").length, 1);
    assert.equal(holders(wired), "n1");
    wired.command("n2", { kind: "maintenance", on: false });
    wired.run(9_100);
    const first = isFree ? ["ask-wire", "start", "announce", "monitor"] : ["ask-wire", "drop", "stop"];
    assert.deepEqual(acts(wired, 9_000).slice(0, first.length), first);
  });
}

Deno.test("a claim of an address that an operator has taken off in maintenance is no rival's", () => {
  const claim = { kind: "claim", group: "web", address: "192.0.2.100", hardware: "b" } as const;
  const rivals = (wired: HandWired) => {
    wired.step("n1", claim);
    return wired.reports("n1").filter((each) => each === "warning rival-claim").length;
  };
  assert.equal(rivals(takenOffInMaintenance()), 0);
  const untouched = quietPair();
  untouched.run(4_000);
  assert.equal(rivals(untouched), 1);
});

Deno.test("a second holder is an alarm in maintenance too, also while an address is left taken off", () => {
  const wired = takenOffInMaintenance();
  wired.still.add("n2");
  const { generation } = wired.nodes.get("n2")!.identity;
  const web = { ...statement().groups.web!, state: "running" as const, epoch: 0 };
  const stated = statement({ groups: { web }, maintenance: { on: true, version: 1 } });
  const sequence = wired.nodes.get("n2")!.outbox.last + 1;
  assert.deepEqual(reports(wired.step("n1", message({ source: "n2", generation, sequence }, stated))), [
    "alarm split-brain",
  ]);
});

Deno.test("a takeover waits for the delay, not less and hardly more", () => {
  const wired = quietPair({ takeoverDelayMs: 3_000 });
  wired.still.add("n1");
  wired.run(1_000 + timing.deadTimeMs + 2_900);
  assert.equal(wired.held("n2"), false);
  wired.run(1_000 + timing.deadTimeMs + 3_200);
  assert.equal(wired.held("n2"), true);
});

Deno.test("a takeover that needs a confirmation waits for it, and one confirmation is good for one takeover", () => {
  const wired = quietPair({ takeoverConfirm: true });
  assert.match(wired.command("n2", order("confirm")), /^refused: /);
  wired.still.add("n1");
  wired.run(8_000);
  assert.equal(wired.held("n2"), false);
  assert.deepEqual(wired.reports("n2", 1_500).filter((each) => each.endsWith("confirm")), ["alarm confirm"]);
  assert.equal(wired.command("n2", order("confirm")), "accepted: confirmed: web");
  wired.run(8_100);
  assert.equal(wired.held("n2"), true);
});

Deno.test("a confirmation that was overtaken by the return of the node does not serve for its next death", () => {
  const wired = quietPair({ takeoverConfirm: true, takeoverDelayMs: 2_000 });
  wired.isCarried = () => false;
  wired.run(2_600);
  assert.equal(wired.command("n2", order("confirm")), "accepted: confirmed: web");
  wired.isCarried = () => true;
  wired.run(20_000);
  assert.equal(holders(wired), "n1");
  wired.still.add("n1");
  wired.run(30_000);
  assert.equal(wired.held("n2"), false);
  assert.equal(wired.command("n2", order("confirm")), "accepted: confirmed: web");
});

Deno.test("a shutdown stops, says goodbye and exits; the other takes at once and raises no alarm", () => {
  const wired = quietPair();
  wired.command("n1", { kind: "shutdown" });
  wired.run(1_100);
  assert.equal(wired.nodes.has("n1"), false, "it has ended");
  assert.equal(wired.held("n2"), true);
  assert.equal(wired.nodes.get("n2")!.view().peers[0]!.state, "left");
  wired.run(9_000);
  assert.deepEqual(wired.nodes.get("n2")!.view().alarms, []);
  const last = wired.log.findLast(({ node }) => node === "n1")!;
  assert.equal(last.effect.kind, "exit");
});

Deno.test("after a stall the drop comes before anything else, and nothing is renewed or started in that step", () => {
  const wired = quietPair();
  wired.still.add("n1");
  const lastBeatMs = wired.log.findLast(({ node, effect }) => node === "n1" && isHeartbeat(effect))!.atMs;
  wired.run(lastBeatMs + stallMs(timing));
  wired.still.delete("n1");
  const effects = wired.step("n1", { kind: "wake" });
  const acts = effects.filter(({ kind }) => kind !== "report").map(({ kind }) => kind);
  assert.deepEqual(acts, ["drop", "run", "send", "send", "send"], "the heartbeat, then the two events");
  assert.ok(isHeartbeat(effects.find(({ kind }) => kind === "send")!));
  assert.deepEqual(reports(effects), ["warning stalled", "notice group-stopping"]);
  assert.equal(wired.nodes.get("n1")!.view().phase, "joining");
});

Deno.test("a wake that is late, but below the limit, is reported and gives up nothing", () => {
  const wired = quietPair();
  wired.still.add("n1");
  const lastBeatMs = wired.log.findLast(({ node, effect }) => node === "n1" && isHeartbeat(effect))!.atMs;
  wired.run(lastBeatMs + stallMs(timing) - 1);
  wired.still.delete("n1");
  const effects = wired.step("n1", { kind: "wake" });
  assert.deepEqual(reports(effects).slice(0, 1), ["warning late-wake"]);
  assert.deepEqual(effects.filter(({ kind }) => kind !== "report").map(({ kind }) => kind), [
    "renew",
    "send",
  ]);
});

Deno.test("every input of a stalled node gives up first, whatever it is", () => {
  const inputs = [
    { kind: "wake" },
    message({ source: "n2", sequence: 900 }, statement()),
    { kind: "command", command: order("takeover") },
    { kind: "arbiter", name: "gateway", target: "192.0.2.1" },
    { kind: "address-lost", group: "web", resource: 0 },
    { kind: "claim", group: "web", address: "192.0.2.100", hardware: "b" },
  ] as const;
  for (const input of inputs) {
    const wired = quietPair();
    wired.still.add("n1");
    wired.run(9_000);
    const effects = wired.step("n1", input);
    assert.equal(effects.find(({ kind }) => kind !== "report")?.kind, "drop", input.kind);
    assert.ok(!effects.some(({ kind }) => kind === "renew" || kind === "announce"), input.kind);
  }
});

Deno.test("refused packets are all counted, by reason, and each reason is reported once per minute", () => {
  const wired = quietPair();
  const refuse = (reason: "wrong-key" | "malformed", count: number) =>
    wired.step("n1", { kind: "refused", medium: "hb0", reason, detail: "", from: "192.0.2.77", count });
  const before = wired.nowMs;
  for (let n = 0; n < 100; n++) {
    refuse("wrong-key", 3);
    if (n < 10) refuse("malformed", 1);
    wired.run(wired.nowMs + refusalReportMs / 100);
  }
  assert.deepEqual(wired.nodes.get("n1")!.view().refused, { "wrong-key": 300, malformed: 10 });
  assert.equal(wired.reports("n1", before).filter((each) => each === "warning refused").length, 2);
  refuse("wrong-key", 1);
  assert.equal(wired.reports("n1", before).filter((each) => each === "warning refused").length, 3);
  assert.equal(wired.nodes.get("n1")!.view().refused["wrong-key"], 301);
});

const strangers = [
  ["our own name with another generation", { source: "n1", generation: 9 }, "own-message"],
  ["a node that is not configured", { source: "n9" }, "unknown-node"],
  ["an earlier run of a known node", { source: "n2", generation: 0 }, "old-generation"],
] as const;

for (const [name, parts, reason] of strangers) {
  Deno.test(`a message of ${name} is refused as ${reason} and changes nothing else`, () => {
    const wired = quietPair();
    const node = wired.nodes.get("n1")!;
    wired.run(1_001);
    const known = () => {
      const view = node.view();
      const peers = view.peers.map((peer) => ({
        ...peer,
        links: peer.links.map((link) => ({ ...link, refused: {} })),
      }));
      return { ...view, peers, refused: {}, uptimeMs: 0 };
    };
    const before = known();
    wired.step("n1", message({ ...parts, sequence: 99_999 }, statement({ phase: "leaving" })));
    assert.deepEqual(known(), before);
    assert.deepEqual(node.view().refused, { [reason]: 1 });
    assert.deepEqual(node.view().peers[0]!.links[0]!.refused, { [reason]: 1 }, "on the link it came by");
  });
}

Deno.test("our own message that comes back is neither heard nor refused", () => {
  const wired = quietPair();
  wired.step("n1", message({ source: "n1", generation: 1, sequence: 99_999 }, statement()));
  assert.deepEqual(wired.nodes.get("n1")!.view().refused, {});
});

Deno.test("settings that differ and a Heartbeat daemon among more than two are alarms, cleared when the cause is over", () => {
  const wired = quietPair({ nodes: ["n1", "n2", "n3"] });
  const say = (sequence: number, stated: ReturnType<typeof statement> | null) =>
    reports(wired.step("n1", message({ source: "n2", generation: 2, sequence }, stated)))
      .filter((each) => /foreign-daemon|settings-differ/.test(each));
  wired.still.add("n2");
  assert.deepEqual(say(1, statement({ settingsHash: "other" })), ["alarm settings-differ"]);
  assert.deepEqual(say(2, statement({ settingsHash: "other" })), []);
  assert.deepEqual(say(3, statement()), ["clear settings-differ"]);
  assert.deepEqual(say(4, null), ["alarm foreign-daemon"]);
  assert.deepEqual(say(5, null), []);
  wired.run(wired.nowMs + timing.deadTimeMs + 1);
  assert.ok(wired.reports("n1").includes("clear foreign-daemon"), "it is out of view");
});
