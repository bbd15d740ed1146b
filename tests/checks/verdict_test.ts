/** The verdict, from evidence alone: the table of DESIGN section 6 and all pairs around it. */

import assert from "node:assert/strict";
import type { Evidence } from "../../lib/checks/evidence.ts";
import { type Alive, factsOf, type Place, type Serves } from "../../lib/checks/facts.ts";
import { type CheckQuestion, type Role, roles } from "../../lib/checks/question.ts";
import { judge, type VerdictCode, worst } from "../../lib/checks/verdict.ts";
import { severityOf, verdictCode } from "../../lib/checks/verdict_table.ts";
import {
  answers,
  daemon,
  device,
  echo,
  own,
  PRIMARY,
  primaryHardware,
  question,
  service,
  STANDBY,
  standbyHardware,
  strangerHardware,
  VIP,
  vrrp,
} from "./makers.ts";

const tcp = [{ kind: "tcp", address: null, port: 80 }] as const;
const primaryLives = [echo(PRIMARY, 16), answers(PRIMARY, [primaryHardware])];
const primarySilent = [echo(PRIMARY, 0), answers(PRIMARY, [])];
const standbyLives = [echo(STANDBY, 16), answers(STANDBY, [standbyHardware])];

/** In no subnet of this machine. */
const unplaced = { ...own(false), device: null } as Evidence;

interface Case {
  readonly what: string;
  readonly role: Role;
  readonly asked?: Partial<CheckQuestion>;
  readonly evidence: readonly Evidence[];
  readonly code: VerdictCode;
}

/** VRRP elects the holder, and no file or flag says who is preferred. */
const elected = {
  vips: [{ address: VIP, family: 4, device: "eth0", group: null, virtualRouter: 51, isElected: true }],
} as const;
const aloneHere = [own(true), answers(VIP, []), vrrp(STANDBY, "out", 3, 100)];

