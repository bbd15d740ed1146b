import assert from "node:assert/strict";
import process from "node:process";
import { readAnnounceOptions, readProbeOptions, readWatchOptions } from "../../cli/commands/arp/options.ts";
import { UsageError } from "../../lib/errors.ts";
import { libc } from "../../lib/system/libc.ts";
import { type Host, networkTest, type TestNetwork } from "../system/network.ts";
import { type Ended, heartline, type RunOptions } from "./run.ts";

libc(); // opened once for all tests: it stays open

/** Runs the command on a host: a child is born in the namespace that this thread is in at that moment. */
function on(network: TestNetwork, host: Host, args: string, options?: RunOptions): Promise<Ended> {
  let ended: Promise<Ended> | undefined;
  network.on(host, () => {
    ended = heartline(["arp", ...args.split(" ")], options);
  });
  return ended!;
}

function hardwareOf(network: TestNetwork, host: "b" | "c"): string {
  return JSON.parse(network.ip(host, "-j link show dev e0"))[0].address;
}

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.problems;
  }
  throw new assert.AssertionError({ message: "it was accepted" });
}

Deno.test("options become requests, with both forms unless one alone is asked for", () => {
  const base = { vip: "2001:DB8::0:10", dev: "eth0", count: "3", interval: "1s" };
  const expected = {
    vip: { text: "2001:db8::10", family: 6 },
    device: "eth0",
    count: 3,
    intervalMs: 1000,
    forms: ["request", "reply"],
    refreshMs: null,
    isJson: false,
  };
  assert.deepEqual(readAnnounceOptions(base), expected);
  const forms: Array<[Partial<Parameters<typeof readAnnounceOptions>[0]>, string[]]> = [
    [{ request: true }, ["request"]],
    [{ reply: true }, ["reply"]],
    [{ request: true, reply: true }, ["request", "reply"]],
    [{ both: true, reply: true }, ["request", "reply"]],
  ];
  for (const [more, wanted] of forms) {
    assert.deepEqual(readAnnounceOptions({ ...base, ...more }).forms, wanted);
  }
  assert.equal(readAnnounceOptions({ ...base, refresh: "60s" }).refreshMs, 60_000);
});

Deno.test("what cannot be meant is refused, all problems at once, with what would be accepted", () => {
  const problems = problemsOf(() =>
    readAnnounceOptions({ vip: "10.0.0.9/24", count: "0", interval: "1x", refresh: "1ms" })
  );
  assert.deepEqual(problems.map((problem) => problem.split(":")[0]), [
    'Cannot use --vip "10.0.0.9/24"',
    'Cannot use --count "0"',
    'Cannot use --interval "1x"',
    'Cannot use --refresh "1ms"',
  ]);
  assert.match(problems[0]!, /leave the prefix out: 10\.0\.0\.9$/);
  const addresses = ["10.0.0", "eth0", "224.0.0.1", "0.0.0.0", "255.255.255.255", "::", "ff02::1", ""];
  for (const vip of addresses) {
    assert.equal(problemsOf(() => readProbeOptions({ vip, timeout: "1s" })).length, 1, vip);
  }
  assert.match(problemsOf(() => readWatchOptions({}))[0]!, /give --dev INTERFACE, or --vip ADDRESS/);
});

networkTest("probe: one holder is 0, none and two are 1, and each is named", [], async (network) => {
  network.ip("a", "addr add 10.9.0.1/24 dev br0");
  const none = await on(network, "a", "probe --vip 10.9.0.9 --timeout 100ms");
  assert.deepEqual([none.code, none.stderr], [1, ""]);
  assert.match(none.stdout, /^Nobody answers for 10\.9\.0\.9 on br0 within 100 ms/);

  for (const [address, prefix] of [["10.9.0.9", 24], ["fd09::9", 64]] as const) {
    network.ip("b", `addr add ${address}/${prefix} dev e0`);
    const one = await on(network, "a", `probe --vip ${address} --dev br0 --timeout 300ms`);
    assert.deepEqual([one.code, one.stderr], [0, ""]);
    assert.match(
      one.stdout,
      new RegExp(`^One holder .*\\n  ${hardwareOf(network, "b")}  \\d answers?, first`),
    );

    network.ip("c", `addr add ${address}/${prefix} dev e0`);
    const two = await on(network, "a", `probe --vip ${address} --dev br0 --timeout 300ms --json`);
    assert.equal(two.code, 1);
    const report = JSON.parse(two.stdout);
    assert.deepEqual([report.schema, report.address, report.device, report.verdict], [
      1,
      address,
      "br0",
      "several",
    ]);
    assert.deepEqual(
      report.holders.map((holder: { hardware: string }) => holder.hardware).sort(),
      [hardwareOf(network, "b"), hardwareOf(network, "c")].sort(),
    );
  }
  const own = await on(network, "b", "probe --vip 10.9.0.9 --timeout 300ms --json");
  assert.equal(own.code, 1, "this machine and another one hold it");
  assert.deepEqual(
    JSON.parse(own.stdout).holders.map((holder: { isThisMachine: boolean }) => holder.isThisMachine),
    [true, false],
  );
});

