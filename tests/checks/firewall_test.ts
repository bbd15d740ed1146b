import assert from "node:assert/strict";
import fc from "fast-check";
import { droppedBy } from "../../lib/checks/firewall/evaluate.ts";
import { readIptables } from "../../lib/checks/firewall/iptables.ts";
import { readNft } from "../../lib/checks/firewall/nft.ts";
import { pieceOf } from "../../lib/checks/firewall/piece.ts";
import type { Chain, Flow } from "../../lib/checks/firewall/ruleset.ts";

const beats: Flow = {
  name: "heartbeats",
  direction: "in",
  device: "hb0",
  family: 4,
  protocol: 17,
  source: "10.77.2.1",
  destination: "10.77.2.2",
  port: 694,
};
const vrrp: Flow = { ...beats, name: "VRRP", protocol: 112, port: null, destination: "224.0.0.18" };
const arp: Flow = { ...vrrp, name: "ARP", family: "arp", protocol: null, source: null, destination: null };
const out = (flow: Flow): Flow => ({ ...flow, direction: "out" });

const toZone = `{"jump":{"target":"zone"}}`;
/** Verdict maps: name, type, elements. The last one holds a key that we do not understand. */
const maps: ReadonlyArray<readonly [name: string, type: string, elem: string]> = [
  ["zones", "ifname", `,"elem":[["pub0",{"drop":null}],["hb0",${toZone}]]`],
  [
    "counted",
    "ipv4_addr",
    `,"elem":[[{"elem":{"val":"10.77.2.1","counter":{"packets":0,"bytes":0}}},{"drop":null}]]`,
  ],
  ["ports", "inet_service", `,"elem":[[22,{"drop":null}],[{"range":[690,700]},{"continue":null}]]`],
  ["empty", "inet_service", ""],
  ["strange", "inet_service", `,"elem":[[22,{"drop":null}],[{"osf":"any"},{"accept":null}]]`],
];
const named = (protocol: string, field: string, name: string) =>
  `{"vmap":{"key":{"payload":{"protocol":"${protocol}","field":"${field}"}},"data":"@${name}"}}`;
const byDevice = (name: string) => `{"vmap":{"key":{"meta":{"key":"iifname"}},"data":"@${name}"}}`;

/** As nft 1.0.6 prints them: `EXPRESSIONS` of each rule, numbered from 10. */
function nft(
  rules: readonly string[],
  options: { policy?: string; hook?: string; family?: string } = {},
): Chain[] {
  const { policy = "accept", hook = "input", family = "inet" } = options;
  const place = `"family":"${family}","table":"t"`;
  const own = rules.map((expressions, index) =>
    `{"rule":{${place},"chain":"c","handle":${10 + index},"expr":[${expressions}]}}`
  );
  const other = `{"rule":{${place},"chain":"other","handle":99,"expr":[${
    match("th", "dport", "694")
  },${drop}]}}`;
  const json = `{"nftables":[{"metainfo":{"version":"1.0.6"}},{"table":{${place.replace("table", "name")}}},
    {"set":{${place},"name":"blocked","type":"ipv4_addr","elem":[{"prefix":{"addr":"10.77.0.0","len":16}},"192.168.1.1"]}},
    ${
    maps.map(([name, type, elem]) =>
      `{"map":{${place},"name":"${name}","type":"${type}","map":"verdict"${elem}}},`
    ).join("")
  }
    {"chain":{${place},"name":"c","type":"filter","hook":"${hook}","prio":0,"policy":"${policy}"}},
    {"chain":{${place},"name":"other"}},{"chain":{${place},"name":"zone"}},
    {"rule":{${place},"chain":"zone","handle":98,"expr":[${accept}]}},${[...own, other].join(",")}]}`;
  const listing = rules.map((_, index) => `\t\tthe words of rule ${10 + index} # handle ${10 + index}`).join(
    "\n",
  );
  return readNft(json, `table ${family} t { # handle 1\n\tchain c { # handle 2\n${listing}\n\t}\n}\n`);
}

const drop = `{"drop":null}`;
const accept = `{"accept":null}`;
const counter = `{"counter":{"packets":0,"bytes":0}}`;
const reject = `{"reject":{"type":"icmp","expr":"port-unreachable"}}`;

function match(protocol: string, field: string, right: string, op = "=="): string {
  return `{"match":{"op":"${op}","left":{"payload":{"protocol":"${protocol}","field":"${field}"}},"right":${right}}}`;
}
function meta(key: string, right: string, op = "=="): string {
  return `{"match":{"op":"${op}","left":{"meta":{"key":"${key}"}},"right":${right}}}`;
}
const ctState = (states: string) => `{"match":{"op":"in","left":{"ct":{"key":"state"}},"right":[${states}]}}`;

const cases: ReadonlyArray<
  readonly [
    what: string,
    rules: readonly string[],
    flow: Flow,
    expected: number | null | "policy" | "possible",
    options?: Parameters<typeof nft>[1],
  ]