const cases: readonly Case[] = [
  {
    what: "here by VRRP's election, uncontested where the other node is reached",
    role: "standby",
    asked: elected,
    evidence: [...aloneHere, ...primaryLives],
    code: "held-here-by-right",
  },
  {
    what: "the same where the file or a flag says that this is the standby",
    role: "standby",
    evidence: [...aloneHere, ...primaryLives],
    code: "split-brain-likely",
  },
  {
    what: "elected, and the other node is reached over another link only: it may have elected itself",
    role: "standby",
    asked: elected,
    evidence: [...aloneHere, echo(PRIMARY, 16), answers(PRIMARY, [])],
    code: "split-brain-likely",
  },
  {
    what: "elected, and the other node answers for the address too",
    role: "standby",
    asked: elected,
    evidence: [own(true), answers(VIP, [primaryHardware]), vrrp(STANDBY, "out", 3, 100), ...primaryLives],
    code: "split-brain",
  },
  {
    what: "elected, and nothing of ours is heard: the daemon here is not the one that holds it",
    role: "standby",
    asked: elected,
    evidence: [own(true), answers(VIP, []), ...primaryLives],
    code: "split-brain-likely",
  },
  { what: "not here", role: "standby", evidence: [own(false), ...primaryLives], code: "not-here" },
  {
    what: "not here, at the primary",
    role: "standby",
    evidence: [own(false), answers(VIP, [primaryHardware]), ...primaryLives],
    code: "held-by-primary",
  },
  {
    what: "not here, and nobody answers",
    role: "standby",
    evidence: [own(false), answers(VIP, []), ...primarySilent],
    code: "not-here",
  },
  {
    what: "here, primary silent on all paths, its service too",
    role: "standby",
    asked: { services: tcp },
    evidence: [own(true), answers(VIP, []), ...primarySilent, service("silent"), device(true)],
    code: "taken-over",
  },
  {
    what: "here, nothing known of the primary",
    role: "standby",
    asked: { nodes: [] },
    evidence: [own(true), answers(VIP, [])],
    code: "taken-over-unverified",
  },
  {
    what: "here, and no interface of ours carries",
    role: "standby",
    evidence: [own(true), ...primarySilent, device(false)],
    code: "taken-over-unverified",
  },
  {
    what: "here, primary alive by ICMP alone",
    role: "standby",
    evidence: [own(true), answers(VIP, []), echo(PRIMARY, 1), answers(PRIMARY, [])],
    code: "split-brain-likely",
  },
  {
    what: "here, primary alive by ARP alone",
    role: "standby",
    evidence: [own(true), echo(PRIMARY, 0), answers(PRIMARY, [primaryHardware])],
    code: "split-brain-likely",
  },
  {
    what: "here, the primary's machine refuses the service and so lives",
    role: "standby",
    asked: { services: tcp },
    evidence: [own(true), ...primarySilent, service("refuses")],
    code: "split-brain-likely",
  },
  {
    what: "here, primary alive, service answers",
    role: "standby",
    asked: { services: tcp },
    evidence: [own(true), ...primaryLives, service("answers")],
    code: "split-brain",
  },
  {
    what: "here, primary silent, and what answers is the service of the address, by a name: it is ours",
    role: "standby",
    asked: { services: tcp },
    evidence: [own(true), answers(VIP, []), ...primarySilent, service("answers", [VIP])],
    code: "taken-over",
  },
  {
    what: "here, primary silent, and what answers may be any of two addresses, one of them ours",
    role: "standby",
    asked: { services: tcp },
    evidence: [own(true), answers(VIP, []), ...primarySilent, service("answers", [PRIMARY, STANDBY])],
    code: "taken-over",
  },
  {
    what: "here, primary silent, and what answers is a name that was not resolved",
    role: "standby",
    asked: { services: tcp },
    evidence: [own(true), answers(VIP, []), ...primarySilent, service("answers", [])],
    code: "taken-over",
  },
  {
    what: "here, primary alive, and its service answers by a name",
    role: "standby",
    asked: { services: tcp },
    evidence: [own(true), ...primarySilent, service("answers", [PRIMARY])],
    code: "split-brain",
  },
  {
    what: "here, primary alive, service fails",
    role: "standby",
    asked: { services: tcp },
    evidence: [own(true), ...primaryLives, service("fails")],
    code: "split-brain-likely",
  },
  {
    what: "here, and the primary's hardware answers too",
    role: "standby",
    evidence: [own(true), answers(VIP, [primaryHardware]), ...primaryLives],
    code: "split-brain",
  },
  {
    what: "here, primary heard by the daemon only",
    role: "standby",
    evidence: [own(true), ...primarySilent, daemon([], "alive")],
    code: "split-brain-likely",
  },
  {
    what: "here by right: the primary is back and states that it has it not",
    role: "standby",
    evidence: [own(true), answers(VIP, []), ...primaryLives, daemon(["node2"], "alive")],
    code: "held-here-by-right",
  },
  {
    what: "stated by right, but the primary's hardware answers",
    role: "standby",
    evidence: [own(true), answers(VIP, [primaryHardware]), ...primaryLives, daemon(["node2"], "alive")],
    code: "split-brain",
  },
  {
    what: "stated by right, but the primary is out of the daemon's view",
    role: "standby",
    evidence: [own(true), answers(VIP, []), ...primaryLives, daemon(["node2"], "down")],
    code: "split-brain-likely",
  },
  {
    what: "the daemons state two holders although the wire is silent",
    role: "standby",
    evidence: [own(true), answers(VIP, []), ...primaryLives, daemon(["node1", "node2"], "alive")],
    code: "split-brain",
  },
  {
    what: "two others at the same time",
    role: "standby",
    evidence: [own(false), answers(VIP, [primaryHardware, strangerHardware]), ...primaryLives],
    code: "split-brain",
  },
  {
    what: "one other after another",
    role: "observer",
    evidence: [
      answers(VIP, [[primaryHardware, 1, 7], [standbyHardware, 8, 16]]),
      ...primaryLives,
      ...standbyLives,
    ],
    code: "moving",
  },
  { what: "it came here while we looked", role: "standby", evidence: [own(true, false)], code: "moving" },
  {
    what: "here, nobody else has it",
    role: "primary",
    evidence: [own(true), answers(VIP, []), ...standbyLives],
    code: "held-here",
  },
  {
    what: "here, the standby answers too",
    role: "primary",
    evidence: [own(true), answers(VIP, [standbyHardware]), ...standbyLives],
    code: "split-brain",
  },
  {
    what: "at the standby",
    role: "primary",
    evidence: [own(false), answers(VIP, [standbyHardware]), ...standbyLives],
    code: "held-by-standby",
  },
  { what: "nowhere", role: "primary", evidence: [own(false), answers(VIP, [])], code: "no-holder" },
  {
    what: "at neither node",
    role: "primary",
    evidence: [own(false), answers(VIP, [strangerHardware]), ...standbyLives],
    code: "held-by-stranger",
  },
  {
    what: "here, the other node alive without it",
    role: "either",
    evidence: [own(true), answers(VIP, []), ...primaryLives],
    code: "held-here",
  },
  {
    what: "here, the other node has it too",
    role: "either",
    evidence: [own(true), answers(VIP, [primaryHardware]), ...primaryLives],
    code: "split-brain",
  },
  {
    what: "one holder, the primary",
    role: "observer",
    evidence: [own(false), answers(VIP, [primaryHardware]), ...primaryLives, ...standbyLives],
    code: "held-by-primary",
  },
  {
    what: "one holder, the standby",
    role: "observer",
    evidence: [own(false), answers(VIP, [standbyHardware]), ...primaryLives, ...standbyLives],
    code: "held-by-standby",
  },
  {
    what: "one holder, nodes not known",
    role: "observer",
    asked: { nodes: [] },
    evidence: [own(false), answers(VIP, [strangerHardware])],
    code: "held-by-one",
  },
  {
    what: "two holders, nodes not known",
    role: "observer",
    asked: { nodes: [] },
    evidence: [own(false), answers(VIP, [primaryHardware, standbyHardware])],
    code: "split-brain",
  },
  {
    what: "nobody could be asked but by ICMP",
    role: "observer",
    evidence: [own(false), echo(VIP, 3), echo(PRIMARY, 3)],
    code: "held-by-one",
  },
  {
    what: "nobody could be asked but by ICMP, and the address answers",
    role: "standby",
    evidence: [own(false), echo(VIP, 3)],
    code: "not-here",
  },
  { what: "nobody could be asked", role: "observer", evidence: [own(false)], code: "not-seen" },
  {
    what: "it can be asked for on no interface, and not asked at all was not the wish",
    role: "standby",
    evidence: [unplaced, echo(VIP, 3), ...primaryLives],
    code: "not-seen",
  },
  {
    what: "it can be asked for on no interface",
    role: "either",
    evidence: [unplaced, ...primaryLives],
    code: "not-seen",
  },
  {
    what: "it can be asked for on no interface",
    role: "primary",
    evidence: [unplaced, ...standbyLives],
    code: "no-holder",
  },
  {
    what: "it can be asked for on no interface",
    role: "observer",
    evidence: [unplaced, echo(VIP, 3)],
    code: "not-seen",
  },
  {
    what: "it can be asked for on no interface, and only this machine was asked",
    role: "standby",
    asked: { windowMs: 0 },
    evidence: [unplaced],
    code: "not-here",
  },
  {
    what: "the interface that was named is not there, and the address answers ICMP by another",
    role: "standby",
    evidence: [own(false), { ...device(false), exists: false } as Evidence, echo(VIP, 3), ...primaryLives],
    code: "not-seen",
  },
  {
    what: "the interface that was named is not there, but the address is here",
    role: "standby",
    evidence: [own(true), { ...device(false), exists: false } as Evidence, echo(PRIMARY, 3)],
    code: "split-brain-likely",
  },
  {
    what: "too few questions for silence to mean anything",
    role: "observer",
    evidence: [own(false), answers(VIP, [], 3)],
    code: "not-seen",
  },
  {
    what: "one machine with two cards on the segment",
    role: "standby",
    asked: { nodes: [{ name: "node1", role: "primary", addresses: [PRIMARY, "10.0.0.101"] }] },
    evidence: [
      own(false),
      answers(VIP, [primaryHardware, strangerHardware]),
      answers(PRIMARY, [primaryHardware, strangerHardware]),
      answers("10.0.0.101", [strangerHardware]),
    ],
    code: "held-by-primary",
  },
  {
    what: "two masters of one router speak in turns",
    role: "observer",
    evidence: [own(false), vrrp(PRIMARY, "in", 3, 200), vrrp(STANDBY, "in", 3, 700)],
    code: "split-brain",
  },
  {
    what: "one master after the other: it took over",
    role: "observer",
    evidence: [
      own(false),
      vrrp(PRIMARY, "in", 2, 2100),
      vrrp(STANDBY, "in", 2, 100),
      answers(VIP, [standbyHardware]),
      ...standbyLives,
    ],
    code: "held-by-standby",
  },
  {
    what: "here, and the primary is heard by VRRP alone",
    role: "standby",
    evidence: [own(true), ...primarySilent, vrrp(PRIMARY, "in", 1, 100)],
    code: "split-brain-likely",
  },
];

