import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type HaFiles,
  type LoadContext,
  type LoadResult,
  plainContext,
  settingsFromHaDirectory,
} from "../../lib/config/load.ts";
import { hostNamesIn } from "../../lib/config/ha/settings.ts";
import { parseHaResources } from "../../lib/config/haresources.ts";
import { faults, goodAuthKeys, goodHaCf, marks, ucastsOf } from "./samples.ts";

const vipLine = "node1 IPaddr2::10.77.1.100/24/pub0/10.77.1.255\n";

function load(haCf: string, rest: { haresources?: string; context?: Partial<LoadContext> } = {}): LoadResult {
  const files: HaFiles = {
    haCf: { file: "ha.cf", text: haCf },
    authkeys: { file: "authkeys", text: goodAuthKeys },
    haresources: { file: "haresources", text: rest.haresources ?? vipLine },
  };
  return settingsFromHaDirectory(files, { ...plainContext("node1"), ...rest.context });
}

Deno.test("a pair of Heartbeat becomes the same pair of Heartline", () => {
  const { settings, problems } = load(goodHaCf);
  assert.deepEqual(problems.map((problem) => [problem.severity, problem.code]), [["note", "unprotected"]]);
  assert.deepEqual(settings?.timing, {
    keepaliveMs: 200,
    deadTimeMs: 2000,
    warnTimeMs: 500,
    initDeadMs: 12_000,
  });
  assert.deepEqual(ucastsOf(settings).map(({ device, peer, port }) => [device, peer, port]), [
    ["hb0", "10.77.2.2", 694],
    ["pub0", "10.77.1.2", 694],
  ]);
  assert.equal(settings?.authentication.signWith, 1);
  const [group] = settings?.groups ?? [];
  assert.equal(group?.name, "IPaddr2::10.77.1.100/24/pub0/10.77.1.255");
  assert.deepEqual(group?.nodes, ["node1", "node2"]);
  assert.deepEqual(group?.failback, { kind: "on" });
  const [resource] = group?.resources ?? [];
  assert.equal(resource?.id, group?.name);
  assert.equal(resource?.spec.kind === "vip" ? resource.spec.leaseSeconds : null, 1);
});

Deno.test("what ha.cf leaves out is as Heartbeat has it", () => {
  const short = "node node1 node2\nucast hb0 10.0.0.2\nauto_failback off\n";
  const timings: readonly [string, readonly number[]][] = [
    ["", [1000, 30_000, 15_000, 30_000]],
    ["deadtime 10\n", [1000, 10_000, 5000, 20_000]],
    ["deadtime 5\n", [1000, 5000, 2500, 12_000]],
    ["deadtime 11\nwarntime 3\ninitdead 60\n", [1000, 11_000, 3000, 60_000]],
  ];
  for (const [lines, expected] of timings) {
    const timing = load(lines + short).settings?.timing;
    const { keepaliveMs, deadTimeMs, warnTimeMs, initDeadMs } = timing!;
    assert.deepEqual([keepaliveMs, deadTimeMs, warnTimeMs, initDeadMs], expected, lines);
  }
  const { settings } = load(short, { context: { servicesPort: 1694 } });
  assert.equal(settings?.udpPort, 1694);
  assert.equal(ucastsOf(settings)[0]?.port, 1694);
  assert.equal(settings?.cluster, "linux-ha");
  assert.deepEqual(settings?.groups[0]?.failback, { kind: "off" });
});

Deno.test("comments, commas, tabs and line ends are read as Heartbeat reads them", () => {
  const text =
    "\t keepalive  200ms # often\r\nnode node1,NODE2\r\n#x\ndeadtime 2#s\nucast hb0 10.0.0.2\nauto_failback YES\n";
  const { settings } = load(text);
  assert.deepEqual(settings?.nodes, ["node1", "node2"]);
  assert.equal(settings?.timing.deadTimeMs, 2000);
});