> = [
  ["no rules", [], beats, null],
  ["a port", [`${match("udp", "dport", "694")},${counter},${drop}`], beats, 10],
  ["a rejected port", [`${match("udp", "dport", "694")},${reject}`], beats, 10],
  ["the port of another protocol", [`${match("tcp", "dport", "694")},${drop}`], beats, null],
  ["a port that VRRP does not have", [`${match("udp", "dport", "694")},${drop}`], vrrp, null],
  ["every port but this one", [`${match("udp", "dport", "694", "!=")},${drop}`], beats, null],
  [
    "a set of ports with a range",
    [`${match("udp", "dport", `{"set":[22,{"range":[690,700]}]}`)},${drop}`],
    beats,
    10,
  ],
  ["a protocol by name", [`${meta("l4proto", `"vrrp"`)},${drop}`], vrrp, 10],
  ["a protocol by number", [`${match("ip", "protocol", "112")},${drop}`], vrrp, 10],
  ["the same of IPv6", [`${match("ip6", "nexthdr", `"vrrp"`)},${drop}`], vrrp, null],
  ["a device", [`${meta("iifname", `"hb0"`)},${drop}`], beats, 10],
  ["devices by their begin", [`${meta("iifname", `{"set":["hb*","lo"]}`)},${drop}`], beats, 10],
  ["another device", [`${meta("iifname", `"pub0"`)},${drop}`], beats, null],
  [
    "a way out that a packet on its way in does not have",
    [`${meta("oifname", `"hb0"`)},${drop}`],
    beats,
    null,
  ],
  ["a subnet", [`${match("ip", "saddr", `{"prefix":{"addr":"10.77.2.0","len":24}}`)},${drop}`], beats, 10],
  ["a named set", [`${match("ip", "saddr", `"@blocked"`)},${drop}`], beats, 10],
  ["multicast", [`${meta("pkttype", `"multicast"`)},${drop}`], vrrp, 10],
  ["multicast, for what is none", [`${meta("pkttype", `"multicast"`)},${drop}`], beats, null],
  ["accepted before it is dropped", [`${match("udp", "dport", "694")},${accept}`, drop], beats, null],
  [
    "established connections only, then nothing",
    [`${ctState(`"established","related"`)},${accept}`, drop],
    vrrp,
    11,
  ],
  [
    "established connections only, which two daemons of one port may be",
    [`${ctState(`"established","related"`)},${accept}`, drop],
    beats,
    "possible",
  ],
  ["the policy", [`${match("tcp", "dport", "22")},${accept}`], beats, "policy", { policy: "drop" }],
  ["the policy, after the port was accepted", [`${match("udp", "dport", "694")},${accept}`], beats, null, {
    policy: "drop",
  }],
  ["a chain that is jumped to", [`{"jump":{"target":"other"}}`], beats, 99],
  [
    "a chain that is jumped to for another",
    [`${meta("iifname", `"pub0"`)},{"jump":{"target":"other"}}`],
    beats,
    null,
  ],
  [
    "a map of verdicts",
    [`{"vmap":{"key":{"payload":{"protocol":"udp","field":"dport"}},"data":{"set":[[22,${accept}],[694,${drop}]]}}}`],
    beats,
    10,
  ],
  ["a named map whose chain accepts, before the policy", [byDevice("zones")], beats, null, {
    policy: "drop",
  }],
  ["a named map that drops another device", [byDevice("zones"), drop], { ...beats, device: "hb1" }, 11],
  ["a named map that drops", [named("ip", "saddr", "counted")], beats, 10],
  ["a named map that says nothing", [named("udp", "dport", "ports"), drop], beats, 11],
  ["a named map with nothing in it", [named("udp", "dport", "empty"), drop], beats, 11],
  ["a named map of which not all is understood", [named("udp", "dport", "strange"), drop], beats, "possible"],
  ["the same, for what it names", [named("udp", "dport", "strange")], { ...beats, port: 22 }, 10],
  ["a named map that is not there", [named("udp", "dport", "nosuch"), drop], beats, "possible"],
  [
    "a map by what is not understood",
    [byDevice("zones").replace("iifname", "cgroup"), drop],
    beats,
    "possible",
  ],
  ["a rate that may be exceeded", [`{"limit":{"rate":5,"per":"second"}},${accept}`, drop], beats, "possible"],
  ["a program that decides before the policy", [`{"queue":{"num":0}}`, drop], beats, "possible"],
  ["what is not understood", [`${meta("skuid", "7")},${drop}`], beats, "possible"],
  ["the other direction", [drop], out(beats), null],
  ["on its way out", [drop], out(beats), 10, { hook: "output" }],
  ["ARP, by the type of the frame", [`${match("ether", "type", `"arp"`)},${drop}`], arp, 10, {
    hook: "ingress",
    family: "netdev",
  }],
  ["ARP in its own family", [`${match("arp", "operation", `"request"`)},${drop}`], arp, "possible", {
    family: "arp",
  }],
  ["IPv4 does not pass the chains of ARP", [drop], beats, null, { family: "arp" }],
];

