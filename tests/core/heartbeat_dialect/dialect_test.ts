import assert from "node:assert/strict";
import { outcome } from "../samples.ts";
import { DaemonPuppet, scripts } from "./daemon_puppet.ts";

const ownEach = "web running, db stopped; n2: web stopped, db running";

Deno.test("both start: our own set is taken without the ten seconds, its own is left to it", () => {
  const puppet = new DaemonPuppet();
  puppet.beats(200);
  assert.deepEqual(puppet.heard(), ["starting"]);
  puppet.says("starting");
  puppet.says("resource none 0");
  puppet.beats(400);
  const heard = puppet.heard();
  assert.equal(heard.at(-1), "resource local 1");
  assert.equal(puppet.states(), "web running, db stopped; n2: web stopped, db stopped");
  assert.match(puppet.node.heartbeat!.objection("db")!, /is about to take part and may take it itself/);
  puppet.beats(12_000);
  assert.equal(
    puppet.states(),
    "web running, db stopped; n2: web stopped, db stopped",
    "not stable, not ours",
  );
  puppet.says("resource local 1");
  assert.deepEqual(puppet.heard(), ["resource local 1"], "its edge to stable is answered");
  puppet.beats(400);
  assert.equal(puppet.states(), ownEach);
});

Deno.test("nothing is started before the daemon has said what it holds; it is asked again and again", () => {
  const puppet = new DaemonPuppet();
  puppet.beats(3_500);
  assert.deepEqual(puppet.heard(), ["starting", "starting", "starting", "starting"]);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web unknown, db unknown");
});

Deno.test("we join a daemon that holds all, without failback: it keeps all", () => {
  const puppet = new DaemonPuppet();
  puppet.beats(200);
  puppet.says("resource all 1");
  puppet.beats(3_000);
  assert.deepEqual(puppet.heard(), ["starting", "resource none 1"]);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web running, db running");
});

Deno.test("hb_standby over there: we take when it has said done, not while it lets go", () => {
  const puppet = DaemonPuppet.settled();
  puppet.says("ask_resources local me");
  assert.deepEqual(puppet.heard(), ["ask_resources local other"]);
  assert.match(puppet.node.heartbeat!.objection("db")!, /waiting until n2 has let go/);
  puppet.says("resource none 0 standby");
  puppet.beats(1_000);
  assert.equal(puppet.states(), "web running, db stopped; n2: web stopped, db stopping");
  assert.deepEqual(puppet.heard(), []);
  puppet.says("ask_resources local done");
  puppet.beats(400);
  assert.deepEqual(puppet.heard(), ["ask_resources local done", "resource all 1"]);
  assert.equal(puppet.states(), "web running, db running; n2: web stopped, db stopped");
});

Deno.test("a standby is not answered while something is started here, or in maintenance", () => {
  const puppet = DaemonPuppet.settled();
  puppet.wired.command("n1", { kind: "maintenance", on: true });
  puppet.says("ask_resources local me");
  puppet.beats(400);
  assert.deepEqual(puppet.heard(), []);
  assert.ok(puppet.wired.reports("n1").includes("warning standby-refused"));
});

Deno.test("our standby: offered, let go after its answer, done when all is stopped", () => {
  const puppet = DaemonPuppet.settled();
  assert.match(puppet.wired.command("n1", { kind: "standby", groups: [] }), /^accepted/);
  assert.deepEqual(puppet.heard(), ["ask_resources local me"]);
  puppet.beats(400);
  assert.equal(puppet.states(), ownEach, "kept until somebody is ready to take it");
  puppet.says("ask_resources local other");
  puppet.beats(200);
  assert.deepEqual(puppet.heard(), ["resource none 0 standby", "ask_resources local done"]);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web starting, db running");
  puppet.says("resource all 1");
  puppet.says("ask_resources local done");
  puppet.beats(400);
  assert.deepEqual(puppet.heard(), ["resource none 1"]);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web running, db running");
});

