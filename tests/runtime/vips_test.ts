/** The daemon's addresses on a real kernel: what it learns of their interfaces. */

import assert from "node:assert/strict";
import { Health } from "../../lib/core/ownership/health.ts";
import type { Input } from "../../lib/core/inputs.ts";
import type { GroupSettings, VipSpec } from "../../lib/core/settings.ts";
import { systemVipParts } from "../../lib/resources/vip_runner.ts";
import { Vips } from "../../lib/runtime/vips.ts";
import { libc } from "../../lib/system/libc.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import { contextAt } from "../core/helpers.ts";
import { group, settings } from "../core/samples.ts";
import { networkTest, until } from "../system/network.ts";

libc(); // Loaded once and kept: no leak of the first test.

/** As in haresources: neither interface nor prefix are named. */
const bare: Partial<VipSpec> = { address: "10.9.0.100", device: null, prefix: null };

function groupWithBareAddress(): GroupSettings {
  const web = group({ name: "web", resources: [{ leaseSeconds: 1 }] });
  const [vip] = web.resources;
  return { ...web, resources: [{ ...vip!, spec: { ...vip!.spec, ...bare } as VipSpec }] };
}

networkTest(
  "an address that names no interface is able again when its interface is back, or came after the daemon",
  [],
  async ({ ip, on }) => {
    const web = groupWithBareAddress();
    const health = new Health(web);
    const context = contextAt(0);
    const learn = (input: Input) => {
      if (input.kind === "carrier") health.setCarrier(context, input.device, input.isUp);
    };
    const table = on("b", () => Netlink.open());
    const vips = new Vips({ ...settings(), groups: [web] }, table, systemVipParts(table), learn, () => {});
    try {
      on("b", () => vips.open());
      assert.match(health.ailment ?? "", /no carrier/);
      ip("b", "addr add 10.9.0.2/24 dev e0");
      await until("the interface came after the daemon", () => health.isFit);
      ip("b", "link set e0 down");
      await until("the interface is down", () => !health.isFit);
      ip("b", "link set e0 up");
      await until("the interface is back", () => health.isFit);
      assert.deepEqual(context.alarms.view(context.now), []);
    } finally {
      vips.close();
      table.close();
    }
  },
);

networkTest("an address that is put on by hand is told, until it is off or held", [], async ({ ip, on }) => {
  const web = groupWithBareAddress();
  const strays: (string | null)[] = [];
  const learn = (input: Input) => {
    if (input.kind === "stray") strays.push(input.device);
  };
  ip("b", "addr add 10.9.0.2/24 dev e0");
  const table = on("b", () => Netlink.open());
  const vips = new Vips({ ...settings(), groups: [web] }, table, systemVipParts(table), learn, () => {});
  try {
    on("b", () => vips.open());
    ip("b", "addr add 10.9.0.100/32 dev lo");
    ip("b", "addr add 10.9.0.100/24 dev e0");
    await until("it is seen", () => strays.length > 0);
    ip("b", "addr del 10.9.0.100/24 dev e0");
    await until("it is gone", () => strays.length > 1);
    ip("b", "addr del 10.9.0.100/32 dev lo");
    ip("b", "addr add 10.9.0.100/24 dev e0");
    await until("it is seen again", () => strays.length > 2);
    assert.equal(on("b", () => vips.run("web", 0, "start", Infinity)).result, "running");
    await until("it is held", () => strays.length > 3);
    vips.drop("web");
    assert.deepEqual(strays, ["e0", null, "e0", null]);
  } finally {
    vips.close();
    table.close();
  }
});