/** Lines added to a good file of nine lines, and what is found beside what every pair without arbiter is told. */
const additions: readonly (readonly [string, readonly string[]])[] = [
  ["keepalvie 2", ["10:1 error unknown-directive"]],
  ["Node node3", ["10:1 error unknown-directive"]],
  ["warntime 1s", ["10:10 error bad-value"]],
  ["warntime 0", ["10:10 error bad-value"]],
  ["warntime", ["10:1 error missing-value"]],
  ["warntime 3", ["10:10 warning warntime-long"]],
  ["deadtime 400ms", ["10:10 error deadtime-short"]],
  ["initdead 1", ["10:10 error initdead-short"]],
  ["deadping 300ms", ["10:10 error deadping-short"]],
  ["auto_failback maybe", ["10:15 error bad-value"]],
  ["auto_failback legacy", ["10:15 note legacy-failback"]],
  ["udpport 695", ["10:9 warning late-udpport"]],
  ["udpport 99999", ["10:9 error bad-value"]],
  ["ucast hb1", ["10:1 error missing-value"]],
  ["ucast hb1 peer.example", ["10:11 error bad-address"]],
  ["ucast hb1 10.0.0.300", ["10:11 error bad-address"]],
  ["ucast hb1 10.0.3.2 x", ["10:20 error extra-word"]],
  ["ucast hb0 10.77.2.2", ["10:1 warning duplicate-link"]],
  ["node node2", ["10:6 warning duplicate-node"]],
  ["node a/b", ["10:6 error bad-value"]],
  ["msgfmt netsrting", ["10:8 error bad-value"]],
  ["autojoin any", ["10:10 error not-available"]],
  ["bcast eth0, eth1", []],
  ["bcast eth0 eth/1", ["10:12 error bad-device"]],
  ["bcast hb0", ["6:1 warning shared-link"]],
  ["udp eth0", ["10:1 note obsolete"]],
  ["mcast eth0 225.0.0.1 694 1 0", []],
  ["mcast eth0 225.0.0.1 694 1", ["10:1 error missing-value"]],
  ["mcast eth0 225.0.0.1 694 1 0 1", ["10:30 error extra-word"]],
  ["mcast eth0 10.0.0.1 694 1 0", ["10:12 error bad-value"]],
  ["mcast eth0 ff12::1 694 1 0", ["10:12 error bad-value"]],
  ["mcast eth0 225.0.0.1 0 1 0", ["10:22 error bad-value"]],
  ["mcast eth0 225.0.0.1 694 0 0", ["10:26 error bad-value"]],
  ["mcast eth0 225.0.0.1 694 1 2", ["10:28 error bad-value"]],
  ["mcast6 eth0 ff12::694 694 1 0", []],
  ["mcast6 eth0 225.0.0.1 694 1 0", ["10:13 error bad-value"]],
  ["ucast6 eth1 fd00::2", []],
  ["baud 115200\nserial /dev/ttyS0 /dev/ttyS1", []],
  ["serial /dev/ttyS0", ["10:8 warning slow-line"]],
  ["serial ttyS0", ["10:8 error bad-value"]],
  ["baud 14400", ["10:6 error bad-value"]],
  ["serial /dev/ttyS0\nbaud 115200", ["10:8 warning slow-line", "11:6 warning late-baud"]],
  ["stonith_host * null x", ["10:1 error not-available"]],
  ["watchdog /dev/watchdog", ["10:1 error not-available"]],
  ["crm on", ["10:5 error not-available"]],
  ["crm off", []],
  ["pacemaker respawn", ["10:11 error not-available"]],
  ["failfast root /bin/x", ["10:1 error not-available"]],
  ["respawn root /usr/sbin/dopd", ["10:14 error not-available"]],
  ["respawn hacluster /usr/lib/heartbeat/ipfail", ["10:1 error no-ping"]],
  ["logfacility local0", ["10:1 note no-effect"]],
  ["realtime perhaps", ["10:10 error bad-value"]],
  ["rtprio 100", ["10:8 error bad-value"]],
  ["max_rexmit_delay 100", []],
  ["max_rexmit_delay 0", ["10:18 error bad-value"]],
  ["max_rexmit_delay 250ms", ["10:18 error bad-value"]],
  ["logfile log", ["10:9 error bad-value"]],
  ["env A", ["10:5 error bad-value"]],
  ["use_logd yes", []],
  ["hopfudge 1", []],
  ["x".repeat(6000), ["10:1 error long-line"]],
];

Deno.test("each directive is acted on, accepted or refused, at its place", () => {
  for (const [line, expected] of additions) {
    const found = marks(load(`${goodHaCf}${line}\n`)).filter((mark) => !mark.endsWith("unprotected"));
    assert.deepEqual(found, expected, line.slice(0, 60));
  }
});

Deno.test("max_rexmit_delay is a number of milliseconds, 250 unless it is written", () => {
  assert.equal(load(goodHaCf).settings?.maxRexmitDelayMs, 250);
  assert.equal(load(`${goodHaCf}max_rexmit_delay 80\n`).settings?.maxRexmitDelayMs, 80);
});

Deno.test("ping nodes become one arbiter, which lets go only where ipfail did", () => {
  const pings = `${goodHaCf}ping 10.0.0.254, 10.0.0.253\nping_group routers 10.0.0.254 10.0.0.252\n`;
  const held = load(pings);
  assert.deepEqual(faults(held), ["10:6 warning ping-holds"]);
  assert.deepEqual(held.settings?.arbiters, [{
    kind: "ping",
    name: "ping",
    targets: ["10.0.0.254", "10.0.0.253", "10.0.0.252"],
    onUnreachable: { kind: "hold" },
  }]);
  const released = load(`${pings}respawn hacluster /usr/lib/heartbeat/ipfail\n`);
  assert.deepEqual(faults(released), []);
  assert.deepEqual(released.settings?.arbiters[0]?.onUnreachable, { kind: "release" });
});

