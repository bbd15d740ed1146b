/** A planned move that the daemon breaks off in the middle: it ends here too, and nothing starts that may run there. */

import assert from "node:assert/strict";
import { stepMs } from "../../../lib/core/heartbeat_dialect/times.ts";
import { DaemonPuppet, scripts } from "./daemon_puppet.ts";

const ownEach = "web running, db stopped; n2: web stopped, db running";
/** No wire protects these: what is believed of the daemon alone decides. */
const unprotected = { groups: scripts({ kind: "off" }) };

/** We have stopped `web` and said that the daemon may start it. */
function handed(): DaemonPuppet {
  const puppet = DaemonPuppet.settled(unprotected);
  puppet.wired.command("n1", { kind: "standby", groups: [] });
  puppet.says("ask_resources local other");
  puppet.beats(200);
  assert.equal(puppet.heard().at(-1), "ask_resources local done");
  return puppet;
}

/** The daemon offers `db` and we have promised to take it. */
function promised(): DaemonPuppet {
  const puppet = DaemonPuppet.settled(unprotected);
  puppet.says("ask_resources local me");
  assert.deepEqual(puppet.heard(), ["ask_resources local other"]);
  return puppet;
}

const isIdle = (puppet: DaemonPuppet) => puppet.node.heartbeat!.refusal([]) === null;

Deno.test("handed: a statement that it holds what it took ends the move, though its done never came", () => {
  const puppet = handed();
  puppet.says("resource all 0");
  assert.ok(!isIdle(puppet), "not stable yet");
  puppet.says("resource all 1");
  puppet.beats(400);
  assert.ok(isIdle(puppet));
  puppet.beats(10_000);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web running, db running");
});

Deno.test("handed: a stable statement without the set frees nothing, it may be starting it", () => {
  const puppet = handed();
  puppet.says("resource local 1");
  puppet.beats(600_000);
  assert.match(puppet.states(), /^web stopped, db stopped; n2: web stopping,/);
  puppet.says("ask_resources local done");
  puppet.beats(2_000);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web running, db running");
  assert.ok(isIdle(puppet));
});

Deno.test("handed: it declares us dead and takes all: the move is over, and what it then lets go is offered anew", () => {
  const puppet = handed();
  puppet.says("stonith n1 n_stnth");
  puppet.beats(400);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web running, db running");
  puppet.says("resource local 1");
  puppet.beats(2_000);
  assert.equal(puppet.heard().at(-1), "ask_resources local me");
});

Deno.test("handed: what nobody has taken for as long as the daemon waits is asked for, and free when it says so", () => {
  const puppet = handed();
  puppet.beats(stepMs);
  assert.equal(puppet.heard().at(-1), "starting");
  assert.match(puppet.states(), /n2: web unknown, db unknown$/);
  puppet.says("resource local 1");
  puppet.beats(400);
  assert.match(puppet.states(), /n2: web stopped, db running$/);
  assert.equal(puppet.heard().at(-1), "ask_resources local me");
});

Deno.test("promised: an offer that the daemon has given up is over here too, and its next one is answered", () => {
  const puppet = promised();
  puppet.beats(21_000);
  assert.equal(puppet.states(), ownEach);
  assert.ok(isIdle(puppet));
  puppet.heard();
  puppet.says("ask_resources local me");
  assert.ok(puppet.heard().includes("ask_resources local other"));
});

Deno.test("promised: once the daemon has begun to stop, its done is waited for, whatever else it states", () => {
  const puppet = promised();
  puppet.says("resource none 0 standby");
  puppet.says("resource none 1");
  puppet.beats(600_000);
  assert.match(puppet.states(), /db stopped; n2: web stopped, db stopping/);
  puppet.says("ask_resources local done");
  puppet.beats(2_000);
  assert.match(puppet.states(), /^web running, db running;/);
});

Deno.test("promised: it had begun and states that it holds the set again: the move is over", () => {
  const puppet = promised();
  puppet.says("resource local 1");
  puppet.beats(400);
  assert.ok(!isIdle(puppet), "before it has begun this may cross our promise on the wire");
  puppet.says("resource none 0 standby");
  puppet.beats(400);
  puppet.says("resource local 1");
  puppet.beats(2_000);
  assert.ok(isIdle(puppet));
  assert.equal(puppet.states(), ownEach);
});

for (const begun of [true, false]) {
  const how = begun ? "begins" : "is done";
  Deno.test(`promised: a daemon that ${how} after its promise was given up is served all the same`, () => {
    const puppet = promised();
    puppet.beats(21_000);
    if (begun) {
      puppet.says("resource none 0 standby");
      puppet.says("resource none 1");
      puppet.beats(5_000);
      assert.match(puppet.states(), /db stopped; n2: web stopped, db stopping/);
    }
    puppet.says("ask_resources local done");
    puppet.beats(2_000);
    assert.match(puppet.states(), /^web running, db running;/);
  });
}
