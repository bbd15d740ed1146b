/** Node views for tests: a healthy pair, and what can be wrong with it. */

import type { GroupView, LinkView, NodeView, PeerView, ResourceView } from "../../lib/core/view.ts";

export function link(medium: string, rest: Partial<LinkView> = {}): LinkView {
  return {
    medium,
    state: "up",
    heardAgoMs: 120,
    sent: 5400,
    received: 5321,
    duplicates: 12,
    lost: 0,
    reordered: 0,
    retransmitted: 0,
    refused: {},
    roundTripMs: 0.4,
    jitterMs: 0.1,
    ...rest,
  };
}

export function peer(node: string, rest: Partial<PeerView> = {}): PeerView {
  return {
    node,
    state: "alive",
    heardAgoMs: 120,
    deadTimeMs: 1000,
    version: "0.1.0",
    settingsDiffer: false,
    hearsUs: true,
    unfinished: null,
    links: [link("hb0"), link("hb1")],
    exchange: { missing: 0, requests: 0, irretrievable: 0, resent: 0, unanswered: 0, unacknowledged: 4 },
    ...rest,
  };
}

export function resource(id: string, rest: Partial<ResourceView> = {}): ResourceView {
  const last = {
    kind: "resource",
    result: "running",
    code: 0,
    reason: "",
    output: [],
    durationMs: 4,
  } as const;
  return { id, kind: "vip", state: "running", last, ...rest };
}

export function group(name: string, rest: Partial<GroupView> = {}): GroupView {
  return {
    group: name,
    nodes: ["alpha", "beta"],
    state: "running",
    epoch: 7,
    holders: ["alpha"],
    placedOn: "alpha",
    reason: "placed here: alpha is the most preferred able node in view",
    pending: [],
    pinnedTo: null,
    able: true,
    lastGapMs: null,
    resources: [resource("IPaddr2::10.0.0.9/24/eth0"), resource("ocf:heartbeat:nginx", { kind: "ocf" })],
    ...rest,
  };
}

/** Two nodes, two links, everything well; seen from `alpha`, which holds the group `web`. */
export function healthyPair(rest: Partial<NodeView> = {}): NodeView {
  return {
    node: "alpha",
    version: "0.1.0",
    generation: 17,
    phase: "settled",
    uptimeMs: 273_900_000,
    cluster: "shop",
    settingsHash: "9f3a51c2",
    timing: { keepaliveMs: 200, deadTimeMs: 1000 },
    coordinator: "alpha",
    maintenance: false,
    isolated: false,
    peers: [peer("beta")],
    groups: [group("web")],
    arbiters: [{ name: "gateway", policy: "release", answeredAgoMs: 400, reachable: true }],
    pings: [],
    alarms: [],
    fencing: [],
    unprotected: [],
    refused: {},
    ...rest,
  };
}

export function splitPair(): NodeView {
  return healthyPair({
    groups: [
      group("web", {
        holders: ["alpha", "beta"],
        reason: "beta states that it holds web with epoch 6; ours is 7",
      }),
    ],
    alarms: [{
      code: "two-holders",
      subject: "web",
      sentence: "web: held by alpha (epoch 7) and beta (epoch 6); beta is to yield",
      sinceMs: 900,
    }],
  });
}

export function vetoedPair(): NodeView {
  return healthyPair({
    node: "beta",
    isolated: null,
    arbiters: [],
    peers: [peer("alpha", {
      state: "down",
      heardAgoMs: 8_200,
      hearsUs: false,
      links: [
        link("hb0", { state: "dead", heardAgoMs: 8_200 }),
        link("hb1", { state: "dead", heardAgoMs: 8_300 }),
      ],
    })],
    groups: [group("web", {
      state: "stopped",
      holders: [],
      placedOn: "beta",
      reason: "10.0.0.9 is still answered for by 02:42:ac:11:00:02: alpha's kernel has it",
      pending: ["suspect", "ask the wire"],
      resources: [resource("IPaddr2::10.0.0.9/24/eth0", { state: "stopped", last: null })],
    })],
    alarms: [
      {
        code: "node-dead",
        subject: "alpha",
        sentence: "alpha: not heard for 8.2 s on any of 2 links",
        sinceMs: 7_200,
      },
      {
        code: "wire-veto",
        subject: "web",
        sentence: "web: not taken, because 10.0.0.9 is still answered for by 02:42:ac:11:00:02 on eth0",
        sinceMs: 6_900,
      },
    ],
    unprotected: [
      "web has neither fencing nor an arbiter: if all links fail and the service network is cut too, both nodes may end up holding it.",
    ],
    refused: { "wrong-key": 12, malformed: 3 },
  });
}

export function oneLinkDead(): NodeView {
  return healthyPair({
    peers: [
      peer("beta", { links: [link("hb0"), link("hb1", { state: "dead", heardAgoMs: 63_000, lost: 4 })] }),
    ],
    alarms: [{
      code: "link-lost",
      subject: "beta/hb1",
      sentence: "links: 1 of 2 left to beta (hb1 is dead)",
      sinceMs: 62_000,
    }],
  });
}

export function failedResource(): NodeView {
  return healthyPair({
    groups: [group("web", {
      state: "stopped",
      holders: ["beta"],
      placedOn: "beta",
      able: false,
      reason: "gave web up: nginx did not start here; trying again in 54 s",
      resources: [
        resource("IPaddr2::10.0.0.9/24/eth0", { state: "stopped" }),
        resource("ocf:heartbeat:nginx configfile=/etc/nginx/a-rather-long-name-for-a-file.conf", {
          kind: "ocf",
          state: "failed",
          last: {
            kind: "resource",
            result: "failed",
            code: 1,
            reason: "nginx: configuration file test failed",
            output: [
              'nginx: [emerg] unknown directive "lisetn" in /etc/nginx/nginx.conf:3',
              "\u001b[31mtest failed\u001b[0m",
            ],
            durationMs: 312,
          },
        }),
      ],
    })],
    alarms: [{
      code: "start-failed",
      subject: "web",
      sentence: "web: ocf:heartbeat:nginx did not start: exit 1",
      sinceMs: 5_500,
    }],
  });
}

export function sixteenNodes(): NodeView {
  const names = Array.from(
    { length: 16 },
    (_, index) => `node-with-a-long-name-${String(index + 1).padStart(2, "0")}`,
  );
  const [own, ...others] = names;
  return healthyPair({
    node: own!,
    coordinator: own!,
    peers: others.map((name) => peer(name)),
    groups: names.map((holder, index) =>
      group(`group-${index + 1}-of-the-very-long-named-application`, {
        holders: [holder],
        placedOn: holder,
        state: index === 0 ? "running" : "stopped",
        resources: [
          resource(`IPaddr2::10.0.0.${index + 1}/24/eth0`, { state: index === 0 ? "running" : "stopped" }),
        ],
      })
    ),
  });
}
