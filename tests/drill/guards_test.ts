import assert from "node:assert/strict";
import { type Facts, pathsLeft, refusals } from "../../lib/drill/guards.ts";
import type { DrillPlan } from "../../lib/drill/plan.ts";
import { parseSshConnection, parseTcpTable } from "../../lib/drill/remote_shell.ts";
import type { LinkView, NodeView, PeerView } from "../../lib/core/view.ts";
import { wholeCut as plan } from "./samples.ts";

const nothing: Facts = { view: null, connections: [], drilled: [], otherPath: null };
const keepaliveMs = 500;

function viewOf(...peers: Array<Record<string, LinkView["state"]>>): NodeView {
  return heardAgo(100, ...peers);
}

function heardAgo(heardAgoMs: number, ...peers: Array<Record<string, LinkView["state"]>>): NodeView {
  return {
    timing: { keepaliveMs, deadTimeMs: 5_000 },
    peers: peers.map((links, index): Partial<PeerView> => ({
      node: `node${index + 2}`,
      state: "alive",
      links: Object.entries(links).map(([medium, state]) => ({ medium, state, heardAgoMs }) as LinkView),
    })),
  } as unknown as NodeView;
}

Deno.test("a path counts as left only where it is known to work", () => {
  const other = { address: "10.0.2.2", device: "eth2", answers: true };
  const cases: ReadonlyArray<readonly [string, Facts, "left" | "last" | "unknown"]> = [
    ["another link is up", { ...nothing, view: viewOf({ eth0: "up", eth1: "up" }) }, "left"],
    ["the other link is dead", { ...nothing, view: viewOf({ eth0: "dead", eth1: "up" }) }, "last"],
    ["the other link is one-way", { ...nothing, view: viewOf({ eth0: "one-way", eth1: "up" }) }, "last"],
    ["TCP over the same interface", { ...nothing, view: viewOf({ "tcp:eth1": "up", eth1: "up" }) }, "last"],
    ["a serial line", { ...nothing, view: viewOf({ "/dev/ttyS0": "up", eth1: "up" }) }, "left"],
    ["another drill has just cut the other link", {
      ...nothing,
      view: viewOf({ eth0: "up", eth1: "up" }),
      drilled: ["eth0"],
    }, "last"],
    ["another drill runs on a third link", {
      ...nothing,
      view: viewOf({ eth0: "up", eth1: "up", eth3: "up" }),
      drilled: ["eth3"],
    }, "left"],
    ["the other link has just fallen silent", {
      ...nothing,
      view: heardAgo(2 * keepaliveMs + 1, { eth0: "up", eth1: "up" }),
    }, "last"],
    [
      "the address is reached over a link with a drill",
      { ...nothing, drilled: ["eth2"], otherPath: other },
      "unknown",
    ],
    ["one of two peers", { ...nothing, view: viewOf({ eth0: "up" }, { eth1: "up" }) }, "last"],
    ["nobody in view", { ...nothing, view: viewOf() }, "unknown"],
    ["no daemon", nothing, "unknown"],
    ["another address answers", { ...nothing, otherPath: other }, "left"],
    ["another address is silent", { ...nothing, otherPath: { ...other, answers: false } }, "unknown"],
    ["over the same link", { ...nothing, otherPath: { ...other, device: "eth1" } }, "unknown"],
  ];
  for (const [what, facts, expected] of cases) {
    assert.equal(pathsLeft(plan, facts).kind, expected, what);
    const refused = refusals(plan, facts, pathsLeft(plan, facts));
    assert.equal(refused.length, expected === "left" ? 0 : 1, what);
  }
});

Deno.test("loss leaves the last path and is not refused for it", () => {
  const lossy = { ...plan, lossPermille: 300 };
  assert.deepEqual(refusals(lossy, nothing, pathsLeft(lossy, nothing)), []);
});

Deno.test("the caller's own connection is not cut, wherever the drill would hit it", () => {
  const connection = {
    remote: "192.0.2.9",
    ports: [22, 50123],
    evidence: "SSH_CONNECTION",
    device: "eth1",
  } as const;
  const view = viewOf({ eth0: "up", eth1: "up" });
  const [peer, another] = ["02:00:00:00:00:02", "02:00:00:00:00:09"];
  const router = { scope: { kind: "peer", address: "192.0.2.2", family: 4, hardware: peer } } as const;
  const cases: ReadonlyArray<readonly [Partial<DrillPlan>, string | null, number, string?]> = [
    [router, "eth1", 1, peer],
    [router, "eth1", 1],
    [router, "eth1", 0, another],
    [router, "eth0", 0],
    [{}, "eth1", 1],
    [{ lossPermille: 300 }, "eth1", 1],
    [{}, "eth0", 0],
    [{}, null, 0],
    [{ port: 694 }, "eth1", 0],
    [{ port: 22 }, "eth1", 1],
    [{ scope: { kind: "peer", address: "192.0.2.2", family: 4, hardware: null } }, "eth1", 0],
    [{ scope: { kind: "peer", address: "192.0.2.9", family: 4, hardware: null } }, "eth1", 1],
  ];
  for (const [change, device, expected, neighbour = null] of cases) {
    const drill = { ...plan, ...change };
    const facts = { ...nothing, view, connections: [{ ...connection, device, neighbour }] };
    assert.equal(
      refusals(drill, facts, pathsLeft(drill, facts)).length,
      expected,
      JSON.stringify([change, device, neighbour]),
    );
  }
});

Deno.test("SSH_CONNECTION is read, and what is none is not", () => {
  const cases: ReadonlyArray<readonly [string, string | undefined]> = [
    ["192.0.2.9 50123 192.0.2.1 22", "192.0.2.9"],
    ["fe80::1%eth0 50123 fe80::2%eth0 22", "fe80::1"],
    ["::ffff:192.0.2.9 50123 ::ffff:192.0.2.1 22", "192.0.2.9"],
    ["UNKNOWN 65535 UNKNOWN 65535", undefined],
    ["", undefined],
    ["192.0.2.9 x 192.0.2.1 22", undefined],
  ];
  for (const [text, remote] of cases) assert.equal(parseSshConnection(text)?.remote, remote, text);
  assert.equal(parseSshConnection("fe80::1%eth0 50123 fe80::2%eth0 22")?.zone, "eth0");
});

Deno.test("the kernel's table of connections is read: established ones, both families", () => {
  const header =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
  const rest = "00000000:00000000 00:00000000 00000000     0        0";
  const table = parseTcpTable([
    header,
    `   0: 010200C0:0016 090200C0:C3CB 01 ${rest} 4711 1 0 20 4 30 10 -1`,
    `   1: 00000000:0016 00000000:0000 0A ${rest} 4712 1 0 100 0 0 10 0`,
    `   2: 0000000000000000FFFF0000010200C0:0016 0000000000000000FFFF0000090200C0:C3CB 01 ${rest} 4713 1 0`,
    `   3: B80D0120000000000000000001000000:0016 B80D0120000000000000000009000000:C3CB 01 ${rest} 4714 1 0`,
    "",
  ].join("\n"));
  assert.deepEqual([...table], [
    ["4711", { remote: "192.0.2.9", ports: [22, 50123] }],
    ["4713", { remote: "192.0.2.9", ports: [22, 50123] }],
    ["4714", { remote: "2001:db8::9", ports: [22, 50123] }],
  ]);
});
