/** The virtual address on the real kernel, in network namespaces. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import type { VipSpec } from "../../lib/core/settings.ts";
import { keepSecondaries } from "../../lib/resources/keep_secondaries.ts";
import { VipHolder } from "../../lib/resources/vip.ts";
import { systemVipParts } from "../../lib/resources/vip_runner.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { missingForNamespaces, TwoMachines, until } from "./two_machines.ts";

const missing = missingForNamespaces();
if (missing !== null) console.warn(`SKIPPED: virtual addresses on the real kernel: this needs ${missing}`);

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

interface Scene {
  readonly machines: TwoMachines;
  readonly table: Netlink;
  holder(spec: VipSpec): VipHolder;
}

function scene(name: string, act: (scene: Scene) => Promise<void> | void): void {
  Deno.test({
    name,
    ignore: missing !== null,
    fn: async () => {
      using machines = new TwoMachines();
      const table = machines.on(machines.a, () => Netlink.open());
      const parts = {
        ...systemVipParts(table),
        keepSecondaries: (device: string) => machines.on(machines.a, () => keepSecondaries(device)),
      };
      try {
        await act({ machines, table, holder: (spec) => new VipHolder(spec, parts) });
      } finally {
        table.close();
      }
    },
  });
}

const shown = ({ machines }: Scene, address: string) =>
  machines.ip(machines.a, "-o", "address", "show").split("\n").filter((line) =>
    line.includes(` ${address}/`)
  );

for (const spec of [four, six]) {
  scene(`IPv${spec.family}: start, stop and look are idempotent`, (on) => {
    const holder = on.holder(spec);
    assert.equal(holder.monitor().result, "stopped");
    assert.equal(holder.drop().result, "stopped");
    for (let time = 0; time < 2; time++) {
      const outcome = holder.start();
      assert.equal(outcome.result, "running", outcome.reason);
      assert.equal(shown(on, spec.address).length, 1);
    }
    assert.equal(holder.isPresent(), true);
    assert.equal(holder.monitor().result, "running");
    for (let time = 0; time < 2; time++) assert.equal(holder.drop().result, "stopped");
    assert.deepEqual(shown(on, spec.address), []);
    assert.equal(holder.isPresent(), false);
  });

  scene(
    `IPv${spec.family}: the kernel ends the lease, and a renewal never brings the address back`,
    async (on) => {
      const holder = on.holder({ ...spec, leaseSeconds: 2 });
      assert.equal(holder.start().result, "running");
      const startedMs = monotonicMs();
      // Renewed, it outlives its first lease…
      while (monotonicMs() - startedMs < 2600) {
        assert.deepEqual(holder.renew(), { kind: "renewed" });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.equal(holder.isPresent(), true);
      // …and without renewals it goes.
      assert.deepEqual(holder.renew(), { kind: "renewed" });
      const lastMs = monotonicMs();
      await until(() => !holder.isPresent(), "the kernel removes the address");
      const lifeMs = monotonicMs() - lastMs;
      assert.ok(lifeMs > 1700 && lifeMs < 6000, `lived on for ${lifeMs} ms`);
      assert.deepEqual(holder.renew(), { kind: "lost" });
      assert.deepEqual(shown(on, spec.address), []);
    },
  );

  scene(`IPv${spec.family}: a permanent address is adopted and gets a lease`, (on) => {
    on.machines.ip(on.machines.a, "address", "add", `${spec.address}/${spec.prefix}`, "dev", "eth0");
    const outcome = on.holder({ ...spec, leaseSeconds: 5 }).start();
    assert.equal(outcome.result, "running");
    assert.match(outcome.reason, /without a lease: adopted/);
    assert.match(shown(on, spec.address)[0] ?? "", /valid_lft [45]sec/);
  });

  scene(
    `IPv${spec.family}: the node's own address and its route survive a virtual one with a lease`,
    async (on) => {
      const own = spec.family === 4 ? "10.9.0.1" : "fd09::1";
      const route = () =>
        on.machines.ip(on.machines.a, `-${spec.family}`, "route", "show", "dev", "eth0", "proto", "kernel");
      const before = route();
      const holder = on.holder({ ...spec, leaseSeconds: 1 });
      assert.equal(holder.start().result, "running");
      assert.equal(route(), before);
      await until(() => !holder.isPresent(), "the kernel removes the address");
      assert.equal(route(), before);
      assert.equal(shown(on, own).length, 1);
    },
  );

  scene(`IPv${spec.family}: interface and prefix are found by the subnet`, (on) => {
    const outcome = on.holder({ ...spec, device: null, prefix: null }).start();
    assert.equal(outcome.result, "running", outcome.reason);
    assert.match(shown(on, spec.address)[0] ?? "", new RegExp(`eth0 .*/${spec.prefix} `));
    assert.equal(on.holder({ ...spec, device: null, prefix: null }).drop().result, "stopped");
    assert.deepEqual(shown(on, spec.address), []);
  });

  scene(`IPv${spec.family}: without a prefix and a subnet it is a host address`, (on) => {
    const address = spec.family === 4 ? "192.0.2.9" : "2001:db8::9";
    assert.equal(on.holder({ ...spec, address, prefix: null }).start().result, "running");
    assert.match(shown(on, address)[0] ?? "", spec.family === 4 ? /\/32 / : /\/128 /);
    const nowhere = on.holder({ ...spec, address, prefix: null, device: null });
    nowhere.drop();
    const refused = on.holder({ ...spec, address, prefix: null, device: null }).start();
    assert.equal(refused.result, "failed");
    assert.match(refused.reason, /no interface of this machine has a subnet with it/);
  });
}

scene("label and broadcast are set as given, and the broadcast of the subnet by default", (on) => {
  on.holder({ ...four, label: "eth0:web", broadcast: "10.9.0.254" }).start();
  assert.match(shown(on, four.address)[0] ?? "", /brd 10\.9\.0\.254 .*eth0:web/);
  on.holder({ ...four, address: "10.9.0.101" }).start();
  assert.match(shown(on, "10.9.0.101")[0] ?? "", /brd 10\.9\.0\.255 /);
});

scene("an IPv6 address is deprecated, so that nothing of ours goes out from it, and usable at once", (on) => {
  assert.equal(on.holder(six).start().result, "running");
  const [line = ""] = shown(on, six.address);
  assert.match(line, /nodad/);
  assert.match(line, /preferred_lft 0sec/);
  assert.doesNotMatch(line, /tentative/);
});

scene("a node's own address that came after the virtual one outlives it", (on) => {
  const setting = "/proc/sys/net/ipv4/conf/eth0/promote_secondaries";
  on.machines.on(on.machines.a, () => writeFileSync(setting, "0"));
  on.machines.ip(on.machines.a, "address", "flush", "dev", "eth0");
  const holder = on.holder(four);
  assert.equal(holder.start().result, "running");
  on.machines.ip(on.machines.a, "address", "add", "10.9.0.1/24", "dev", "eth0");
  assert.equal(holder.drop().result, "stopped");
  assert.equal(shown(on, "10.9.0.1").length, 1);
  assert.equal(on.machines.on(on.machines.a, () => readFileSync(setting, "utf8").trim()), "1");
});

scene("a wrong prefix of a hand-made address is put right", (on) => {
  on.machines.ip(on.machines.a, "address", "add", `${four.address}/32`, "dev", "eth0");
  assert.equal(on.holder(four).start().result, "running");
  assert.equal(shown(on, four.address).length, 1);
  assert.match(shown(on, four.address)[0] ?? "", /\/24 /);
});

scene("an address on another interface is neither doubled nor removed", (on) => {
  on.machines.ip(on.machines.a, "link", "add", "other0", "type", "veth", "peer", "name", "other1");
  on.machines.ip(on.machines.a, "address", "add", `${four.address}/24`, "dev", "other0");
  const start = on.holder(four).start();
  assert.equal(start.result, "failed");
  assert.match(
    start.reason,
    /^Cannot start address "10\.9\.0\.100": it is on interface "other0" already; remove it there$/,
  );
  const stop = on.holder(four).drop();
  assert.equal(stop.result, "failed");
  assert.equal(shown(on, four.address).length, 1);
});

scene("a balanced service's address on the loopback interface is not ours", (on) => {
  on.machines.ip(on.machines.a, "address", "add", `${four.address}/32`, "dev", "lo");
  assert.equal(on.holder(four).monitor().result, "stopped");
  assert.equal(on.holder(four).drop().result, "stopped");
  assert.equal(shown(on, four.address).length, 1);
});

scene("an interface that is down or does not exist is told", (on) => {
  const absent = on.holder({ ...four, device: "eth7" }).start();
  assert.equal(absent.result, "failed");
  assert.match(absent.reason, /there is no interface "eth7"; there is "lo", "eth0"/);
  on.machines.ip(on.machines.a, "link", "set", "eth0", "down");
  const down = on.holder(four).start();
  assert.equal(down.result, "failed");
  assert.match(down.reason, /interface "eth0" is down/);
});

scene("an address is fast to renew", (on) => {
  const holder = on.holder({ ...four, leaseSeconds: 5 });
  holder.start();
  for (let warm = 0; warm < 200; warm++) holder.renew();
  const times = Array.from({ length: 200 }, () => {
    const startedMs = performance.now();
    assert.equal(holder.renew().kind, "renewed");
    return performance.now() - startedMs;
  });
  const medianMs = times.sort((a, b) => a - b)[100]!;
  assert.ok(medianMs < 5, `a renewal took ${medianMs} ms`);
});