Deno.test("our standby: done is not said while a stop is under way", () => {
  const puppet = DaemonPuppet.settled();
  puppet.wired.answer = ({ operation }) => operation === "stop" ? null : outcome("running");
  puppet.wired.command("n1", { kind: "standby", groups: [] });
  puppet.says("ask_resources local other");
  puppet.beats(20_000);
  assert.deepEqual(puppet.heard(), ["ask_resources local me", "resource none 0 standby"]);
  assert.equal(puppet.states(), "web stopping, db stopped; n2: web stopped, db running");
});

Deno.test("an offer that nobody answers is withdrawn: the group stays, and the order ends", () => {
  const puppet = DaemonPuppet.settled();
  puppet.wired.command("n1", { kind: "standby", groups: [] });
  puppet.beats(30_000);
  assert.deepEqual(puppet.heard(), ["ask_resources local me"]);
  assert.equal(puppet.states(), ownEach);
  assert.ok(puppet.wired.reports("n1").includes("warning standby-cancelled"));
});

Deno.test("our takeover asks the daemon to go standby, and gives up when it does not", () => {
  const puppet = DaemonPuppet.settled();
  puppet.wired.command("n1", { kind: "takeover", groups: ["db"] });
  assert.deepEqual(puppet.heard(), ["hb_takeover foreign"]);
  puppet.beats(60_000);
  assert.deepEqual(puppet.heard(), ["hb_takeover foreign", "hb_takeover foreign"]);
  assert.equal(puppet.states(), ownEach);
  assert.ok(puppet.wired.reports("n1").includes("warning takeover-unanswered"));
});

Deno.test("an order about a part of a set is refused by name", () => {
  const web = { nodes: ["n1", "n2"], failback: { kind: "off" }, resources: ["script"] } as const;
  const puppet = new DaemonPuppet({ groups: [{ ...web, name: "web" }, { ...web, name: "mail" }] });
  puppet.beats(200);
  puppet.says("resource local 1");
  puppet.beats(400);
  assert.equal(
    puppet.wired.command("n1", { kind: "standby", groups: ["web"] }),
    "refused: cannot hand over web: the Heartbeat daemon of n2 moves all groups of a node together: " +
      "name mail too, or none for all",
  );
  assert.match(puppet.wired.command("n1", { kind: "standby", groups: ["web", "mail"] }), /^accepted/);
  assert.equal(
    puppet.wired.command("n1", { kind: "standby", groups: [] }),
    "refused: cannot hand over web, mail: a move between this node and n2 is under way: " +
      "heartline status tells when that is over",
  );
});

Deno.test("what the two are in the middle of can be read until a move is over on both sides", () => {
  const puppet = DaemonPuppet.settled();
  const unfinished = () => puppet.node.view().peers[0]!.unfinished;
  const move = "a move between this node and n2 is under way";
  assert.equal(unfinished(), null);
  puppet.wired.command("n1", { kind: "standby", groups: ["web"] });
  for (const words of ["ask_resources local other", "resource local 0 standby"]) {
    assert.equal(unfinished(), move);
    puppet.says(words);
    puppet.beats(400);
  }
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web stopping, db running");
  assert.equal(unfinished(), move, "nothing but the end of the move tells that it is not held");
  puppet.says("ask_resources local done");
  assert.equal(unfinished(), "the Heartbeat daemon of n2 is in the middle of something");
  puppet.says("resource all 1");
  assert.equal(unfinished(), null);
});

Deno.test("hb_takeover over there: what runs here is offered", () => {
  const puppet = DaemonPuppet.settled();
  puppet.says("hb_takeover foreign");
  assert.deepEqual(puppet.heard(), ["ask_resources local me"]);
});

