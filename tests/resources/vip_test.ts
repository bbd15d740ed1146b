/** The virtual address over a table of our own, where time can be stopped between any two calls. */

import assert from "node:assert/strict";
import type { VipSpec } from "../../lib/core/settings.ts";
import { EnvironmentError } from "../../lib/errors.ts";
import { type AddressTable, defaultBroadcast, VipHolder } from "../../lib/resources/vip.ts";
import type { AddressInfo, LinkInfo } from "../../lib/system/netlink.ts";

const link: LinkInfo = {
  index: 2,
  name: "eth0",
  hardware: new Uint8Array(6),
  broadcast: new Uint8Array(6).fill(255),
  type: 1,
  mtu: 1500,
  isUp: true,
  hasCarrier: true,
  hasNeighbours: true,
};

const spec: VipSpec = {
  kind: "vip",
  address: "10.9.0.100",
  family: 4,
  prefix: 24,
  device: "eth0",
  label: null,
  broadcast: null,
  leaseSeconds: 1,
  duplicateCheckMs: 0,
  announceRefreshMs: 0,
};

/** A kernel table whose calls can take time, and can fail. */
class FakeTable implements AddressTable {
  nowMs = 1000;
  held: AddressInfo[] = [];
  /** How long each call stops the process before it is carried out. */
  setDelayMs = 0;
  error: Error | null = null;
  sets = 0;

  link(name: string): LinkInfo | null {
    return name === link.name ? link : null;
  }
  links(): LinkInfo[] {
    return [link];
  }
  addresses(): AddressInfo[] {
    if (this.error !== null) throw this.error;
    return [...this.held];
  }
  setAddress(request: Parameters<AddressTable["setAddress"]>[0]): void {
    this.nowMs += this.setDelayMs;
    if (this.error !== null) throw this.error;
    this.sets++;
    const { index, address, prefix, validSeconds } = request;
    this.held = this.held.filter((info) => info.address !== address);
    this.held.push({ index, family: 4, address, prefix, label: null, validSeconds, flags: 0 });
  }
  removeAddress(_index: number, address: string): boolean {
    if (this.error !== null) throw this.error;
    const before = this.held.length;
    this.held = this.held.filter((info) => info.address !== address);
    return this.held.length < before;
  }
  deviceForAddress(): null {
    return null;
  }
}

function scene(more: Partial<VipSpec> = {}): { table: FakeTable; holder: VipHolder } {
  const table = new FakeTable();
  const parts = { table, now: () => table.nowMs, keepSecondaries: () => {} };
  return { table, holder: new VipHolder({ ...spec, ...more }, parts) };
}

Deno.test("a process that slept before the decision was carried out does not touch the address", () => {
  const { table, holder } = scene();
  assert.equal(holder.start(table.nowMs - 1).result, "failed");
  assert.equal(table.sets, 0);
  holder.start();
  table.nowMs += 500;
  assert.deepEqual(holder.renew(table.nowMs - 200), { kind: "late", lateMs: 200 });
  assert.equal(table.sets, 1);
  assert.equal(holder.isPresent(), true);
});

Deno.test("a process stopped inside the system call takes back what it did too late", () => {
  const starting = scene();
  starting.table.setDelayMs = 800;
  const start = starting.holder.start(starting.table.nowMs + 100);
  assert.equal(start.result, "failed");
  assert.match(start.reason, /slept 700 ms past the decision/);
  assert.equal(starting.holder.isPresent(), false);

  const renewing = scene();
  renewing.holder.start();
  renewing.table.setDelayMs = 800;
  assert.deepEqual(renewing.holder.renew(renewing.table.nowMs + 100), { kind: "late", lateMs: 700 });
  assert.equal(renewing.holder.isPresent(), false);
});

Deno.test("a renewal in time renews", () => {
  const { table, holder } = scene();
  holder.start(table.nowMs + 10);
  assert.deepEqual(holder.renew(table.nowMs + 10), { kind: "renewed" });
  assert.equal(table.sets, 2);
});

Deno.test("a renewal never adds an address that is gone", () => {
  const { table, holder } = scene();
  assert.deepEqual(holder.renew(), { kind: "lost" });
  holder.start();
  table.held = [];
  assert.deepEqual(holder.renew(), { kind: "lost" });
  assert.deepEqual(table.held, []);
});

Deno.test("an address without a lease is not set anew at each renewal", () => {
  const { table, holder } = scene({ leaseSeconds: null });
  holder.start();
  assert.deepEqual(holder.renew(), { kind: "renewed" });
  assert.equal(table.sets, 1);
});

Deno.test("errors of the kernel become outcomes and are never thrown", async (t) => {
  const cases: [error: Error, code: number][] = [
    [new EnvironmentError("Cannot ask: operation not permitted", 77), 4],
    [new Error("boom"), 1],
  ];
  for (const [error, code] of cases) {
    await t.step(error.message, () => {
      const { table, holder } = scene();
      holder.start();
      table.error = error;
      for (const outcome of [holder.start(), holder.drop(), holder.monitor()]) {
        assert.equal(outcome.result, "failed");
        assert.equal(outcome.code, code);
        assert.ok(outcome.reason.includes(error.message));
      }
      assert.deepEqual(holder.renew(), { kind: "failed", reason: error.message });
      assert.equal(holder.isPresent(), false);
    });
  }
});

Deno.test("the broadcast address is the highest of the subnet", () => {
  const cases: [address: string, prefix: number, broadcast: string | null][] = [
    ["10.9.0.100", 24, "10.9.0.255"],
    ["10.9.0.100", 8, "10.255.255.255"],
    ["10.9.0.100", 27, "10.9.0.127"],
    ["10.9.0.100", 30, "10.9.0.103"],
    ["10.9.0.100", 31, null],
    ["10.9.0.100", 32, null],
    ["fd09::1", 64, null],
  ];
  for (const [address, prefix, broadcast] of cases) {
    assert.equal(defaultBroadcast(address, prefix), broadcast, `${address}/${prefix}`);
  }
});
