/** The commands of Heartbeat that heartline stands in for. What the real ones answer is compared in `tests/interop`. */

import assert from "node:assert/strict";
import { answerClStatus } from "../../cli/dropin/cl_status.ts";
import { dropInCall } from "../../cli/dropin/dropin.ts";
import { chosen } from "../../cli/dropin/moves_of_sets.ts";
import type { NodeView } from "../../lib/core/view.ts";
import { FakeDaemon, withFakeDaemon } from "./fake_daemon.ts";
import { heartline } from "./run.ts";
import { group, healthyPair } from "./views.ts";

const calls: readonly [calledAs: string, args: string[], expected: string | null][] = [
  ["/usr/bin/hb_standby", ["local"], "hb_standby local"],
  ["cl_status", [], "cl_status "],
  ["deno", ["hb_takeover", "all"], "hb_takeover all"],
  ["/opt/heartline", ["standby"], null],
  ["/opt/heartline", ["status", "cl_status"], null],
];
for (const [calledAs, args, expected] of calls) {
  Deno.test(`called as ${calledAs} ${args.join(" ")}: ${expected ?? "an own command"}`, () => {
    const call = dropInCall(calledAs, args);
    assert.equal(call && `${call.name} ${call.args.join(" ")}`, expected);
  });
}

const alphas = group("web", { state: "running" });
const betas = group("db", { state: "stopped", nodes: ["beta", "alpha"], holders: ["beta"] });

function answerOf(line: string, view: NodeView | null = healthyPair({ groups: [alphas, betas] })): string {
  const facts = {
    view,
    version: "heartline 1",
    parameter: (name: string) => name === "keepalive" ? "1s" : null,
  };
  const { stdout, exitCode } = answerClStatus(line.split(" ").filter((word) => word !== ""), facts);
  return `${stdout}${exitCode}`;
}

const answers: readonly [line: string, answer: string][] = [
  ["hbstatus", "Heartbeat is running on this machine.\n0"],
  ["listnodes", "beta\nalpha\n0"],
  ["listnodes -p", "0"],
  ["nodestatus alpha", "active\n0"],
  ["nodestatus BETA -m", "The cluster node beta is active\n0"],
  ["nodestatus gamma", "11"],
  ["nodestatus", "11"],
  ["nodetype beta", "normal\n0"],
  ["nodeweight beta", "100\n0"],
  ["nodesite beta", "\n0"],
  ["hblinkstatus beta nope", "13"],
  ["clientstatus beta ipfail 500", "offline\n1"],
  ["rscstatus", "local\n0"],
  ["rscstatus -m", "This node is holding local resources.\n0"],
  ["hbparameter -p keepalive", "1s\n0"],
  ["hbparameter -p nope", "1"],
  ["hbparameter", "11"],
  ["bogus", "11"],
  ["listnodes -x", "11"],
];
for (const [line, answer] of answers) {
  Deno.test(`cl_status ${line}: ${JSON.stringify(answer)}`, () => assert.equal(answerOf(line), answer));
}

Deno.test("cl_status without a daemon: stopped, and no for the rest", () => {
  assert.equal(answerOf("hbstatus", null), "Heartbeat is stopped on this machine.\n1");
  assert.equal(answerOf("rscstatus", null), "1");
});

const views: readonly [groups: NodeView["groups"], status: string][] = [
  [[alphas, { ...betas, state: "running" }], "all"],
  [[{ ...alphas, state: "stopped" }, { ...betas, state: "running" }], "foreign"],
  [[{ ...alphas, state: "stopped" }, betas], "none"],
  [[{ ...alphas, state: "starting" }, betas], "transition"],
];
for (const [groups, status] of views) {
  Deno.test(`cl_status rscstatus: ${status}`, () =>
    assert.equal(answerOf("rscstatus", healthyPair({ groups })), `${status}\n0`));
}

Deno.test("cl_status rscstatus: transition while the other node's Heartbeat daemon is in the middle of something", () => {
  const busy = { ...healthyPair().peers[0]!, unfinished: "a move between this node and beta is under way" };
  assert.equal(answerOf("rscstatus", healthyPair({ peers: [busy] })), "transition\n0");
});

Deno.test("an order about a set names the groups of that set that it can be about", () => {
  const view = healthyPair({ groups: [alphas, betas] });
  assert.deepEqual(chosen("hb_standby", view, "all"), ["web"]);
  assert.deepEqual(chosen("hb_standby", view, "foreign"), []);
  assert.deepEqual(chosen("hb_takeover", view, "foreign"), ["db"]);
  assert.deepEqual(chosen("hb_takeover", view, "local"), []);
});

Deno.test("hb_standby hands the order to the daemon and says so; a refusal is told and ends with 1", async () => {
  const daemon = new FakeDaemon(healthyPair({ groups: [alphas, betas] }));
  await withFakeDaemon(daemon, async (socket) => {
    const environment = { HEARTLINE_SOCKET: socket };
    const done = await heartline(["hb_standby", "local"], { environment });
    assert.deepEqual([done.code, done.stdout], [0, ""]);
    assert.match(done.stderr, /^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d Going standby \[local\]\.\n$/);
    assert.deepEqual(daemon.commands, [{ kind: "standby", groups: ["web"] }]);

    const nothing = await heartline(["hb_standby", "foreign"], { environment });
    assert.equal(nothing.code, 0);
    assert.equal(daemon.commands.length, 1, "an empty set is not all groups");

    daemon.obey = () => ({ accepted: false, message: "maintenance is on" });
    const refused = await heartline(["hb_takeover"], { environment });
    assert.deepEqual([refused.code, refused.stderr], [
      1,
      "hb_takeover: Cannot do takeover: maintenance is on\n",
    ]);

    const wrong = await heartline(["hb_standby", "some"], { environment });
    assert.deepEqual([wrong.code, wrong.stdout], [1, "hb_standby: wrong resources(some).\nusage:\n"]);
  });
});
