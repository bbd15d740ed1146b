import assert from "node:assert/strict";
import { explain } from "../../lib/checks/cause.ts";
import type { Evidence } from "../../lib/checks/evidence.ts";
import type { CheckedLink, CheckQuestion } from "../../lib/checks/question.ts";
import type { BeatSpeaker, VrrpSpeaker } from "../../lib/checks/traffic/pieces.ts";
import { judge } from "../../lib/checks/verdict.ts";
import {
  answers,
  daemon,
  device,
  echo,
  own,
  PRIMARY,
  primaryHardware,
  question,
  STANDBY,
  standbyHardware,
  strangerHardware,
  VIP,
  vrrp,
} from "./makers.ts";

const link: CheckedLink = { kind: "network", device: "eth0", peer: PRIMARY, group: null, port: 694 };
const standby = (more: Partial<CheckQuestion> = {}) => question("standby", { isExplained: true, ...more });

const alive = [answers(PRIMARY, [primaryHardware]), echo(PRIMARY, 3, 3)];
const healthy = [own(false), answers(VIP, [primaryHardware]), ...alive, device(true)];
const split = [own(true), answers(VIP, [primaryHardware]), ...alive, device(true)];

const speaker = (from: string, more: Partial<VrrpSpeaker> = {}): Evidence => ({
  ...vrrp(from, from === STANDBY ? "out" : "in", 3, 100) as VrrpSpeaker,
  ...more,
});

const beat = (node: string, more: Partial<BeatSpeaker> = {}): Evidence => ({
  kind: "beats",
  source: "sniffer",
  subject: node,
  ageMs: 100,
  device: "eth0",
  direction: node === "node2" ? "out" : "in",
  from: node === "node2" ? STANDBY : PRIMARY,
  to: node === "node2" ? PRIMARY : STANDBY,
  port: 694,
  count: 4,
  keyIndex: 1,
  method: "sha1",
  isAuthentic: true,
  refusal: null,
  deadTimeMs: 10_000,
  intervalMs: 1000,
  bytesMax: 300,
  settingsHash: null,
  hears: null,
  ...more,
});

const software = (name: string | null, isStopped = false): Evidence => ({
  ...{ kind: "software", source: "processes", subject: "this machine", ageMs: 0 },
  processes: name === null ? [] : [{ name, pid: 7, isStopped }],
});

const knock = (outcome: "closed" | "silent"): Evidence => ({
  ...{ kind: "knock", source: "sniffer", subject: `${PRIMARY}, UDP port 694`, ageMs: 0, address: PRIMARY },
  ...{ traffic: "heartbeats", outcome },
});

const sizes = (smallAnswers: number, largeAnswers: number): Evidence => ({
  ...{ kind: "packet-sizes", source: "packet-sizes", subject: PRIMARY, ageMs: 0, device: "eth0", mtu: 1500 },
  ...{ smallAnswers, largeAnswers, questions: 5, bytesPassed: smallAnswers === 0 ? null : 256 },
});

const bridge = (portsWithoutMulticast: readonly string[]): Evidence => ({
  ...{ kind: "bridge", source: "bridges", subject: "br0", ageMs: 0, isSnooping: true, isQuerier: false },
  portsWithoutMulticast,
});

const firewall = (certainty: "certain" | "possible", direction: "in" | "out" = "in"): Evidence => ({
  ...{ kind: "firewall-drop", source: "firewall", subject: "heartbeats", ageMs: 0, traffic: "heartbeats" },
  ...{ place: "nftables, table inet t, chain c, handle 7", rule: "udp dport 694 drop", certainty },
  packets: null,
  remedy: "nft delete rule inet t c handle 7",
  flow: {
    ...{ name: "heartbeats", direction, device: "eth0", family: 4, protocol: 17, port: 694 },
    ...{ source: direction === "in" ? PRIMARY : STANDBY, destination: null },
  },
});

const claims = (flips: number): Evidence => ({
  ...{ kind: "claims", source: "sniffer", subject: VIP, ageMs: 100, device: "eth0", flips },
  claimants: [{ hardware: primaryHardware, count: 3 }, { hardware: strangerHardware, count: 3 }],
});

