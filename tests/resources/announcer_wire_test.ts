/** Announcements on a real cable, as tcpdump at the other end sees them. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { VipSpec } from "../../lib/core/settings.ts";
import { openAnnouncer } from "../../lib/resources/announcer.ts";
import { VipHolder } from "../../lib/resources/vip.ts";
import { systemVipParts } from "../../lib/resources/vip_runner.ts";
import { NeighbourSocket } from "../../lib/system/neighbour.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import { hasProgram, missingForNamespaces, TwoMachines, until } from "./two_machines.ts";

const missing = missingForNamespaces() ??
  (hasProgram("tcpdump") ? null : 'the program "tcpdump" (Debian package "tcpdump")');
if (missing !== null) console.warn(`SKIPPED: announcements on a real cable: this needs ${missing}`);

const four: VipSpec = {
  kind: "vip",
  address: "10.9.0.100",
  family: 4,
  prefix: 24,
  device: "eth0",
  label: null,
  broadcast: null,
  leaseSeconds: null,
  duplicateCheckMs: 0,
  announceRefreshMs: 0,
};
const six: VipSpec = { ...four, address: "fd09::100", family: 6, prefix: 64 };

/** tcpdump on a namespace's eth0: its lines, each with the instant at which it came. */
class Capture implements AsyncDisposable {
  readonly lines: { readonly atMs: number; readonly text: string }[] = [];
  readonly #child: ChildProcess;
  #isListening = false;

  constructor(namespace: string, filter: string) {
    const args = [
      "netns",
      "exec",
      namespace,
      "tcpdump",
      "-i",
      "eth0",
      "-n",
      "-l",
      "-e",
      "-v",
      "--immediate-mode",
    ];
    this.#child = spawn("ip", [...args, filter], { stdio: ["ignore", "pipe", "pipe"] });
    let rest = "";
    this.#child.stdout!.on("data", (chunk) => {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const text of parts) this.lines.push({ atMs: performance.now(), text });
    });
    this.#child.stderr!.on("data", (chunk) => {
      if (String(chunk).includes("listening on")) this.#isListening = true;
    });
  }

  async ready(): Promise<void> {
    await until(() => this.#isListening, "tcpdump listens");
  }

  matching(pattern: RegExp) {
    return this.lines.filter(({ text }) => pattern.test(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, "close");
    this.#child.kill("SIGTERM");
    await closed;
  }
}

function open(machines: TwoMachines, spec: VipSpec) {
  return machines.on(machines.a, () => {
    const table = Netlink.open();
    const holder = new VipHolder(spec, { ...systemVipParts(table), keepSecondaries: () => {} });
    const claims: string[] = [];
    const announcer = openAnnouncer(spec, table.link("eth0")!, {
      isHeld: () => holder.isPresent(),
      claimed: (address, hardware) => claims.push(`${address} ${hardware}`),
    });
    assert.ok(announcer !== null);
    return {
      holder,
      announcer,
      claims,
      table,
      [Symbol.dispose]() {
        announcer.close();
        table.close();
      },
    };
  });
}

Deno.test({
  name: "five pairs of a broadcast request and reply are seen, the last three seconds after the start",
  ignore: missing !== null,
  fn: async () => {
    using machines = new TwoMachines();
    await using capture = new Capture(machines.b, "arp");
    await capture.ready();
    using vip = open(machines, four);
    vip.holder.start();
    vip.announcer.start();
    await until(() => capture.matching(/Reply 10\.9\.0\.100 is-at/).length === 5, "five replies");
    const seen = capture.matching(/10\.9\.0\.100/);
    const kinds = seen.map(({ text }) =>
      /Request who-has 10\.9\.0\.100 .*tell 10\.9\.0\.100/.test(text) ? "Q" : "R"
    );
    assert.equal(kinds.join(""), "QRQRQRQRQR");
    const frames = capture.matching(/> Broadcast|> ff:ff:ff:ff:ff:ff/);
    assert.ok(frames.length >= 5);
    const requests = seen.filter((_, i) => i % 2 === 0).map(({ atMs }) => atMs - seen[0]!.atMs);
    [100, 300, 1000, 3000].forEach((ms, i) => {
      const atMs = requests[i + 1]!;
      assert.ok(atMs > ms - 80 && atMs < ms + 500, `announcement ${i + 2} after ${atMs} ms instead of ${ms}`);
    });
  },
});

Deno.test({
  name: "IPv6: unsolicited advertisements to all nodes, with the override flag and without the solicited one",
  ignore: missing !== null,
  fn: async () => {
    using machines = new TwoMachines();
    await using capture = new Capture(machines.b, "icmp6");
    await capture.ready();
    using vip = open(machines, six);
    vip.holder.start();
    vip.announcer.start();
    const pattern = /> ff02::1: .*neighbor advertisement.*tgt is fd09::100, Flags \[override\]/;
    await until(() => capture.matching(pattern).length === 5, "five advertisements");
  },
});

Deno.test({
  name: "an address that is removed by hand is not announced any more",
  ignore: missing !== null,
  fn: async () => {
    using machines = new TwoMachines();
    await using capture = new Capture(machines.b, "arp");
    await capture.ready();
    using vip = open(machines, four);
    vip.holder.start();
    vip.announcer.start();
    await until(() => capture.matching(/Reply 10\.9\.0\.100 is-at/).length >= 1, "the first reply");
    machines.ip(machines.a, "address", "delete", "10.9.0.100/24", "dev", "eth0");
    const atRemoval = performance.now();
    // The announcements at 0.1, 0.3 and 1 s must stay away; one from elsewhere shows that the capture works.
    await until(() => performance.now() - atRemoval > 1300, "the instants of three announcements pass", 3000);
    const prober = machines.on(machines.a, () => NeighbourSocket.open(vip.table.link("eth0")!, 4));
    prober.announce("10.9.0.77", "reply");
    await until(() => capture.matching(/Reply 10\.9\.0\.77 is-at/).length >= 1, "the capture is alive");
    prober.close();
    const late = capture.matching(/10\.9\.0\.100/).filter(({ atMs }) => atMs > atRemoval + 50);
    assert.deepEqual(late.map(({ text }) => text), []);
  },
});

for (const spec of [four, six]) {
  Deno.test({
    name: `IPv${spec.family}: a rival's announcement is told, and answered at once`,
    ignore: missing !== null,
    fn: async () => {
      using machines = new TwoMachines();
      await using capture = new Capture(machines.b, spec.family === 4 ? "arp" : "icmp6");
      await capture.ready();
      using vip = open(machines, spec);
      vip.holder.start();
      vip.announcer.start();
      const own = spec.family === 4 ? /Reply 10\.9\.0\.100 is-at/ : /advertisement.*tgt is fd09::100/;
      await until(() => capture.matching(own).length >= 4, "four announcements");
      const { rival, hardware } = machines.on(machines.b, () => {
        const table = Netlink.open();
        const link = table.link("eth0")!;
        table.close();
        const hardware = [...link.hardware].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
        return { rival: NeighbourSocket.open(link, spec.family), hardware };
      });
      try {
        rival.announce(spec.address, "reply");
        const saidMs = performance.now();
        await until(() => vip.claims.length > 0, "the claim is told");
        assert.equal(vip.claims[0], `${spec.address} ${hardware}`);
        await until(
          () =>
            capture.matching(own).some(({ atMs, text }) => atMs > saidMs && !text.includes(`${hardware} >`)),
          "an answer is seen",
        );
      } finally {
        rival.close();
      }
    },
  });
}