Deno.test("it shuts down: we take when it has said shutdone, and its last heartbeats do not bring it back", () => {
  const puppet = DaemonPuppet.settled();
  puppet.says("resource none 0 shutdown");
  puppet.beats(1_000);
  assert.equal(puppet.states(), "web running, db stopped; n2: web stopped, db stopping");
  puppet.says("shutdone");
  puppet.beats(400);
  assert.equal(puppet.states(), "web running, db running; n2: web stopped, db stopped");
  puppet.beats(1_600);
  puppet.silence(2_000);
  assert.equal(puppet.node.roster.peer("n2")!.hasLeft, true);
  assert.ok(!puppet.wired.reports("n1").includes("alarm node-dead"));
});

Deno.test("we shut down: shutdone comes after the last stop", () => {
  const puppet = DaemonPuppet.settled();
  const stops: string[] = [];
  puppet.wired.answer = ({ operation }) => {
    stops.push(operation);
    return null;
  };
  puppet.wired.command("n1", { kind: "shutdown" });
  puppet.beats(400);
  assert.deepEqual(puppet.heard(), ["resource none 0 shutdown"]);
  assert.ok(stops.includes("stop"));
});

Deno.test("its crash: taken when the wire is silent, with the fencing result that Heartbeat tells", () => {
  const puppet = DaemonPuppet.settled();
  puppet.silence(2_000);
  assert.deepEqual(puppet.heard(), ["stonith n2 n_stnth"]);
  assert.match(puppet.states(), /^web running, db running;/);
});

Deno.test("out of view it may still hear us: it goes on being asked to wait for our leases", () => {
  const puppet = DaemonPuppet.settled();
  puppet.silence(3_000);
  const sent = puppet.wired.log.map(({ effect }) => effect);
  const beat = sent.findLast((effect) => effect.kind === "send" && effect.type === "status");
  assert.ok(beat?.kind === "send");
  assert.deepEqual(beat.fields.find(([name]) => name === "dt"), ["dt", (1_300).toString(16)]);
});

Deno.test("its daemon is killed and its address answers: not taken until the address is gone", () => {
  const puppet = DaemonPuppet.settled();
  puppet.wired.wire = () => ({ kind: "answered", address: "10.0.0.2", hardware: "02:00:00:00:00:02" });
  puppet.silence(10_000);
  assert.match(puppet.states(), /^web running, db stopped;/);
  assert.ok(puppet.wired.reports("n1").includes("alarm wire-veto"));
  puppet.wired.wire = () => ({ kind: "silent" });
  puppet.silence(2_000);
  assert.match(puppet.states(), /^web running, db running;/);
});

Deno.test("it is killed and started again with its address left: it says none, and the wire is asked all the same", () => {
  const puppet = new DaemonPuppet();
  puppet.beats(200);
  puppet.says("resource all 1");
  puppet.beats(400);
  puppet.wired.wire = () => ({ kind: "answered", address: "10.0.0.2", hardware: "02:00:00:00:00:02" });
  puppet.restarts();
  puppet.beats(200);
  puppet.says("starting");
  puppet.says("resource none 0");
  puppet.beats(3_000);
  assert.match(puppet.states(), /^web stopped, db stopped; n2: web stopped, db stopped/);
  assert.ok(puppet.wired.reports("n1").includes("alarm address-in-use"));
});

Deno.test("a healed partition: we let go at once, and take when the daemon has restarted itself", () => {
  const puppet = DaemonPuppet.settled();
  puppet.silence(3_000);
  assert.match(puppet.states(), /^web running, db running;/);
  puppet.heard();
  const healedMs = puppet.wired.nowMs;
  puppet.beats(100);
  assert.match(puppet.states(), /^web stopp(ing|ed), db stopp(ing|ed); n2: web running, db running/);
  const drops = puppet.wired.log.filter(({ atMs, effect }) => atMs === healedMs && effect.kind === "drop");
  assert.equal(drops.length, 2, "the addresses go in the very step");
  puppet.beats(1_900);
  assert.match(puppet.states(), /^web stopped, db stopped;/);
  puppet.says("resource none 0 shutdown");
  puppet.says("shutdone");
  puppet.beats(400);
  assert.match(puppet.states(), /^web running, db running;/);
});