/** The surest cause as `code certainty`; `none`: nothing is the matter. */
const cases: ReadonlyArray<readonly [what: string, CheckQuestion, readonly Evidence[], expected: string]> = [
  ["healthy", standby(), healthy, "none"],
  ["healthy, the primary speaks VRRP", standby(), [...healthy, speaker(PRIMARY)], "none"],
  ["healthy, both send heartbeats", standby({ links: [link] }), [
    ...healthy,
    ...[beat("node1"), beat("node2"), software("heartbeat"), sizes(5, 5), bridge([]), knock("silent")],
  ], "none"],
  ["healthy, no software that is known", standby(), [...healthy, software(null)], "none"],
  ["healthy, a rule that may not apply", standby({ links: [link] }), [
    ...healthy,
    ...[beat("node1"), beat("node2"), firewall("possible")],
  ], "none"],
  ["one claim and a handover", standby(), [...healthy, claims(1)], "none"],

  ["no carrier", standby(), [...split, device(false, "hb0")], "carrier certain"],
  ["a rule, and what it drops arrives", standby({ links: [link] }), [
    ...split,
    beat("node1"),
    firewall("certain"),
  ], "firewall certain"],
  [
    "a rule, and nothing arrives",
    standby({ links: [link] }),
    [...split, firewall("certain")],
    "firewall likely",
  ],
  [
    "a rule on the way out",
    standby({ links: [link] }),
    [...split, firewall("certain", "out")],
    "firewall certain",
  ],
  [
    "a rule that may not apply",
    standby({ links: [link] }),
    [...split, beat("node1"), firewall("possible")],
    "firewall likely",
  ],
  ["another password", standby(), [
    ...split,
    speaker(PRIMARY, { authentication: "password", secretMark: "a" }),
    speaker(STANDBY, { authentication: "password", secretMark: "b" }),
  ], "authentication certain"],
  ["a password and none", standby(), [
    ...split,
    speaker(PRIMARY, { authentication: "password", secretMark: "a" }),
    speaker(STANDBY),
  ], "authentication certain"],
  ["a wrong key", standby({ links: [link] }), [
    ...split,
    beat("node1", { isAuthentic: false, refusal: "wrong-key" }),
    beat("node2"),
  ], "authentication certain"],
  ["another key index, no key at hand", standby({ links: [link] }), [
    ...split,
    beat("node1", { isAuthentic: null, keyIndex: 2 }),
    beat("node2", { isAuthentic: null }),
  ], "authentication likely"],
  [
    "another router id",
    standby(),
    [...split, speaker(PRIMARY, { routerId: 7 }), speaker(STANDBY)],
    "router-id certain",
  ],
  ["another router id, of another address", standby(), [
    ...healthy,
    speaker(PRIMARY),
    speaker(STANDBY, { routerId: 7, addresses: ["10.0.0.77"] }),
  ], "none"],
  [
    "another version",
    standby(),
    [...split, speaker(PRIMARY, { version: 3 }), speaker(STANDBY)],
    "settings certain",
  ],
  ["another checksum", standby(), [
    ...split,
    speaker(PRIMARY, { version: 3, checksum: "plain" }),
    speaker(STANDBY, { version: 3, checksum: "with-pseudo-header" }),
  ], "settings certain"],
  ["another deadtime", standby({ links: [link] }), [
    ...split,
    beat("node1", { deadTimeMs: 30_000 }),
    beat("node2"),
  ], "settings certain"],
  ["another hash of settings", standby({ links: [link] }), [
    ...split,
    beat("node1", { settingsHash: "a", hears: ["node2"] }),
    beat("node2", { settingsHash: "b", hears: ["node1"] }),
  ], "settings certain"],
  ["files that differ", standby(), [...split, {
    ...{ kind: "setting", source: "compare", subject: "deadtime", ageMs: 0, here: "10s", there: "30s" },
  }], "settings certain"],
  [
    "a stranger",
    standby(),
    [own(false), answers(VIP, [primaryHardware, strangerHardware]), ...alive],
    "stranger certain",
  ],
  [
    "large packets are lost",
    standby({ links: [link] }),
    [...split, sizes(5, 0), beat("node2")],
    "packet-size certain",
  ],
  ["large packets are lost, and nobody needs them", standby(), [...split, sizes(5, 0)], "packet-size likely"],
  ["it is heard and does not hear us", standby({ links: [link] }), [
    own(true),
    ...[answers(VIP, []), answers(PRIMARY, []), echo(PRIMARY, 0), beat("node1"), beat("node2")],
  ], "one-way certain"],
  ["it says that it does not hear us", standby({ links: [link] }), [
    ...split,
    beat("node1", { hears: [] }),
    beat("node2", { hears: ["node1"] }),
  ], "one-way certain"],
  ["it goes on against a better one", standby(), [
    ...split,
    speaker(PRIMARY),
    speaker(STANDBY, { priority: 150 }),
  ], "one-way likely"],
  ["a dead link", standby(), [
    ...split,
    { ...answers("10.9.9.1", []), device: "hb0" } as Evidence,
    echo("10.9.9.1", 0),
  ], "none"],
  [
    "its daemon says nothing",
    standby({ links: [link] }),
    [...split, beat("node2"), knock("silent")],
    "silent-process likely",
  ],
  [
    "a daemon here stands still",
    standby(),
    [...split, software("keepalived", true)],
    "silent-process certain",
  ],
  [
    "nobody listens there",
    standby({ links: [link] }),
    [...split, beat("node2"), knock("closed")],
    "stale-address certain",
  ],
  ["no software here", standby(), [...split, software(null)], "stale-address certain"],
  [
    "the daemon here does not hold what is here",
    standby(),
    [...split, daemon(["node1"], "alive")],
    "stale-address certain",
  ],
  ["the other node states that it does not hold what it answers for", question("primary"), [
    ...[own(true), answers(VIP, [standbyHardware]), answers(STANDBY, [standbyHardware])],
    daemon(["node1"], "alive", "node1"),
  ], "stale-address certain"],
  ["two holders by their own words", standby(), [...split, daemon(["node1", "node2"], "alive")], "none"],
  ["the other node is out of view: its word is old", question("primary"), [
    ...[own(true), answers(VIP, [standbyHardware]), answers(STANDBY, [standbyHardware])],
    daemon(["node1"], "down", "node1"),
  ], "none"],
  ["a bridge here keeps multicast back", question("observer"), [
    ...[own(false), answers(VIP, [primaryHardware, strangerHardware]), bridge(["p1"])],
    ...[speaker(PRIMARY), speaker("10.0.0.7")],
  ], "multicast certain"],
  [
    "a third machine hears one of two holders only",
    question("observer"),
    [
      ...[own(false), answers(VIP, [primaryHardware, standbyHardware]), ...alive, speaker(PRIMARY)],
      ...[answers(STANDBY, [standbyHardware]), echo(STANDBY, 3, 3)],
    ],
    "silent-process likely",
  ],
  ["claims in turns", question("observer"), [
    ...[own(false), answers(VIP, [primaryHardware, strangerHardware]), claims(4)],
  ], "contested likely"],
];

