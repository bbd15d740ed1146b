import assert from "node:assert/strict";
import fc from "fast-check";
import { readFile } from "node:fs/promises";
import { filesNamed } from "../../lib/config/heartline_yaml.ts";
import { faults, goodYaml, marks, ucastsOf, yaml } from "./samples.ts";

Deno.test("a good file becomes settings, with only what remains unprotected to say", () => {
  const { settings, problems } = yaml(goodYaml, { ownAddresses: new Set(["10.0.0.1"]) });
  assert.deepEqual(problems, []);
  assert.deepEqual(settings, {
    cluster: "web",
    nodes: ["node1", "node2"],
    timing: { keepaliveMs: 200, deadTimeMs: 4000, warnTimeMs: 2000, initDeadMs: 12_000 },
    udpPort: 694,
    media: [
      { kind: "ucast", device: "hb0", peer: "10.0.1.2", port: 694, local: "10.0.1.1" },
      { kind: "ucast", device: "pub0", peer: "10.0.0.2", port: 694, local: "10.0.0.1" },
    ],
    maxRexmitDelayMs: 250,
    alarmRepeatMs: 600_000,
    messageFormat: "netstring",
    authentication: {
      signWith: 1,
      keys: [{ index: 1, method: "sha256", secret: "a-long-secret" }],
      allowCrc: false,
    },
    groups: [{
      name: "web",
      nodes: ["node1", "node2"],
      failback: { kind: "off" },
      resources: [{
        id: "vip:10.0.0.9/24",
        spec: {
          kind: "vip",
          address: "10.0.0.9",
          family: 4,
          prefix: 24,
          device: "pub0",
          label: null,
          broadcast: null,
          leaseSeconds: 2,
          duplicateCheckMs: 10,
          announceRefreshMs: 60_000,
        },
        startLimitMs: 60_000,
        stopLimitMs: 60_000,
        monitorLimitMs: 20_000,
      }],
      monitorIntervalMs: 10_000,
      onStopFail: "block",
      waitForLease: true,
      retryAfterMs: 60_000,
    }],
    arbiters: [{ kind: "ping", name: "ping", targets: ["10.0.0.254"], onUnreachable: { kind: "release" } }],
    pingMembers: [],
    deadPingMs: 4000,
    fencing: null,
    takeoverDelayMs: 0,
    takeoverConfirm: false,
    ignoreAnswersFrom: [],
    process: {
      realtime: true,
      realtimePriority: 1,
      stateDirectory: "/var/lib/heartline",
      controlSocket: "/run/heartline/heartline.sock",
      logFile: null,
      journal: { file: null, bytesMax: 64 * 1024 * 1024 },
      environment: {},
      scriptDirectories: ["/etc/ha.d/resource.d", "/etc/init.d"],
    },
  });
});

Deno.test("the journal is where and as large as the file says, or off", () => {
  const journalOf = (text: string) => {
    const changed = `${goodYaml}\nprocess:\n  journal: ${text}\n`;
    const { settings, problems } = yaml(changed, { ownAddresses: new Set(["10.0.0.1"]) });
    return settings?.process.journal === undefined
      ? problems.map(({ message }) => message).join()
      : settings.process.journal;
  };
  assert.equal(journalOf("off"), null);
  assert.deepEqual(journalOf("on"), { file: null, bytesMax: 64 * 1024 * 1024 });
  assert.deepEqual(journalOf("{ file: /srv/j, size: 1.5G }"), { file: "/srv/j", bytesMax: 1.5 * 1024 ** 3 });
  assert.match(String(journalOf("{ size: 10K }")), /"10K" is out of bounds/);
  assert.match(String(journalOf("{ size: big }")), /"big" is not a size/);
  assert.match(String(journalOf("{ sise: 10M }")), /sise/);
});

Deno.test("ping members are one address or several of which one must answer, dead after deadping", () => {
  const text =
    `${goodYaml}ping-members: { router: 10.0.0.254, exits: [10.0.0.253, "FD00:0::1"] }\ndeadping: 3s\n`;
  const { settings, problems } = yaml(text, { ownAddresses: new Set(["10.0.0.1"]) });
  assert.deepEqual(problems, []);
  assert.deepEqual(settings?.pingMembers, [
    { name: "router", targets: ["10.0.0.254"] },
    { name: "exits", targets: ["10.0.0.253", "fd00::1"] },
  ]);
  assert.equal(settings?.deadPingMs, 3_000);
});

