/** Operators' commands: what is accepted, what is refused, and the words of the answer. */

import assert from "node:assert/strict";
import { isHeartbeat } from "../../lib/core/effects.ts";
import type { Command } from "../../lib/core/inputs.ts";
import type { ClusterOutline, GroupOutline } from "../../lib/sim/cluster_settings.ts";
import { HandWired } from "./hand_wired.ts";
import { outcome, settings } from "./samples.ts";

const groups = [
  { name: "web", resources: [{ leaseSeconds: 1 }] },
  { name: "mail", resources: ["script" as const] },
  { name: "elsewhere", resources: ["script" as const], nodes: ["n2"] },
];

/** A settled pair; n1 holds `web` and `mail`, n2 holds `elsewhere`. */
function quietPair(outline: Partial<ClusterOutline> = {}): HandWired {
  const wired = new HandWired(settings({ nodes: ["n1", "n2"], groups, ...outline }));
  wired.start("n1");
  wired.start("n2");
  return wired.run(1_000);
}

function alone(): HandWired {
  const wired = quietPair();
  wired.still.add("n2");
  return wired.run(4_000);
}

type Named = "takeover" | "standby" | "release" | "rejoin" | "confirm";
const of = (kind: Named, ...names: string[]): Command => ({ kind, groups: names });
const maintenance = (on: boolean): Command => ({ kind: "maintenance", on });

function after(...commands: Command[]): () => HandWired {
  return () => {
    const wired = quietPair();
    for (const command of commands) {
      wired.command("n1", command);
      wired.run(wired.nowMs + 500);
    }
    return wired;
  };
}

/** n1 was to hand `web` over, and could not stop it. */
function blockedPair(outline: readonly GroupOutline[] = groups): HandWired {
  const wired = quietPair({ groups: outline });
  const answer = wired.answer;
  wired.answer = (run, node) => {
    if (run.operation !== "stop") return answer(run, node);
    return { ...outcome("failed", 1), reason: "it clings to life" };
  };
  wired.command("n1", of("standby", "web"));
  return wired.run(3_000);
}

const whyBlocked =
  "stop of vip:192.0.2.100/24 failed with code 1: it clings to life; stop it by hand, then: " +
  "heartline rejoin web";

