import assert from "node:assert/strict";
import type { BcastSettings, UcastSettings } from "../../lib/core/settings.ts";
import type { NodeView } from "../../lib/core/view.ts";
import { type HeartbeatLoss, heartbeatLoss, type HeartbeatPath } from "../../lib/drill/heartbeats.ts";
import type { DrillPlan } from "../../lib/drill/plan.ts";
import { wholeCut } from "./samples.ts";

const [node2, router] = ["02:00:00:00:00:02", "02:00:00:00:00:09"];

function viewOf(medium: string, hearsUs: boolean | null = true): NodeView {
  return { peers: [{ node: "node2", hearsUs, links: [{ medium }] }] } as unknown as NodeView;
}

function ucast(neighbour: string | null, peer = "192.0.2.2"): HeartbeatPath {
  const medium: UcastSettings = { kind: "ucast", device: "eth1", peer, port: 694, local: null };
  return { medium, neighbour };
}

function towards(address: string, hardware: string | null): Partial<DrillPlan> {
  return { scope: { kind: "peer", address, family: 4, hardware } };
}

const bcast: HeartbeatPath = {
  medium: { kind: "bcast", device: "eth1", port: 694 } satisfies BcastSettings,
  neighbour: null,
};

Deno.test("a drill is noticed by the daemon here only where it hits heartbeats", () => {
  const byRouter = towards("192.0.2.1", router);
  const view = viewOf("eth1");
  const cases: ReadonlyArray<
    readonly [
      string,
      Partial<DrillPlan>,
      NodeView,
      readonly HeartbeatPath[] | null,
      HeartbeatLoss["kind"],
      RegExp?,
    ]
  > = [
    ["everything", {}, view, null, "noticed"],
    ["everything, of a link over TCP", {}, viewOf("tcp:eth1"), null, "noticed"],
    ["a link without heartbeats", {}, viewOf("veth1"), null, "unnoticed", /no heartbeats go over eth1/],
    [
      "a web server's port",
      { port: 80 },
      view,
      [ucast(null)],
      "unnoticed",
      /no heartbeats on eth1 use port 80/,
    ],
    ["the heartbeats' port", { port: 694 }, view, [ucast(null)], "noticed"],
    ["the heartbeats' port, to everybody", { port: 694 }, view, [bcast], "noticed"],
    ["a port, without settings", { port: 80 }, view, null, "unknown", /--config/],
    ["the peer", towards("192.0.2.2", node2), view, [ucast(null)], "noticed"],
    ["another address of the peer", towards("192.0.2.3", node2), view, [ucast(node2)], "noticed"],
    ["the router", byRouter, view, [ucast(node2)], "unnoticed", /go past what is cut/],
    ["the router, and the peer is behind it", byRouter, view, [ucast(router, "203.0.113.2")], "noticed"],
    ["the router, and the peer does not answer", byRouter, view, [ucast(null)], "unknown", /192\.0\.2\.2/],
    ["a far address", towards("203.0.113.9", null), view, [ucast(null)], "unnoticed"],
    ["the router, and one of two peers behind it", byRouter, view, [ucast(node2), ucast(router)], "noticed"],
    ["somebody, and heartbeats to everybody", byRouter, view, [bcast], "unknown", /of bcast eth1/],
    [
      "what goes to somebody, and heartbeats to everybody",
      { ...byRouter, directions: ["out"] },
      view,
      [bcast],
      "unnoticed",
    ],
    ["only out", { directions: ["out"] }, view, null, "noticed"],
    ["only out, to a Heartbeat daemon", { directions: ["out"] }, viewOf("eth1", null), null, "unnoticed"],
    ["both ways, with a Heartbeat daemon", {}, viewOf("eth1", null), null, "noticed"],
  ];
  for (const [what, change, view, paths, expected, why] of cases) {
    const loss = heartbeatLoss({ ...wholeCut, ...change }, view, paths);
    assert.equal(loss.kind, expected, what);
    if (why !== undefined) assert.match(loss.kind === "noticed" ? "" : loss.why, why);
  }
});