for (const [what, rules, flow, expected, options] of cases) {
  Deno.test(`nftables: ${what}: ${flow.name} ${expected === null ? "pass" : `dropped by ${expected}`}`, () => {
    const found = droppedBy(nft(rules, options), flow);
    if (expected === null) return assert.equal(found, null);
    assert(found !== null);
    if (expected === "possible") return assert.equal(found.certainty, "possible");
    assert.equal(found.certainty, "certain");
    assert.equal(found.rule?.handle ?? "policy", expected);
  });
}

/** As iptables-save 1.8.9 prints them. */
const saved = `# Generated by iptables-save v1.8.9 (nf_tables)
*filter
:INPUT ACCEPT [0:0]
:OUTPUT DROP [0:0]
:strangers - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m multiport --dports 22,694 -j DROP
-A INPUT ! -i hb0 -j strangers
-A INPUT -p udp -m udp --dport 690:700 -m comment --comment "no heart -j ACCEPT" -j REJECT --reject-with icmp-port-unreachable
-A INPUT -d 224.0.0.0/4 -m conntrack --ctstate NEW -j DROP
-A OUTPUT -o hb0 -p udp -j ACCEPT
-A strangers -j DROP
COMMIT
`;

Deno.test("iptables: the rule that drops is found, by its own words, with the command that removes it", () => {
  const chains = readIptables(saved, "ip");
  const wanted: ReadonlyArray<readonly [Flow, string | null, string | null]> = [
    [
      beats,
      `-A INPUT -p udp -m udp --dport 690:700 -m comment --comment "no heart -j ACCEPT" -j REJECT --reject-with icmp-port-unreachable`,
      `iptables -D INPUT -p udp -m udp --dport 690:700 -m comment --comment "no heart -j ACCEPT" -j REJECT --reject-with icmp-port-unreachable`,
    ],
    [
      vrrp,
      "-A INPUT -d 224.0.0.0/4 -m conntrack --ctstate NEW -j DROP",
      "iptables -D INPUT -d 224.0.0.0/4 -m conntrack --ctstate NEW -j DROP",
    ],
    [{ ...vrrp, device: "pub0" }, "-A strangers -j DROP", "iptables -D strangers -j DROP"],
    [out(beats), null, null],
    [out(vrrp), "", "iptables -I OUTPUT -o hb0 -p 112 -j ACCEPT"],
  ];
  for (const [flow, rule, remedy] of wanted) {
    const found = droppedBy(chains, flow);
    if (rule === null) {
      assert.equal(found, null, flow.name);
      continue;
    }
    assert.equal(found?.rule?.text ?? "", rule);
    assert.equal(found?.certainty, "certain");
    assert.equal(pieceOf("vrrp", flow, found!).remedy, remedy);
  }
});

Deno.test("a rule is shown in the words of nft, with its place and the command that deletes it", () => {
  const found = droppedBy(nft([`${match("udp", "dport", "694")},${drop}`]), beats)!;
  const { rule, place, remedy } = pieceOf("heartbeats", beats, found);
  assert.deepEqual({ rule, place, remedy }, {
    rule: "the words of rule 10",
    place: "nftables, table inet t, chain c, handle 10",
    remedy: "nft delete rule inet t c handle 10",
  });
});

Deno.test("the counter of a rule is told apart from its words, which stay the same", () => {
  const found = droppedBy(nft([drop]), beats)!;
  const rule = { ...found.rule!, text: "udp dport 694 counter packets 12 bytes 3456 drop" };
  const piece = pieceOf("heartbeats", beats, { ...found, rule });
  assert.deepEqual([piece.rule, piece.packets], ["udp dport 694 counter drop", 12]);
});

Deno.test("listings of any content are read without an exception, and no walk is endless", () => {
  const loop = nft([`{"jump":{"target":"c"}}`]);
  assert.equal(droppedBy(loop, beats), null);
  fc.assert(fc.property(fc.json({ maxDepth: 6 }), fc.string(), (json, listing) => {
    droppedBy(
      readNft(`{"nftables":[{"chain":${json}},{"rule":${json}},{"set":${json}},{"map":${json}}]}`, listing),
      beats,
    );
  }));
  const word = fc.constantFrom(
    "*filter",
    ":INPUT DROP [0:0]",
    "-A INPUT",
    "!",
    "-p",
    "udp",
    "-j",
    "DROP",
    "\n",
    "-s",
    "1/2",
  );
  fc.assert(fc.property(fc.array(word), (words) => {
    droppedBy(readIptables(words.join(" ").replaceAll("\n ", "\n"), "ip"), beats);
  }));
});