Deno.test("the times of messaging are what the file says, and off means never", () => {
  const changed = goodYaml.replace("keepalive:", "max-rexmit-delay: 100ms\nalarm-repeat: off\nkeepalive:");
  const { settings, problems } = yaml(changed, { ownAddresses: new Set(["10.0.0.1"]) });
  assert.deepEqual(problems, []);
  assert.deepEqual([settings?.maxRexmitDelayMs, settings?.alarmRepeatMs], [100, 0]);
});

Deno.test("the example of the documentation is a clean configuration", async () => {
  const document = await readFile(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  const example = /^```yaml\n(cluster:[\s\S]*?)^```/m.exec(document)?.[1];
  assert.ok(example);
  const keysFile = { path: "/etc/heartline/keys", text: "auth 1\n1 sha256 LongSecret\n" };
  assert.deepEqual(faults(yaml(example, { keysFile })), []);
});

Deno.test("the example of links has one of each kind, and all of them are read", async () => {
  const document = await readFile(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  const links = /^```yaml\n(links:[\s\S]*?)^```/m.exec(document)?.[1];
  assert.ok(links);
  const text = goodYaml.replace(/^links:\n( {2}- .*\n)+/m, links);
  const { settings } = yaml(text, { ownAddresses: new Set(["10.0.0.1"]) });
  assert.deepEqual(settings?.media, [
    { kind: "ucast", device: "hb0", peer: "10.0.1.2", port: 694, local: "10.0.1.1" },
    { kind: "bcast", device: "hb1", port: 694 },
    { kind: "mcast", device: "hb2", group: "225.0.0.1", port: 694, ttl: 1, loop: false },
    { kind: "serial", tty: "/dev/ttyS0", baud: 115_200 },
    { kind: "tcp", device: "pub0", peer: "10.0.0.2", port: 694, local: "10.0.0.1" },
  ]);
});

Deno.test("crc suffices where all links are serial lines", () => {
  const text = goodYaml.replace(/method: sha256, secret: [^}]*/, "method: crc");
  const found = (changed: string) => faults(yaml(changed)).map((fault) => fault.replace(/^\S+ /, ""));
  assert.deepEqual(found(text), ["error crc-refused"]);
  const serial = text.replace(
    /^links:\n( {2}- .*\n)+/m,
    "links: [ { serial: { tty: /dev/ttyS0, baud: 115200 } } ]\n",
  );
  assert.deepEqual(found(serial), ["warning single-link"]);
});

Deno.test("one file serves both nodes: each drops its own address", () => {
  const other = yaml(goodYaml, { nodeName: "node2", ownAddresses: new Set(["10.0.0.2"]) });
  assert.deepEqual(ucastsOf(other.settings).map(({ peer, local }) => [peer, local]), [
    ["10.0.1.1", "10.0.1.2"],
    ["10.0.0.1", "10.0.0.2"],
  ]);
});

/** One line of the good file, spoiled, and what is found. */
const spoiled: readonly (readonly [from: string, to: string, expected: readonly string[]])[] = [
  ["keepalive: 200ms", "keepalvie: 200ms", ["3:1 error unknown-key"]],
  ["keepalive: 200ms", "keepalive: 0s", ["3:12 error bad-value"]],
  ["keepalive: 200ms", "max-rexmit-delay: 0s", ["3:19 error bad-value"]],
  ["keepalive: 200ms", "max-rexmit-delay: 2m", ["3:19 error bad-value"]],
  ["keepalive: 200ms", "keepalive: 200ms\ndeadping: 400ms", ["4:11 error deadping-short"]],
  ["keepalive: 200ms", "ping-members: { a: router }", ["3:20 error bad-value"]],
  ["keepalive: 200ms", "ping-members: { a: [] }", ["3:20 error bad-value"]],
  ["keepalive: 200ms", "ping-members: [10.0.0.1]", ["3:15 error bad-value"]],
  ["keepalive: 200ms", "alarm-repeat: 100ms", ["3:15 error bad-value"]],
  ["keepalive: 200ms", "keepalive:", ["3:11 error bad-value"]],
  ["keepalive: 200ms", "keepalive: [1]", ["3:12 error bad-value"]],
  ["keepalive: 200ms", "keepalive: 2s", ["4:11 error deadtime-short"]],
  ["nodes: [node1, node2]\nk", "nodes: node1\nk", ["2:8 error bad-value"]],
  ["nodes: [node1, node2]\nk", "nodes: []\nk", ["2:8 error no-nodes"]],
  ["nodes: [node1, node2]\nk", "nodes: [node1, NODE1]\nk", ["2:16 error duplicate-node"]],
  ["nodes: [node1, node2]\nk", "nodes: [node1, a b]\nk", ["2:16 error bad-value"]],
  ["dev: hb0,", "", ["6:12 error missing-key"]],
  ["dev: hb0,", "dev: averyveryverylongname,", ["6:19 error bad-value"]],
  ["node2: 10.0.1.2}", "nod2: 10.0.1.2}", ["6:24 error missing-peer", "6:48 error unknown-node"]],
  ["10.0.1.2}", "host2}", ["6:55 error bad-value"]],
  ["peers: [10.0.0.1, 10.0.0.2]", "peers: []", ["7:32 error missing-peer"]],
  ["- ucast: { dev: pub0", "- mcast: { dev: pub0", ["7:12 error missing-key", "7:25 error unknown-key"]],
  ["- ucast: { dev: pub0", "- ping: { dev: pub0", ["7:5 error not-available"]],
  ["- ucast: { dev: pub0,", "- bcast: { dev: pub0 }\n  - ucast: { dev: pub1,", []],
  ["- ucast: { dev: pub0,", "- bcast: { dev: hb0 }\n  - ucast: { dev: pub0,", ["6:5 warning shared-link"]],
  ["- ucast: { dev: pub0,", "- tcp: { dev: hb0,", []],
  ["- ucast: { dev: pub0,", "- bcast: { port: 1 }\n  - ucast: { dev: pub0,", ["7:12 error missing-key"]],
  ["- ucast: { dev: pub0,", "- {}\n  - ucast: { dev: pub0,", ["7:5 error missing-kind"]],
  [
    "- ucast: { dev: pub0,",
    "- { tcp: { dev: a, peer: 10.0.2.2 }, bcast: { dev: b } }\n  - ucast: { dev: pub0,",
    [
      "7:40 error double-kind",
    ],
  ],
  [
    "- ucast: { dev: pub0,",
    "- mcast: { dev: eth2, group: 225.0.0.1, ttl: 4, loop: on }\n  - ucast: { dev: pub0,",
    [],
  ],
  ["- ucast: { dev: pub0,", "- mcast: { dev: eth2, group: 10.0.0.1 }\n  - ucast: { dev: pub0,", [
    "7:32 error bad-value",
  ]],
  ["- ucast: { dev: pub0,", "- mcast: { dev: eth2, group: ff12::1, ttl: 0 }\n  - ucast: { dev: pub0,", [
    "7:46 error bad-value",
  ]],
  ["- ucast: { dev: pub0,", "- serial: { tty: /dev/ttyS0, baud: 115200 }\n  - ucast: { dev: pub0,", []],
  ["- ucast: { dev: pub0,", "- serial: { tty: /dev/ttyS0 }\n  - ucast: { dev: pub0,", [
    "7:5 warning slow-line",
  ]],
  ["- ucast: { dev: pub0,", "- serial: { tty: ttyS0, baud: 14400 }\n  - ucast: { dev: pub0,", [
    "7:20 error bad-value",
    "7:33 error bad-value",
  ]],
  ["- ucast: { dev: pub0", "- ucats: { dev: pub0", ["7:5 error unknown-key"]],
  ["method: sha256", "method: sha257", ["8:49 error bad-value"]],
  ["method: sha256", "method: crc", ["8:54 error extra-word"]],
  ["sign-with: 1", "sign-with: 2", ["8:20 error undefined-key"]],
  ["sign-with: 1", "sign-with: 16", ["8:20 error bad-value"]],
  ["a-long-secret", "short", ["8:30 warning weak-secret"]],
  ["keys: [{index: 1, method: sha256, secret: a-long-secret}]", "keys: []", ["8:29 error missing-key"]],
  [
    "sign-with: 1, keys: [",
    "file: x, keys: [",
    ["8:15 error unreadable", "8:18 error double-keys"],
  ],
  ["failback: off", "failback: maybe", ["12:15 error bad-value"]],
  ["failback: off", "failback: {after: 60 parsecs}", ["12:23 error bad-value"]],
  ["failback: off", "on-stop-fail: fence", ["12:19 error not-available"]],
  ["failback: off", "fencing: yes", ["12:5 error not-available"]],
  ["nodes: [node1, node2]\n    f", "nodes: [node1, node3]\n    f", ["11:20 error unknown-node"]],
  ["nodes: [node1, node2]\n    f", "nodes: [node1]\n    f", ["10:3 warning one-node-group"]],
  ["{vip: 10.0.0.9/24, dev: pub0}", "{vpi: 10.0.0.9/24, dev: pub0}", ["13:19 error missing-kind"]],
  ["{vip: 10.0.0.9/24, dev: pub0}", "{vip: 10.0.0.9/24, lsb: x}", ["13:37 error double-kind"]],
  [
    "{vip: 10.0.0.9/24, dev: pub0}",
    "{vip: 10.0.0.9/99, dev: pub0}",
    ["13:33 error bad-prefix"],
  ],
  ["{vip: 10.0.0.9/24, dev: pub0}", "{vip: 10.0.0.9/24/eth0, dev: pub0}", ["13:47 error contradiction"]],
  ["{vip: 10.0.0.9/24, dev: pub0}", "{vip: 10.0.0.9/24, lease: 1.5s}", ["13:44 error bad-value"]],
  ["{vip: 10.0.0.9/24, dev: pub0}", "{vip: 10.0.0.9/24, lease: none}", ["13:18 warning no-lease"]],
  ["{vip: 10.0.0.9/24, dev: pub0}", "{vip: 10.0.0.9/24, lease: none}", ["13:18 warning no-lease"]],
  ["{vip: 10.0.0.9/24, dev: pub0}", "{vip: 10.0.0.1/24, dev: pub0}", ["13:18 error address-of-node"]],
  ["{vip: 10.0.0.9/24, dev: pub0}", `"vip:10.0.0.9/24 laese=5s"`, ["13:35 error unknown-option"]],
  ["{vip: 10.0.0.9/24, dev: pub0}", "", ["10:3 error empty-group"]],
  ["{vip: 10.0.0.9/24, dev: pub0}", "10.0.0.9/24, 10.0.0.9/24", ["13:31 error duplicate-address"]],
  ["{vip: 10.0.0.9/24, dev: pub0}", "10.0.0.9/24, lsb:x, lsb:x", ["13:38 error duplicate-resource"]],
  ["{ ping: [10.0.0.254], ", "{ disk: /dev/sdb, ", ["14:15 error not-available"]],
  ["{ ping: [10.0.0.254], ", "{ ping: [gateway], ", ["14:22 error bad-value"]],
  ["on-unreachable: release", "on-unreachable: panic", ["14:51 error bad-value"]],
  ["confirm: false", "confirm: perhaps", ["15:33 error bad-value"]],
  ["delay: 0s", "fence: true", ["15:13 error not-available"]],
  ["cluster: web", "watchdog: /dev/watchdog", ["1:1 error not-available"]],
  ["cluster: web", "cluster: web\ncluster: web", ["2:1 error duplicate-key"]],
];

Deno.test("each thing that can be wrong is found at its place, and nothing else is", () => {
  for (const [from, to, expected] of spoiled) {
    const text = goodYaml.replace(from, to);
    assert.notEqual(text, goodYaml, from);
    assert.deepEqual(faults(yaml(text)), expected, `${from} → ${to}`);
  }
});

Deno.test("all problems of a file are found at once", () => {
  const text = goodYaml
    .replace("keepalive", "keepalvie")
    .replace("deadtime: 4s", "deadtime: 2 moons")
    .replace("failback: off", "failback: maybe")
    .replace("confirm: false", "confirm: perhaps");
  assert.equal(faults(yaml(text)).length, 4);
});

Deno.test("a file that is no YAML is told where, and shows no secret", () => {
  const { settings, problems, sources } = yaml(goodYaml.replace("keys: {", "keys: {{"));
  assert.equal(settings, null);
  assert.ok(problems.length > 0 && problems.every((problem) => problem.line > 0));
  assert.ok(!JSON.stringify([problems, sources]).includes("a-long-secret"));
});

Deno.test("secrets are masked in what is shown, also under a misspelt key", () => {
  for (const key of ["secret", "secert", "password"]) {
    const { problems, sources, secretFiles } = yaml(goodYaml.replace("secret:", `${key}:`));
    assert.ok(!JSON.stringify([problems, sources]).includes("a-long-secret"), key);
    assert.deepEqual(secretFiles, ["h.yaml"], key);
  }
});

Deno.test("keys can come from a file in the format of authkeys", () => {
  const text = goodYaml.replace(/^keys:.*$/m, "keys: {file: /etc/heartline/keys}");
  assert.deepEqual(filesNamed(text).keysFile, "/etc/heartline/keys");
  const keysFile = { path: "/etc/heartline/keys", text: "auth 1\n1 sha1 LongSecret\n" };
  const { settings, secretFiles, sources } = yaml(text, { keysFile });
  assert.deepEqual(settings?.authentication.keys, [{ index: 1, method: "sha1", secret: "LongSecret" }]);
  assert.deepEqual(secretFiles, ["/etc/heartline/keys"]);
  assert.ok(!JSON.stringify(sources).includes("LongSecret"));
  assert.deepEqual(faults(yaml(text)), ["8:14 error unreadable"]);
  assert.deepEqual(faults(yaml(text, { keysFile: { ...keysFile, text: "auth 1\n" } })), [
    "1:6 error undefined-key",
  ]);
});

Deno.test("an unlisted node is refused with the name that was probably meant", () => {
  const { settings, problems } = yaml(goodYaml, { nodeName: "node1.example.com" });
  assert.equal(settings, null);
  const [problem] = problems.filter((found) => found.code === "node-not-listed");
  assert.match(problem?.hint ?? "", /"node1"/);
});

Deno.test("every way to write a resource gives the same spec as its text", () => {
  const pairs: readonly [string, string][] = [
    ["{vip: 10.0.0.9/24, dev: pub0, label: web}", `"vip:10.0.0.9/24/pub0:web"`],
    ["{exec: /bin/thing, args: [-v, two words]}", `"exec:/bin/thing -v 'two words'"`],
    ["{ocf: heartbeat:IPaddr2, parameters: {ip: 10.0.0.9}}", `"ocf:heartbeat:IPaddr2 ip=10.0.0.9"`],
    ["{script: apache, args: [/etc/x.conf]}", "apache::/etc/x.conf"],
    ["{lsb: nginx}", `"lsb:nginx"`],
    ["{systemd: nginx}", `"systemd:nginx"`],
  ];
  for (const texts of pairs) {
    const [first, second] = texts.map((text) => {
      const result = yaml(goodYaml.replace("{vip: 10.0.0.9/24, dev: pub0}", text));
      assert.notEqual(result.settings, null, `${text} ${marks(result)}`);
      return result.settings?.groups[0]?.resources[0]?.spec;
    });
    assert.deepEqual(first, second, texts[0]);
  }
});

Deno.test("limits come from the group unless the resource has its own", () => {
  const text = goodYaml
    .replace("failback: off", "start-limit: 5s\n    stop-limit: 6s")
    .replace("dev: pub0}", "dev: pub0, start-limit: 1s}");
  const resource = yaml(text).settings?.groups[0]?.resources[0];
  assert.deepEqual([resource?.startLimitMs, resource?.stopLimitMs, resource?.monitorLimitMs], [
    1000,
    6000,
    20_000,
  ]);
});

Deno.test("no text makes the reader throw, and settings exist only without errors", () => {
  const pieces = fc.constantFrom(
    ...goodYaml.split(/(?<=[\n ,{}[\]:])/),
    "&a ",
    "*a ",
    "<<: *a\n",
    "? ",
    "!!binary ",
    "--- ",
    "\t",
    "- ",
    "null",
  );
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(pieces, { maxLength: 30 }).map((all) => all.join("")),
    // The good file with a piece cut out or put in.
    fc.tuple(fc.nat(goodYaml.length), fc.nat(12), pieces)
      .map(([at, cut, piece]) => goodYaml.slice(0, at) + piece + goodYaml.slice(at + cut)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const { settings, problems } = yaml(text);
      filesNamed(text);
      assert.equal(settings === null, problems.some((problem) => problem.severity === "error"));
      const lines = text.split("\n");
      for (const { line, column } of problems) {
        assert.ok(line <= lines.length && column <= (lines[line - 1]?.length ?? 0) + 1);
      }
    }),
    { numRuns: 1500 },
  );
});