for (const [what, asked, evidence, expected] of cases) {
  Deno.test(`cause: ${what}: ${expected}`, async () => {
    const judgement = judge(asked, evidence);
    const found = await explain(asked, evidence, judgement);
    const [first] = found;
    assert.equal(
      first === undefined ? "none" : `${first.code} ${first.certainty}`,
      expected,
      JSON.stringify([judgement.verdicts, found], null, 1),
    );
  });
}

Deno.test("a dead link is told by the path that works beside it", async () => {
  const asked = standby();
  const [node] = asked.nodes;
  const both = { ...asked, nodes: [{ ...node!, addresses: [PRIMARY, "10.9.9.1"] }] };
  const dead = [
    { ...answers("10.9.9.1", []), device: "hb0" } as Evidence,
    echo("10.9.9.1", 0),
    device(true, "hb0"),
  ];
  const evidence = [...split, ...dead];
  const [cause] = await explain(both, evidence, judge(both, evidence));
  assert.equal(cause?.code, "dead-link");
  assert.equal(cause?.next, `ssh ${PRIMARY} ip -br link`);
});

Deno.test("an interface with an address of another subnet is told, one that reaches its peer is not", async () => {
  const asked = standby({ links: [{ ...link, device: "hb0", peer: "10.9.9.1" }] });
  const hb0 = (addresses: string[]) => ({ ...device(true, "hb0"), addresses }) as Evidence;
  const first = async (addresses: string[]) => {
    const evidence = [...split, hb0(addresses)];
    return (await explain(asked, evidence, judge(asked, evidence)))[0]?.code ?? "none";
  };
  assert.equal(await first(["10.9.8.2/24"]), "address");
  assert.equal(await first([]), "address");
  assert.equal(await first(["10.9.9.2/24"]), "none");
  assert.equal(await first(["10.9.8.2/16"]), "none");
});

Deno.test("only a standby beside another holder is told to take an address away that nothing here holds", async () => {
  const next = async (asked: CheckQuestion, found: readonly Evidence[] = split) => {
    const evidence = [...found, software(null)];
    return (await explain(asked, evidence, judge(asked, evidence)))[0]?.next;
  };
  const alone = [own(true), answers(VIP, []), answers(PRIMARY, []), echo(PRIMARY, 0, 3)];
  assert.match(await next(standby(), alone) ?? "", /^systemctl status/);
  assert.equal(await next(standby()), `ip addr del ${VIP} dev eth0`);
  assert.match(await next(question("either")) ?? "", /^systemctl status/);
});