const cases:
  readonly (readonly [name: string, make: () => HandWired, node: string, Command, answer: string])[] = [
    ["takeover of what runs elsewhere", quietPair, "n2", of("takeover", "web"), "accepted: taking web"],
    ["takeover of all", quietPair, "n2", of("takeover"), "accepted: taking web, mail"],
    [
      "takeover of what runs here",
      quietPair,
      "n1",
      of("takeover", "web"),
      "accepted: nothing to take: web runs here",
    ],
    [
      "takeover of several that run here",
      quietPair,
      "n1",
      of("takeover", "web", "mail"),
      "accepted: nothing to take: web, mail run here",
    ],
    [
      "takeover of what this node is not configured for",
      quietPair,
      "n1",
      of("takeover", "elsewhere"),
      "refused: this node is not in the node list of elsewhere: ask n2",
    ],
    [
      "takeover in maintenance",
      after(maintenance(true)),
      "n2",
      of("takeover", "web"),
      "refused: maintenance is on: switch it off first (heartline maintenance off)",
    ],
    [
      "takeover by a node that has just started",
      () => {
        const wired = new HandWired(settings({ nodes: ["n1", "n2"], groups }));
        wired.start("n1");
        return wired;
      },
      "n1",
      of("takeover", "web"),
      "refused: this node is still waiting to hear from the other nodes",
    ],
    [
      "takeover by an isolated node",
      () => {
        const wired = quietPair({ arbiter: { kind: "release" } });
        wired.still.add("n2");
        return wired.run(6_000);
      },
      "n1",
      of("takeover", "web"),
      "refused: this node is isolated: neither a peer nor an arbiter answers",
    ],
    [
      "takeover without a carrier",
      () => {
        const wired = quietPair();
        wired.step("n2", { kind: "carrier", group: "web", device: "service", isUp: false });
        return wired;
      },
      "n2",
      of("takeover", "web"),
      "refused: cannot take web: no carrier on service",
    ],
    [
      "takeover of a group that is not known",
      quietPair,
      "n1",
      of("takeover", "wbe", "web"),
      'refused: unknown group "wbe": the groups are web, mail, elsewhere',
    ],
    ["standby", quietPair, "n1", of("standby"), "accepted: handing over web to n2, mail to n2"],
    [
      "standby of what is not held here",
      quietPair,
      "n2",
      of("standby", "web"),
      "accepted: nothing is held here",
    ],
    [
      "standby with nobody else",
      alone,
      "n1",
      of("standby", "mail"),
      "refused: no other node can take mail now; to stop it all the same: heartline release mail",
    ],
    [
      "standby in maintenance",
      after(maintenance(true)),
      "n1",
      of("standby", "web"),
      "refused: maintenance is on: switch it off first (heartline maintenance off)",
    ],
    [
      "takeover of what is blocked here",
      () => blockedPair(),
      "n1",
      of("takeover"),
      `refused: cannot take web: web is blocked here: ${whyBlocked}`,
    ],
    [
      "takeover of what is blocked elsewhere",
      () => blockedPair(),
      "n2",
      of("takeover", "web"),
      "refused: cannot take web: web is blocked on n1: stop it by hand there, then run there: heartline rejoin web",
    ],
    [
      "standby of what is blocked here",
      () => blockedPair(),
      "n1",
      of("standby", "web"),
      `refused: cannot hand over web: web is blocked here: ${whyBlocked}`,
    ],
    [
      "release with nobody else",
      alone,
      "n1",
      of("release", "web"),
      "accepted: releasing web; this node stays out until heartline takeover or rejoin",
    ],
    [
      "release in maintenance",
      after(maintenance(true)),
      "n1",
      of("release", "web"),
      "refused: maintenance is on: switch it off first (heartline maintenance off)",
    ],
    [
      "rejoin",
      after(of("release", "web")),
      "n1",
      of("rejoin", "web"),
      "accepted: this node may hold web again",
    ],
    [
      "a confirmation that nobody waits for",
      quietPair,
      "n1",
      of("confirm"),
      "refused: no takeover is waiting for a confirmation",
    ],
    [
      "maintenance on",
      quietPair,
      "n1",
      maintenance(true),
      "accepted: maintenance is on in the whole cluster: nothing is taken, given up, monitored or moved",
    ],
    [
      "maintenance off",
      after(maintenance(true)),
      "n1",
      maintenance(false),
      "accepted: maintenance is off: the cluster acts by itself again",
    ],
    [
      "shutdown",
      quietPair,
      "n1",
      { kind: "shutdown" },
      "accepted: shutting down: handing over what is held here",
    ],
  ];

for (const [name, make, node, command, answer] of cases) {
  Deno.test(`${name}: ${answer.slice(0, 8)}`, () => {
    assert.equal(make().command(node, command), answer);
  });
}

Deno.test("a refused command changes nothing that is told to others, an accepted one is told at once", () => {
  const told = (wired: HandWired) => {
    const sent = wired.log.findLast(({ node, effect }) => node === "n2" && isHeartbeat(effect))!.effect;
    assert.ok(sent.kind === "send");
    return { ...sent.statement, settledForMs: 0 };
  };
  const wired = quietPair();
  const before = told(wired);
  wired.command("n2", of("takeover", "wbe"));
  assert.deepEqual(told(wired), before);
  wired.command("n2", of("takeover", "web"));
  assert.deepEqual(told(wired).groups?.web?.pin, { node: "n2", version: 1 });
});

Deno.test("a takeover that is refused for one group lifts no release of another", () => {
  const wired = quietPair();
  wired.command("n2", of("release", "web"));
  wired.step("n2", { kind: "carrier", group: "mail", device: "service", isUp: false });
  assert.equal(
    wired.command("n2", of("takeover", "web", "mail")),
    "refused: cannot take mail: no carrier on service",
  );
  assert.equal(wired.nodes.get("n2")!.view().groups[0]!.able, false);
});