Deno.test("a claim of our address is the daemon's takeover when it has been silent for two keepalives", () => {
  const claim = { kind: "claim", group: "web", address: "10.0.0.1", hardware: "02:00:00:00:00:02" } as const;
  const puppet = DaemonPuppet.settled();
  puppet.wired.step("n1", claim);
  assert.ok(puppet.wired.reports("n1").includes("warning rival-claim"), "a stranger's: defended");
  assert.match(puppet.states(), /^web running,/);
  puppet.silence(450);
  const effects = puppet.wired.step("n1", claim);
  assert.ok(effects.some((effect) => effect.kind === "drop" && effect.group === "web"));
  puppet.says("shutdone");
  puppet.beats(400);
  puppet.silence(3_000);
  puppet.wired.step("n1", claim);
  assert.match(puppet.states(), /^web running,/, "one that said goodbye takes nothing");
});

Deno.test("a daemon that states what we hold has taken it: we let go at once", () => {
  const puppet = DaemonPuppet.settled();
  puppet.says("resource all 1 req_our_resources()");
  puppet.beats(100);
  assert.match(puppet.states(), /^web stopped, db stopped; n2: web running, db running/);
});

Deno.test("our own stall: all is given up, and taken back only after the daemon has said what it holds", () => {
  const puppet = DaemonPuppet.settled();
  puppet.wired.still.add("n1");
  puppet.silence(2_000);
  puppet.wired.still.delete("n1");
  puppet.beats(1_500);
  assert.match(puppet.states(), /^web stopped, db stopped; n2: web unknown, db unknown/);
  puppet.says("resource all 1");
  puppet.beats(2_000);
  assert.match(puppet.states(), /^web stopped, db stopped; n2: web running, db running/);
});

Deno.test("a goodbye that was held back until the daemon restarted is none of its new run", () => {
  const puppet = DaemonPuppet.settled();
  puppet.loses();
  puppet.says("shutdone");
  puppet.beats(400);
  puppet.restarts();
  puppet.beats(400);
  puppet.says("starting");
  puppet.says("resource local 1");
  puppet.beats(2_000);
  assert.equal(puppet.states(), ownEach);
});

Deno.test("it hears us no more, and a message is lost for good: what it says of its takeover is heard all the same", () => {
  const puppet = DaemonPuppet.settled();
  const lost = puppet.loses();
  puppet.says("resource all 1");
  puppet.beats(6_000);
  const taken = "web stopped, db stopped; n2: web running, db running";
  assert.equal(puppet.states(), taken);
  puppet.says("resource none 1", lost);
  puppet.beats(1_000);
  assert.equal(puppet.states(), taken, "what it said before that frees nothing");
});

Deno.test("a second stall while we still listen: what the daemon said in between proves nothing", () => {
  const puppet = DaemonPuppet.settled({ groups: scripts({ kind: "off" }) });
  stall(puppet, 2_000);
  puppet.says("resource local 1");
  stall(puppet, 5_000);
  puppet.beats(2_000);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web unknown, db unknown");
  puppet.says("resource all 1");
  puppet.beats(2_000);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web running, db running");
});

Deno.test("reqnodes is answered with exactly the configured nodes", () => {
  const puppet = DaemonPuppet.settled();
  puppet.says("reqnodes");
  assert.deepEqual(puppet.heard(), ["repnodes n1 n2 "]);
});

Deno.test("a daemon that asks without end is answered a bounded number of times, and again when it asks with measure", () => {
  for (
    const [question, answer] of [["reqnodes", "repnodes n1 n2 "], ["starting", "resource local 1"]] as const
  ) {
    const puppet = DaemonPuppet.settled();
    for (let n = 0; n < 1_000; n++) {
      puppet.says(question);
      if (n % 100 === 0) puppet.beats(100);
    }
    const answers = puppet.heard().length;
    assert.ok(answers >= 5 && answers <= 20, `${answers} answers to ${question}`);
    puppet.beats(2_000);
    puppet.heard();
    puppet.says(question);
    assert.deepEqual(puppet.heard(), [answer]);
  }
});