Deno.test("ping nodes are members of their own too, a group with all of its hosts, dead after deadping", () => {
  const text =
    `${goodHaCf}ping 10.0.0.254\nping6 fd00::1\nping_group routers 10.0.0.253 10.0.0.252\ndeadping 5\n`;
  const { settings } = load(text);
  assert.deepEqual(settings?.pingMembers, [
    { name: "10.0.0.254", targets: ["10.0.0.254"] },
    { name: "fd00::1", targets: ["fd00::1"] },
    { name: "routers", targets: ["10.0.0.253", "10.0.0.252"] },
  ]);
  assert.equal(settings?.deadPingMs, 5_000);
  assert.equal(load(goodHaCf).settings?.deadPingMs, load(goodHaCf).settings?.timing.deadTimeMs);
});

Deno.test("host names are resolved by the loader, and own addresses are no peers", () => {
  const text = goodHaCf.replace("10.77.2.2", "node2-hb") + "ucast hb0 10.77.2.1\nping gateway\n";
  assert.deepEqual(hostNamesIn(text), ["node2-hb", "gateway"]);
  const { settings } = load(text, {
    context: {
      hostAddresses: new Map([["node2-hb", "10.77.2.2"], ["gateway", "10.77.1.254"]]),
      ownAddresses: new Set(["10.77.2.1"]),
    },
  });
  assert.deepEqual(ucastsOf(settings).map(({ device, peer, local }) => [device, peer, local]), [
    ["hb0", "10.77.2.2", "10.77.2.1"],
    ["pub0", "10.77.1.2", null],
  ]);
  assert.deepEqual(settings?.arbiters[0]?.targets, ["10.77.1.254"]);
});

Deno.test("haresources lines become groups that may move to every node", () => {
  const haresources =
    "# two groups\nnode1 \\\n  10.0.0.9/24/eth0 \\\n  httpd\n\nNODE2\tIPaddr::10.0.0.10/24/eth0 Filesystem::/dev/sda1::/data::ext4\n";
  const { settings } = load(goodHaCf, { haresources });
  assert.deepEqual(
    settings?.groups.map(({ name, nodes, resources }) => [name, nodes, resources.map(({ id }) => id)]),
    [
      ["10.0.0.9/24/eth0", ["node1", "node2"], ["10.0.0.9/24/eth0", "httpd"]],
      ["IPaddr::10.0.0.10/24/eth0", ["node2", "node1"], [
        "IPaddr::10.0.0.10/24/eth0",
        "Filesystem::/dev/sda1::/data::ext4",
      ]],
    ],
  );
});

Deno.test("everything wrong with haresources is found at its place", () => {
  const cases: readonly [string, readonly string[], Partial<LoadContext>?][] = [
    ["node3 10.0.0.9/24\n", ["1:1 error unknown-node"]],
    ["node1\n", ["1:1 error empty-group"]],
    ["node1 10.0.0.9/24\nnode2 10.0.0.9/24\n", ["2:7 error duplicate-group"]],
    ["node1 10.0.0.9/24\nnode2 IPaddr::10.0.0.9/24\n", ["2:7 error duplicate-address"]],
    ["node1 \\\n  httpd 10.0.0.299\n", ["2:9 error bad-address"]],
    ["node1 httpd httpd\n", ["1:13 error duplicate-resource"]],
    ["node1 10.0.0.9/24 \\", ["1:7 warning open-line"]],
    ["node1 httpb\n", ["1:7 warning no-script"], { scripts: new Set(["httpd"]) }],
    ["", ["0:0 warning no-groups"]],
  ];
  for (const [haresources, expected, context = {}] of cases) {
    assert.deepEqual(faults(load(goodHaCf, { haresources, context })), expected, haresources);
  }
});

Deno.test("IPaddr scripts of this machine run only where nativeVip is off", () => {
  const scripts = new Set(["IPaddr2"]);
  for (const [nativeVip, kind] of [[true, "vip"], [false, "ha"]] as const) {
    const { settings } = load(goodHaCf, { context: { scripts, nativeVip } });
    assert.equal(settings?.groups[0]?.resources[0]?.spec.kind, kind);
  }
});

Deno.test("no text makes the parsers of an ha.d directory throw", () => {
  const pieces = fc.constantFrom(
    ...goodHaCf.split(/(?<=[\s])/),
    ..."ping ping_group respawn env crm autojoin bcast # \\ , :: IPaddr2:: \r \0".split(" ").map((word) =>
      `${word} `
    ),
  );
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(pieces, { maxLength: 40 }).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(texts, texts, (haCf, haresources) => {
      const { settings, problems } = load(haCf, { haresources });
      assert.equal(settings === null, problems.some((problem) => problem.severity === "error"));
      hostNamesIn(haCf);
      const { groups } = parseHaResources(haresources, "haresources");
      assert.equal(new Set(groups.map((group) => group.name)).size, groups.length);
    }),
    { numRuns: 1000 },
  );
});
