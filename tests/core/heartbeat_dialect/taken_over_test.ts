/** The daemon took everything over while it did not hear us, and we come to hear of it. */

import assert from "node:assert/strict";
import { DaemonPuppet, scripts } from "./daemon_puppet.ts";

const ownEach = "web running, db stopped; n2: web stopped, db running";
const legacyGroups = { groups: scripts({ kind: "legacy" }) };

/** In the old family each holds its own. */
function legacyHolder(): DaemonPuppet {
  const puppet = new DaemonPuppet(legacyGroups);
  puppet.beats(200);
  puppet.says("ip-request-resp web");
  puppet.beats(400);
  assert.equal(puppet.states(), ownEach);
  return puppet;
}

for (const result of ["n_stnth", "OK", "unneeded"]) {
  Deno.test(`legacy: a daemon that no longer hears us says stonith … ${result}: all is let go, and ours asked for`, () => {
    const puppet = legacyHolder();
    puppet.says(`stonith n1 ${result}`);
    puppet.beats(400);
    assert.equal(puppet.states(), "web stopped, db stopped; n2: web running, db running");
    assert.ok(puppet.wired.reports("n1").includes("warning heartbeat-fenced-us"));
    puppet.heard();
    puppet.beats(3_000);
    assert.equal(puppet.heard()[0], "ip-request web");
    assert.match(puppet.states(), /^web stopped, db stopped;/);
    puppet.says("ip-request-resp web");
    puppet.beats(400);
    assert.equal(puppet.states(), ownEach);
  });
}

Deno.test("a fencing that failed, or of another node, is no takeover", () => {
  const puppet = legacyHolder();
  for (const words of ["stonith n1 bad", "stonith n1 badhost", "stonith n3 OK"]) puppet.says(words);
  puppet.beats(1_000);
  assert.equal(puppet.states(), ownEach);
});

Deno.test("with statements too a stonith about us is a takeover; what it states next counts", () => {
  const puppet = DaemonPuppet.settled({ groups: scripts({ kind: "off" }) });
  puppet.says("stonith n1 n_stnth");
  puppet.beats(400);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web running, db running");
  puppet.says("resource local 1");
  puppet.beats(400);
  assert.equal(puppet.states(), ownEach);
});

Deno.test("legacy: a daemon that restarted unheard and was alone: all is let go, and ours asked for", () => {
  const puppet = legacyHolder();
  puppet.silence(3_000);
  assert.match(puppet.states(), /^web running, db running;/);
  puppet.heard();
  puppet.restarts(false);
  puppet.beats(3_000);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web running, db running");
  assert.ok(puppet.wired.reports("n1").includes("warning heartbeat-unheard"));
  assert.equal(puppet.heard()[0], "ip-request web");
  puppet.says("ip-request-resp web");
  puppet.beats(400);
  assert.equal(puppet.states(), ownEach);
});

Deno.test("legacy: a daemon whose start is heard has not taken what runs here", () => {
  const puppet = legacyHolder();
  puppet.silence(3_000);
  puppet.restarts();
  puppet.beats(3_000);
  assert.equal(puppet.states(), "web running, db running; n2: web stopped, db stopped");
});

Deno.test("with statements: one that restarted unheard is asked, and what runs here let go until it has answered", () => {
  const puppet = DaemonPuppet.settled({ groups: scripts({ kind: "off" }) });
  puppet.silence(3_000);
  puppet.heard();
  puppet.restarts(false);
  puppet.beats(1_500);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web running, db running");
  assert.ok(puppet.heard().filter((words) => words === "starting").length > 1, "asked until it answers");
  puppet.says("resource local 1");
  puppet.beats(400);
  assert.equal(puppet.states(), ownEach);
});

Deno.test("a stonith about our run before does not end the asking: the daemon gives back what belongs here", () => {
  const puppet = new DaemonPuppet({ groups: scripts({ kind: "on" }) });
  puppet.beats(200);
  puppet.says("stonith n1 unneeded");
  puppet.beats(400);
  puppet.heard();
  puppet.beats(3_000);
  assert.ok(puppet.heard().filter((words) => words === "starting").length > 1, "asked until it answers");
  puppet.says("resource all 1");
  puppet.beats(400);
  assert.match(puppet.heard().join(", "), /resource none 1/);
  puppet.says("ask_resources foreign me");
  puppet.beats(400);
  assert.ok(puppet.heard().includes("ask_resources foreign other"), "ready to take what it gives back");
});

Deno.test("a takeover that ends after we have stated: stability is stated anew, at whose edge the daemon gives back", () => {
  const puppet = new DaemonPuppet({ groups: scripts({ kind: "on" }) });
  puppet.beats(200);
  puppet.says("resource all 1");
  puppet.beats(400);
  puppet.heard();
  puppet.says("resource foreign - mach_down");
  puppet.beats(400);
  assert.deepEqual(puppet.heard(), ["resource none 0", "resource none 1"]);
  puppet.says("resource all 1");
  puppet.beats(400);
  assert.deepEqual(puppet.heard(), []);
});