Deno.test("failback on: the daemon that returns is given its own when it is stable", () => {
  const failback = { kind: "on" } as const;
  const groups = [{ name: "db", nodes: ["n2", "n1"], failback, resources: [{ leaseSeconds: 1 }] }];
  const puppet = new DaemonPuppet({ groups });
  puppet.silence(3_000);
  assert.match(puppet.states(), /^db running;/);
  puppet.beats(200);
  puppet.says("starting");
  puppet.says("resource none 0");
  puppet.beats(1_000);
  assert.deepEqual(puppet.heard(), ["starting", "resource all 1"]);
  puppet.says("resource none 1");
  puppet.says("ask_resources foreign other");
  puppet.beats(200);
  assert.deepEqual(puppet.heard(), [
    "resource all 1",
    "ask_resources foreign me",
    "resource local 0 standby",
    "ask_resources foreign done",
  ]);
});

function stall(puppet: DaemonPuppet, forMs: number): void {
  puppet.wired.still.add("n1");
  puppet.silence(forMs);
  puppet.wired.still.delete("n1");
  puppet.beats(200);
}

const legacyGroups = { groups: scripts({ kind: "legacy" }) };

Deno.test("legacy: ours is asked for and taken when it is given, its own is left to the daemon", () => {
  const puppet = new DaemonPuppet(legacyGroups);
  puppet.beats(1_500);
  assert.deepEqual(puppet.heard(), ["ip-request web", "ip-request web"]);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web unknown, db running");
  puppet.says("ip-request-resp web");
  puppet.beats(400);
  assert.equal(puppet.states(), "web running, db stopped; n2: web stopped, db running");
});

Deno.test("legacy: a daemon that is slow to give is asked less and less often, since it works off every request", () => {
  const puppet = new DaemonPuppet(legacyGroups);
  puppet.beats(60_000);
  assert.equal(puppet.heard().length, 6, "after 1, 3, 7, 15 and 31 s");
  puppet.restarts();
  puppet.beats(1_500);
  assert.equal(puppet.heard().length, 2, "one that was started anew, as at the begin");
});

Deno.test("legacy: after our own stall ours is asked for again, since the daemon may have taken it", () => {
  const puppet = new DaemonPuppet(legacyGroups);
  puppet.beats(1_500);
  puppet.says("ip-request-resp web");
  puppet.beats(400);
  stall(puppet, 5_000);
  puppet.heard();
  puppet.beats(2_000);
  assert.equal(puppet.states(), "web stopped, db stopped; n2: web unknown, db running");
  assert.equal(puppet.heard()[0], "ip-request web");
  puppet.says("ip-request-resp web");
  puppet.beats(400);
  assert.equal(puppet.states(), "web running, db stopped; n2: web stopped, db running");
});

Deno.test("legacy: what the daemon asks for is stopped first and then given", () => {
  const puppet = new DaemonPuppet(legacyGroups);
  puppet.silence(3_000);
  assert.match(puppet.states(), /^web running, db running;/);
  puppet.beats(200);
  assert.deepEqual(puppet.heard(), []);
  assert.equal(puppet.states(), "web running, db running; n2: web stopped, db stopped");
  puppet.says("ip-request db");
  assert.deepEqual(puppet.heard(), [], "not before it is stopped");
  puppet.beats(200);
  assert.deepEqual(puppet.heard(), ["ip-request-resp db"]);
  assert.equal(puppet.states(), "web running, db stopped; n2: web stopped, db running");
});

Deno.test("legacy here and not there, or the other way round, is an alarm", () => {
  const puppet = new DaemonPuppet(legacyGroups);
  puppet.beats(400);
  puppet.says("starting");
  assert.ok(puppet.wired.reports("n1").includes("alarm failback-differs"));
  const other = DaemonPuppet.settled();
  other.says("ip-request db");
  assert.ok(other.wired.reports("n1").includes("alarm failback-differs"));
});