Deno.test("a release that maintenance refused stops nothing when another node ends maintenance", () => {
  const wired = after(maintenance(true), of("release", "web"))();
  wired.command("n2", maintenance(false));
  wired.run(wired.nowMs + 1_000);
  assert.equal(wired.nodes.get("n1")!.view().groups[0]!.state, "running");
});

Deno.test("every command has exactly one answer and one report of it", () => {
  for (const command of [of("takeover"), of("confirm"), of("release", "x"), maintenance(true)]) {
    const effects = quietPair().step("n1", { kind: "command", command });
    assert.equal(effects.filter(({ kind }) => kind === "answer").length, 1);
    const code = `command-${command.kind}`;
    assert.equal(effects.filter((each) => each.kind === "report" && each.code === code).length, 1);
  }
});

Deno.test("a blocked group says why, from the first failed stop on, and from the one after a rejoin", () => {
  const wired = blockedPair();
  const reason = () => wired.nodes.get("n1")!.view().groups[0]!.reason;
  assert.equal(reason(), whyBlocked);
  wired.answer = ({ operation }) =>
    operation === "stop" ? { ...outcome("failed", 2), reason: "and how" } : null;
  wired.command("n1", of("rejoin", "web"));
  assert.match(reason(), /^stopping it once more/);
  wired.run(4_000);
  assert.match(reason(), /failed with code 2: and how; stop it by hand/);
});

Deno.test("a reboot that does not happen is an alarm until the group is stopped after all", () => {
  const wired = blockedPair([{ ...groups[0]!, onStopFail: "reboot" }]);
  const ordered = wired.log.flatMap(({ effect }) => effect.kind === "reboot" ? [effect] : []);
  assert.deepEqual(ordered, [{ kind: "reboot", group: "web", reason: whyBlocked.split(";")[0] }]);
  wired.step("n1", { kind: "reboot-failed", group: "web", reason: "no program" });
  const alarms = () => wired.nodes.get("n1")!.view().alarms.map(({ code, sentence }) => [code, sentence]);
  assert.deepEqual(alarms()[1], [
    "reboot-failed",
    "this machine was to reboot, since web could not be stopped, and does not: no program. Reboot it by hand; or " +
    "stop web by hand, then: heartline rejoin web",
  ]);
  wired.answer = ({ operation }) => outcome(operation === "start" ? "running" : "stopped");
  wired.command("n1", of("rejoin", "web"));
  wired.run(5_000);
  wired.step("n1", { kind: "reboot-failed", group: "web", reason: "this comes too late" });
  assert.deepEqual(alarms(), []);
});

Deno.test("rejoin looks at a blocked group again: once it can be stopped, others take it", () => {
  const wired = quietPair();
  let isStuck = true;
  const answer = wired.answer;
  wired.answer = (run, node) =>
    isStuck && run.operation === "stop" ? outcome("failed", 1) : answer(run, node);
  wired.command("n1", of("standby", "web"));
  wired.run(3_000);
  const state = (node: string) => wired.nodes.get(node)!.view().groups[0]!.state;
  assert.deepEqual([state("n1"), state("n2")], ["blocked", "stopped"]);
  wired.command("n1", of("rejoin", "web"));
  wired.run(5_000);
  assert.deepEqual([state("n1"), state("n2")], ["blocked", "stopped"]);
  isStuck = false;
  wired.command("n1", of("rejoin", "web"));
  wired.run(7_000);
  assert.deepEqual([state("n1"), state("n2")], ["stopped", "running"]);
  assert.deepEqual(wired.nodes.get("n1")!.view().alarms, []);
});

Deno.test("a takeover lifts a release and a recorded failure of this node", () => {
  const wired = after(of("release", "web"))();
  assert.equal(wired.nodes.get("n1")!.view().groups[0]!.able, false);
  wired.command("n1", of("takeover", "web"));
  wired.run(wired.nowMs + 500);
  assert.equal(wired.nodes.get("n1")!.view().groups[0]!.state, "running");
});