for (const { what, role, asked, evidence, code } of cases) {
  Deno.test(`${role}: ${what}: ${code}`, () => {
    const judgement = judge(question(role, asked), evidence);
    const verdict = judgement.verdicts[0]!;
    assert.equal(verdict.code, code, verdict.why.join("; "));
    assert.equal(judgement.severity, severityOf[code]);
    assert.match(verdict.sentence, /10\.0\.0\.9/);
  });
}

Deno.test("a service that says nothing of the primary is told with the reason, and the next step", () => {
  const cases: ReadonlyArray<readonly [resolved: string[], words: RegExp]> = [
    [[VIP], /: answers, which says nothing of node1: 10\.0\.0\.9 belongs to whoever holds it$/],
    [[STANDBY], /: 10\.0\.0\.2 is not known as its own address; if it is, name it with --primary too$/],
    [[], /: its name was not resolved$/],
  ];
  for (const [resolved, words] of cases) {
    const asked = question("standby", { services: tcp });
    const facts = factsOf(asked, asked.vips[0]!, [own(true), service("answers", resolved)]);
    assert.match(facts.why.at(-1)!, words);
    assert.equal(facts.serves, "unknown");
  }
});

const places: readonly Place[] = [
  "here",
  "here-by-right",
  "primary",
  "standby",
  "unattributed",
  "stranger",
  "several",
  "moving",
  "nobody",
  "unseen",
  "unaskable",
];
const lives: readonly Alive[] = ["alive", "silent", "unknown"];
const services: readonly Serves[] = ["answers", "silent", "unknown"];

