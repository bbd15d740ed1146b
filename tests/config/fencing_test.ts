import assert from "node:assert/strict";
import fc from "fast-check";
import { readFile } from "node:fs/promises";
import { settingsHash, unprotectedSentences } from "../../lib/config/checks.ts";
import type { AgentFacts } from "../../lib/config/context.ts";
import { filesNamed } from "../../lib/config/heartline_yaml.ts";
import { withoutSecrets } from "../../lib/core/journal/format.ts";
import { faults, goodYaml, yaml } from "./samples.ts";

const section = `fencing:
  delay: { node1: 5s }
  devices:
    - name: ilo1
      agent: fence_ipmilan
      nodes: [node1]
      options: { ip: 192.0.2.11, username: ha, password_script: /etc/x }
    - name: pdu
      agent: /opt/fence_pdu
      nodes: { NODE2: 3 }
      limit: 90s
`;
const fenced = goodYaml + section;

Deno.test("a fencing section becomes settings, and nothing remains unprotected", () => {
  const { settings, problems, secretFiles } = yaml(fenced);
  assert.deepEqual(problems.map(({ severity, code, message }) => `${severity} ${code}: ${message}`), [
    'note fenced: "web" is taken only once these are verified to be off, when they are lost: ' +
    "node1 (by ilo1), node2 (by pdu)",
  ]);
  assert.deepEqual(secretFiles, ["h.yaml"], "for the key alone");
  assert.deepEqual(settings?.fencing, {
    devices: [
      {
        name: "ilo1",
        agent: "fence_ipmilan",
        ports: { node1: null },
        options: { ip: "192.0.2.11", username: "ha", password_script: "/etc/x" },
        limitMs: 60_000,
      },
      { name: "pdu", agent: "/opt/fence_pdu", ports: { node2: "3" }, options: {}, limitMs: 90_000 },
    ],
    action: "reboot",
    delayMs: { node1: 5000 },
    retryMs: 30_000,
  });
  const alone = yaml(fenced.replace(/^arbiters.*\n/m, "")).settings!;
  assert.deepEqual(unprotectedSentences(alone), []);
  const partly = yaml(fenced.replace(/^arbiters.*\n/m, "").replace("NODE2", "node1")).settings!;
  assert.match(unprotectedSentences(partly)[0]!, /no arbiter, and no device can fence node2/);
});

