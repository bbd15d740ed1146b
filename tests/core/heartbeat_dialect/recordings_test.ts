/** Recordings of an earlier run of the daemon, played to us after our own restart, when we know no run of it. */

import assert from "node:assert/strict";
import { DaemonPuppet, scripts } from "./daemon_puppet.ts";

const families = {
  "with statements": { outline: { groups: scripts({ kind: "off" }) }, words: "resource none 1" },
  legacy: { outline: { groups: scripts({ kind: "legacy" }) }, words: "ip-request-resp web" },
};

for (const [family, { outline, words }] of Object.entries(families)) {
  for (const recorded of [words, "shutdone"]) {
    Deno.test(`${family}: ${recorded} of an earlier run frees nothing before the next heartbeat of the present one`, () => {
      const puppet = new DaemonPuppet(outline);
      puppet.restarts(false);
      puppet.generation = 9;
      puppet.beats(1);
      puppet.says(recorded);
      puppet.silence(190);
      puppet.generation = 12;
      puppet.beats(2_000);
      const started = puppet.wired.reports("n1").filter((report) => report.includes("group-starting"));
      assert.deepEqual(started, []);
    });
  }
}

Deno.test("what a run said before a later one was heard never counts", () => {
  const puppet = new DaemonPuppet(families["with statements"].outline);
  puppet.beats(1);
  puppet.says("resource none 1");
  puppet.restarts();
  puppet.beats(2_000);
  assert.match(puppet.states(), /n2: web unknown, db unknown$/);
});

Deno.test("a run that goes on is believed: what it said first counts two keepalives later", () => {
  const puppet = new DaemonPuppet(families["with statements"].outline);
  puppet.beats(1);
  puppet.says("resource local 1");
  puppet.beats(300);
  assert.match(puppet.states(), /^web stopped,/);
  puppet.beats(400);
  assert.match(puppet.states(), /^web running, db stopped; n2: web stopped, db running/);
});

Deno.test("after a goodbye the wire is asked all the same: it may have been a recording", () => {
  const puppet = DaemonPuppet.settled();
  puppet.wired.wire = () => ({ kind: "answered", address: "10.0.0.2", hardware: "02:00:00:00:00:02" });
  puppet.says("shutdone");
  puppet.beats(2_000);
  puppet.silence(3_000);
  assert.match(puppet.states(), /db stopped;/);
  puppet.wired.wire = () => ({ kind: "silent" });
  puppet.silence(2_000);
  assert.match(puppet.states(), /^web running, db running;/);
});