Deno.test("of all combinations, only what was seen is critical", () => {
  for (const role of roles) {
    for (const place of places) {
      for (const alive of lives) {
        for (const serves of services) {
          const code = verdictCode(role, place, alive, serves);
          const isSeen = place === "several" ||
            (place === "here" && (alive === "alive" || serves === "answers"));
          if (severityOf[code] === "critical") {
            assert.ok(isSeen, `${role} ${place} ${alive} ${serves}: ${code}`);
          }
          if (place === "several") assert.equal(code, "split-brain");
          if (place === "moving") assert.equal(severityOf[code], "warning");
        }
      }
    }
  }
});

Deno.test("no loss of an answer makes a verdict worse than a warning", () => {
  // Every piece of a healthy pair, each of them lost in all combinations.
  const healthy = [own(false), answers(VIP, [primaryHardware]), ...primaryLives, service("answers")];
  const lost = [own(false), answers(VIP, []), echo(PRIMARY, 0), answers(PRIMARY, []), service("silent")];
  for (const role of roles) {
    for (let mask = 0; mask < 1 << healthy.length; mask++) {
      const evidence = healthy.map((piece, index) => (mask >> index) & 1 ? lost[index]! : piece);
      const { severity } = judge(question(role, { services: tcp }), evidence);
      assert.notEqual(severity, "critical", `${role} ${mask.toString(2)}`);
    }
  }
});

Deno.test("an ignored reading: a resource of another address is not ours", () => {
  const stated = daemon(["node1", "node2"], "alive") as Extract<Evidence, { kind: "daemon" }>;
  const view = { ...stated.view, groups: [{ ...stated.view.groups[0]!, resources: [{ id: "10.0.0.99" }] }] };
  const facts = factsOf(question("standby"), question("standby").vips[0]!, [
    own(false),
    { ...stated, view: view as unknown as typeof stated.view },
  ]);
  assert.notEqual(facts.place, "several");
});

Deno.test("the worst of several addresses is the verdict of the check", () => {
  assert.equal(worst(["ok", "critical", "warning"]), "critical");
  assert.equal(worst(["ok", "unknown"]), "unknown");
  assert.equal(worst(["warning", "unknown"]), "warning");
  assert.equal(worst([]), "ok");
});