Deno.test("the example of the documentation covers both nodes and is clean", async () => {
  const document = await readFile(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  const example = /^```yaml\n(fencing:[\s\S]*?)^```/m.exec(document)?.[1];
  assert.ok(example);
  const optionFiles = new Map(
    ["ilo1.secret", "ilo2.secret"].map((path) => [path, { path, text: "password=x\n" }]),
  );
  const { settings, problems } = yaml(goodYaml + example, { optionFiles });
  assert.deepEqual(faults({ problems }), []);
  assert.equal(settings?.fencing?.devices.length, 3);
});

/** What is wrong in the section, by the line of the section. */
const spoiled: readonly (readonly [string, string, readonly string[]])[] = [
  ["agent: fence_ipmilan", "agent: fence_ipmilan\n      tiemout: 3", ["6:7 error unknown-key"]],
  ["agent: fence_ipmilan", "agent: /bin/true", ["5:14 error bad-value"]],
  ["agent: fence_ipmilan", "agent: sh", ["5:14 error bad-value"]],
  ["agent: fence_ipmilan", "agent: ipmilan", ["5:14 error bad-value"]],
  ["agent: fence_ipmilan", "agent: ./fence_x", ["5:14 error bad-value"]],
  ["agent: fence_ipmilan", "agent: fence_ack_manual", ["5:14 error bad-value"]],
  ["agent: fence_ipmilan", "agent: fence_kdump", ["5:14 error bad-value"]],
  ["agent: fence_ipmilan", "agent: fence_dummy", ["4:7 warning sham-device"]],
  ["nodes: [node1]", "nodes: [node9]", ["6:15 error unknown-node"]],
  ["nodes: [node1]", "nodes: []", ["6:14 error no-nodes"]],
  ["nodes: [node1]", "nodes: [node1, node1]", ["6:22 error duplicate-node"]],
  ["nodes: [node1]", "nodes: {node1: 3, node2: 3}", ["6:25 error duplicate-port"]],
  ["nodes: [node1]", "nodes: [node2]", ["1:1 warning unfenced-node"]],
  ["ip: 192.0.2.11", "plug: 3", ["7:18 error bad-option"]],
  ["ip: 192.0.2.11", "action: off", ["7:18 error bad-option"]],
  ["ip: 192.0.2.11", `ip: "a\\nb"`, ["7:22 error bad-value"]],
  ["ip: 192.0.2.11", `"a=b": x`, ["7:18 error bad-option"]],
  ["limit: 90s", "limit: 1h", ["11:14 error bad-value"]],
  ["limit: 90s", "limit: 10ms", ["11:14 error bad-value"]],
  ["name: pdu", "name: ilo1", ["8:7 error duplicate-name"]],
  ["name: pdu", `name: "p d u"`, ["8:13 error bad-value"]],
  ["delay: { node1: 5s }", "delay: { node3: 5s }", ["2:12 error unknown-node"]],
  ["delay: { node1: 5s }", "delay: 5s", ["2:10 error bad-value"]],
  ["delay: { node1: 5s }", "action: off", ["1:1 warning fence-race"]],
  ["delay: { node1: 5s }", "delay: { node1: 5s, node2: 6s }", ["1:1 warning fence-race"]],
  ["delay: { node1: 5s }", "action: cycle", ["2:11 error bad-value"]],
  ["delay: { node1: 5s }", "levels: {}", ["2:3 error not-available"]],
  ["delay: { node1: 5s }", "together: [[ilo1, pud]]", ["2:21 error bad-together"]],
  ["delay: { node1: 5s }", "together: [[ilo1, pdu]]", ["2:14 error bad-together"]],
  ["delay: { node1: 5s }", "together: [[ilo1]]", ["2:14 error bad-together"]],
  ["limit: 90s", "options-file: pdu.opts", ["11:21 error unreadable"]],
];

Deno.test("each thing that can be wrong with a fencing section is found at its place", () => {
  const offset = goodYaml.split("\n").length - 1;
  for (const [from, to, expected] of spoiled) {
    const text = fenced.replace(from, to);
    assert.notEqual(text, fenced, from);
    const found = faults(yaml(text)).map((fault) =>
      fault.replace(/^\d+/, (line) => String(Number(line) - offset))
    );
    assert.deepEqual(found, expected, `${from} → ${to}`);
  }
});

Deno.test("options come from a file that only its owner reads, and no value is ever shown", () => {
  const text = fenced.replace("limit: 90s", "options-file: pdu.opts");
  assert.deepEqual(filesNamed(text).optionFiles, ["pdu.opts"]);
  const file = (content: string) => ({
    optionFiles: new Map([["pdu.opts", { path: "/etc/pdu.opts", text: content }]]),
  });
  const good = yaml(text, file("# pdu\nip=192.0.2.9\npassword=tell-nobody = x\n"));
  assert.deepEqual(faults(good), []);
  assert.deepEqual(good.settings?.fencing?.devices[1]?.options, {
    ip: "192.0.2.9",
    password: "tell-nobody = x",
  });
  assert.deepEqual(good.secretFiles, ["h.yaml", "/etc/pdu.opts"]);
  assert.deepEqual(faults(yaml(text, file("tell-nobody\nport=3\n"))), [
    "1:1 error bad-option",
    "2:1 error bad-option",
  ]);
  const inline = yaml(fenced.replace("password_script: /etc/x", "passwrod: tell-nobody"));
  const misplaced = yaml(fenced.replace("limit: 90s", "password: tell-nobody"));
  for (const result of [good, yaml(text, file("tell-nobody\n")), inline, misplaced]) {
    assert.ok(!JSON.stringify([result.problems, result.sources]).includes("tell-nobody"));
  }
  assert.ok(!JSON.stringify(withoutSecrets(inline.settings!)).includes("tell-nobody"), "the journal");
});

Deno.test("nodes must agree on who can be fenced and who waits, not on how a device is reached", () => {
  const hashOf = (text: string) => settingsHash(yaml(text).settings!);
  assert.notEqual(hashOf(goodYaml), hashOf(fenced));
  assert.notEqual(hashOf(fenced.replace("5s", "9s")), hashOf(fenced));
  assert.equal(hashOf(fenced.replace("192.0.2.11", "192.0.2.12")), hashOf(fenced));
});

Deno.test("devices that only together switch a node off are told so", () => {
  const both = fenced.replace("nodes: [node1]", "nodes: [node1, node2]").replace(
    "{ NODE2: 3 }",
    "[node2, node1]",
  )
    .replace("fencing:\n", "fencing:\n  together: [[ilo1, pdu]]\n");
  const { settings, problems } = yaml(both);
  assert.deepEqual(settings?.fencing?.together, [["ilo1", "pdu"]]);
  assert.match(problems[0]?.message ?? "", /node1 \(by ilo1 with pdu\), node2 \(by ilo1 with pdu\)/);
});

Deno.test("what the agents of this machine say is held against how they are used", () => {
  const known = (isFabric: boolean, ...parameters: string[]) =>
    ({ kind: "known", parameters, isFabric }) as const;
  const lines = (...agents: [string, AgentFacts][]) => {
    const offset = goodYaml.split("\n").length - 1;
    const { problems } = yaml(fenced, { agents: new Map(agents) });
    return problems.filter(({ severity }) => severity !== "note").map(({ line, column, code, hint }) =>
      `${line - offset}:${column} ${code} ${hint}`
    );
  };
  const good = known(false, "ip", "username", "password-script");
  assert.deepEqual(lines(["fence_ipmilan", good], ["/opt/fence_pdu", { kind: "unasked" }]), []);
  const [unknown] = lines(["fence_ipmilan", known(false, "ip", "user_name", "password_script")]);
  assert.equal(unknown, `7:34 unknown-agent-option did you mean "user_name"?`);
  assert.match(lines(["fence_ipmilan", { kind: "missing" }])[0]!, /^5:14 no-agent install it/);
  assert.match(lines(["/opt/fence_pdu", { kind: "silent" }])[0]!, /^9:14 no-metadata/);
  assert.match(lines(["/opt/fence_pdu", known(true)])[0]!, /^9:14 fabric-agent/);
});

Deno.test("no fencing section and no file of options makes the reader throw, or show a value", () => {
  const pieces = fc.constantFrom(
    ...section.split(/(?<=[\n ,{}[\]:])/),
    "&a ",
    "*a ",
    "? ",
    "null",
    "\t",
    "- ",
    "=",
    "#",
  );
  const text = fc.tuple(fc.nat(section.length), fc.nat(12), pieces)
    .map(([at, cut, piece]) => section.slice(0, at) + piece + section.slice(at + cut));
  fc.assert(
    fc.property(text, fc.string({ unit: "binary" }), (spoilt, options) => {
      const optionFiles = new Map([["o", { path: "/o", text: `${options}\npassword=tell-nobody` }]]);
      const whole = goodYaml + spoilt.replace("limit: 90s", "options-file: o");
      const { settings, problems, sources } = yaml(whole, { optionFiles });
      filesNamed(whole);
      assert.equal(settings === null, problems.some(({ severity }) => severity === "error"));
      assert.ok(!JSON.stringify([problems, sources]).includes("tell-nobody"));
    }),
    { numRuns: 500 },
  );
});