networkTest(
  "watch shows what announce says, marks a change of holder, and ends on Ctrl-C",
  [],
  async (network) => {
    network.ip("b", "addr add 10.9.0.9/24 dev e0");
    network.ip("c", "addr add 10.9.0.9/24 dev e0");
    const [b, c] = [hardwareOf(network, "b"), hardwareOf(network, "c")];
    let isInterrupted = false;
    let announced: Promise<Ended> | undefined;
    // The first lines come from an announcer that goes on until it is interrupted itself.
    const first = on(network, "b", "announce --vip 10.9.0.9 --count 1 --refresh 100ms --json", {});
    const watched = on(network, "a", "watch --dev br0 --vip 10.9.0.9", {
      onOutput: (all, end) => {
        announced ??= on(network, "c", "announce --vip 10.9.0.9 --count 2 --interval 50ms --reply");
        if (all.includes(`is at ${c} (reply, to all)  CHANGED from ${b}`) && !isInterrupted) {
          isInterrupted = true;
          end("SIGINT");
        }
      },
    });
    const ended = await watched;
    const other = await announced!;
    network.ip("b", "link set e0 down"); // ends the endless announcer
    const failed = await first;
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(
      ended.stdout,
      new RegExp(`^\\d\\d:\\d\\d:\\d\\d\\.\\d{3}  10\\.9\\.0\\.9 is at ${b} \\((request|reply), to all\\)`),
    );
    assert.equal(other.stdout, `Announced 10.9.0.9 at ${c} on e0 2 times (reply)\n`);
    assert.equal(other.code, 0);
    assert.equal(failed.code, 69);
    assert.match(failed.stderr, /network is down/);
  },
);

networkTest("announce: an address that is not here is announced, with a note", [], async (network) => {
  network.ip("b", "addr add 10.9.0.2/24 dev e0");
  const once = await on(network, "b", "announce --vip 10.9.0.9 --count 1 --json");
  assert.equal(once.code, 0);
  assert.match(once.stderr, /^Note: 10\.9\.0\.9 is not on this machine/);
  assert.deepEqual(JSON.parse(once.stdout), {
    schema: 1,
    address: "10.9.0.9",
    device: "e0",
    hardware: hardwareOf(network, "b"),
    forms: ["request", "reply"],
    sent: 1,
    isHere: false,
  });
});

networkTest(
  "a place that cannot carry the question is an error that says why and what there is",
  [],
  async (network) => {
    network.ip("b", "addr add 10.9.0.2/24 dev e0");
    const cases: Array<[string, RegExp]> = [
      [
        "probe --vip 10.9.0.9 --dev e1",
        /there is none of that name; did you mean "e0"\? \(there are: lo, e0\)/,
      ],
      [
        "probe --vip 192.0.2.9",
        /Cannot choose an interface for 192\.0\.2\.9: .*name one with --dev \(there are: lo, e0\)/,
      ],
      ["announce --vip 127.0.0.9", /Cannot use interface "lo": it has no neighbours/],
    ];
    for (const [args, message] of cases) {
      const ended = await on(network, "b", args);
      assert.deepEqual([ended.code, ended.stdout], [69, ""], args);
      assert.match(ended.stderr, message);
    }
    network.ip("a", "link set vb down");
    const noCarrier = await on(network, "b", "probe --vip 10.9.0.9");
    assert.match(noCarrier.stderr, /has no carrier; check its cable/);
    network.ip("b", "link set e0 down");
    const down = await on(network, "b", "probe --vip 10.9.0.9 --dev e0");
    assert.match(down.stderr, /it is down; "ip link set e0 up" brings it up/);
  },
);

networkTest(
  "without permission for raw sockets the exit code is 77 and the capability is named",
  ["setpriv"],
  async (network) => {
    network.ip("b", "addr add 10.9.0.2/24 dev e0");
    const { spawnSync } = await import("node:child_process");
    const main = new URL("../../cli/main.ts", import.meta.url).pathname;
    const binary = process.env["HEARTLINE_BIN"];
    const command = binary === undefined ? [process.execPath, "run", "-A", main] : [binary];
    const args = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", ...command];
    const ended = spawnSync("ip", [
      "netns",
      "exec",
      network.name("b"),
      ...args,
      "arp",
      "probe",
      "--vip",
      "10.9.0.9",
    ], {
      encoding: "utf8",
    });
    assert.equal(ended.status, 77, ended.stderr);
    assert.match(
      ended.stderr,
      /Cannot open an ARP socket on interface "e0": operation not permitted .*CAP_NET_RAW/,
    );
  },
);
