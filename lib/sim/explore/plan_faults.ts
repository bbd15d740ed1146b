/** Draws what goes wrong, when and for how long, for one regime of `plan.ts`. Every fault it draws can be healed. */

import type { Command } from "../../core/inputs.ts";
import { linkName, type Settings } from "../../core/settings.ts";
import type { Fault } from "../faults.ts";
import type { LinkQuality } from "../heartbeat_network.ts";
import type { DrawnFault, Regime } from "./plan.ts";
import { fencingDraws } from "./plan_fencing.ts";
import type { Prng } from "../../core/prng.ts";
import { goodScript } from "../scripts.ts";

/** Draws one disturbance: faults with their delay after its beginning. */
export type Draw = (
  random: Prng,
  settings: Settings,
) => readonly (readonly [delayMs: number, fault: Fault])[];

const draws = {
  cutLink: (random, { nodes, media, timing }) => {
    const medium = linkName(random.pick(media));
    const from = random.chance(0.5) ? null : random.pick(nodes);
    return lasting(random, timing.deadTimeMs, { from, medium, to: null }, { isCut: true });
  },
  cutNode: (random, { nodes, timing }) => {
    const node = random.pick(nodes);
    return [
      ...lasting(random, timing.deadTimeMs, { from: node, medium: null, to: null }, { isCut: true }),
      [0, { kind: "link", from: null, medium: null, to: node, quality: { isCut: true } }],
    ];
  },
  cutPair: (random, { nodes, timing }) => {
    const [one, other] = pair(random, nodes);
    return [
      ...lasting(random, timing.deadTimeMs, { from: one, medium: null, to: other }, { isCut: true }),
      [0, { kind: "link", from: other, medium: null, to: one, quality: { isCut: true } }],
    ];
  },
  cutOneWay: (random, { nodes, timing }) => {
    const [one, other] = pair(random, nodes);
    return lasting(random, timing.deadTimeMs, { from: one, medium: null, to: other }, { isCut: true });
  },
  /** One direction of one link, for long enough that both ends must notice. */
  deafen: (random, { nodes, media, timing }) => {
    const [from, to] = pair(random, nodes);
    const path = { from, medium: linkName(random.pick(media)), to };
    return [
      [0, { kind: "link", ...path, quality: { isCut: true } }],
      [8 * timing.deadTimeMs + 2_500, { kind: "restore-link", ...path }],
    ];
  },
  cutAll: (random, { timing }) =>
    lasting(random, timing.deadTimeMs, { from: null, medium: null, to: null }, { isCut: true }),
  flap: (random, { nodes, timing }) => {
    const from = random.pick(nodes);
    const faults: [number, Fault][] = [];
    for (let i = 0; i < 8; i++) {
      const delayMs = i * timing.deadTimeMs * random.between(0.4, 0.7);
      faults.push([delayMs, { kind: "link", from, medium: null, to: null, quality: { isCut: i % 2 === 0 } }]);
    }
    return faults;
  },
  lose: (random, { timing }) =>
    lasting(random, timing.deadTimeMs, { from: null, medium: null, to: null }, {
      lossRate: random.pick([0.05, 0.3, 0.6]),
    }),
  slow: (random, { timing, nodes }) =>
    lasting(random, timing.deadTimeMs, { from: random.pick([null, ...nodes]), medium: null, to: null }, {
      latencyMs: Math.round(timing.deadTimeMs * random.between(0, 0.5)),
      jitterMs: Math.round(timing.keepaliveMs * random.between(0, 3)),
      copyRate: 0.2,
    }),
  healLinks: () => [[0, { kind: "heal-links" }]],
  kill: (random, { nodes, timing }) => {
    const node = random.pick(nodes);
    const awayMs = timing.deadTimeMs * random.between(0.1, 4);
    return [[0, { kind: "kill", node }], [awayMs, { kind: "start", node }]];
  },
  pause: (random, { nodes, timing }) => {
    const node = random.pick(nodes);
    const awayMs = timing.deadTimeMs * random.pick([0.4, 0.7, 0.85, 1.2, 3]) * random.between(0.8, 1.2);
    return [[0, { kind: "pause", node }], [awayMs, { kind: "resume", node }]];
  },
  powerOff: (random, { nodes, timing }) => {
    const node = random.pick(nodes);
    return [[0, { kind: "power-off", node }], [timing.deadTimeMs * random.between(1, 5), {
      kind: "power-on",
      node,
    }]];
  },
  command: (
    random,
    settings,
  ) => [[0, { kind: "command", node: random.pick(settings.nodes), command: order(random, settings) }]],
  /** Two operators want the same group at about the same time. */
  duel: (random, { nodes, groups, timing }) => {
    const chosen = [random.pick(groups).name];
    const laterMs = random.pick([0, 0.2, timing.keepaliveMs / 2]);
    return pair(random, nodes).map((node, i) =>
      [i * laterMs, { kind: "command", node, command: { kind: "takeover", groups: chosen } }] as const
    );
  },
  maintain: (random, { nodes, timing }) => {
    const [one, other] = pair(random, nodes);
    return [
      [0, { kind: "command", node: one, command: { kind: "maintenance", on: true } }],
      [timing.deadTimeMs * 2, { kind: "command", node: other, command: { kind: "maintenance", on: false } }],
    ];
  },
  shutDown: (random, { nodes, timing }) => {
    const node = random.pick(nodes);
    const backMs = timing.deadTimeMs * random.between(1, 4) + 1_000;
    return [[0, { kind: "command", node, command: { kind: "shutdown" } }], [backMs, { kind: "start", node }]];
  },
  breakScript: (random, { nodes, groups, timing }) => {
    const group = random.pick(groups);
    const resource = random.whole(0, group.resources.length - 1);
    const behaviour = random.pick([
      { ...goodScript, fails: ["start" as const] },
      { ...goodScript, fails: ["stop" as const] },
      { ...goodScript, fails: ["monitor" as const] },
      { ...goodScript, hangs: ["stop" as const] },
      { ...goodScript, hangs: ["start" as const] },
      { ...goodScript, startMs: 300, stopMs: 400 },
    ]);
    return [
      [0, { kind: "script", node: random.pick(nodes), group: group.name, resource, behaviour }],
      [timing.deadTimeMs * random.between(2, 6), { kind: "heal-scripts" }],
    ];
  },
  slowScript: (random, { nodes, groups }) => {
    const group = random.pick(groups);
    const resource = random.whole(0, group.resources.length - 1);
    const behaviour = { ...goodScript, startMs: random.whole(5, 400), stopMs: random.whole(100, 450) };
    return nodes.map((node) => [0, { kind: "script", node, group: group.name, resource, behaviour }]);
  },
  stuckScript: (random, { nodes, groups }) => {
    const group = random.pick(groups);
    const resource = random.whole(0, group.resources.length - 1);
    const behaviour = { ...goodScript, fails: ["stop" as const] };
    return [[0, { kind: "script", node: random.pick(nodes), group: group.name, resource, behaviour }]];
  },
  blind: (random, { nodes, timing }) => [
    [0, { kind: "blind", node: random.pick(nodes) }],
    [timing.deadTimeMs * random.between(1, 4), { kind: "heal-service" }],
  ],
  removeAddress: (random, { nodes, groups }) => [[
    0,
    { kind: "remove-address", node: random.pick(nodes), group: random.pick(groups).name },
  ]],
  replay: (random, { nodes }) =>
    Array.from(
      { length: random.whole(1, 20) },
      () => [random.between(0, 50), { kind: "replay", to: random.pick(nodes), age: random.next() }] as const,
    ),
  partition: (random, settings) => partition(random, settings, settings.nodes.map(() => random.chance(0.5))),
  /** The last node alone is cut off: with an arbiter on the other side, it must give up. */
  cutOff: (random, settings) =>
    partition(random, settings, settings.nodes.map((_, i) => i === settings.nodes.length - 1)),
  /** A node is cut off, and before it has let go its daemon is killed, or stands still. */
  struckWhileCutOff: (random, settings) => {
    const { nodes, timing } = settings;
    const struck = random.pick(nodes);
    // Just before it lets go its lease has most of its time to run.
    const atMs = timing.deadTimeMs *
      (random.chance(0.5) ? random.between(0.75, 0.95) : random.between(0, 1.1));
    const backMs = atMs + timing.deadTimeMs * random.between(1, 4);
    const [strike, back]: [Fault, Fault] = random.chance(0.7)
      ? [{ kind: "kill", node: struck }, { kind: "start", node: struck }]
      : [{ kind: "pause", node: struck }, { kind: "resume", node: struck }];
    return [
      ...partition(random, settings, nodes.map((node) => node === struck)),
      [atMs, strike],
      [backMs, back],
    ];
  },
  carrier: (random, { nodes, timing }) => {
    const node = random.pick(nodes);
    return [
      [0, { kind: "segment", node, segment: null }],
      [timing.deadTimeMs * random.between(0.1, 3), { kind: "segment", node, segment: 0 }],
    ];
  },
  loseFrames: (random, { timing }) => [
    [0, { kind: "service-loss", lossRate: random.pick([0.05, 0.3]) }],
    [timing.deadTimeMs * random.between(1, 4), { kind: "service-loss", lossRate: 0 }],
  ],
  arbiterDown: (random, { timing }) => [
    [0, { kind: "arbiter-segment", segment: null }],
    [timing.deadTimeMs * random.between(0.5, 4), { kind: "arbiter-segment", segment: 0 }],
  ],
  ...fencingDraws,
  /** One link of several, for a while that ends before the next such fault. */
  gentleCut: (random, { nodes, media, timing }) => {
    const medium = linkName(random.pick(media));
    const from = random.pick([null, ...nodes]);
    return [
      [0, { kind: "link", from, medium, to: null, quality: { isCut: true } }],
      [timing.deadTimeMs * 2.5, { kind: "heal-links" }],
    ];
  },
  /** Two nodes do not hear each other at all, but every third one hears both. */
  gentlePair: (random, { nodes, timing }) => {
    if (nodes.length < 3) return [];
    const [one, other] = pair(random, nodes);
    return [
      [0, { kind: "link", from: one, medium: null, to: other, quality: { isCut: true } }],
      [0, { kind: "link", from: other, medium: null, to: one, quality: { isCut: random.chance(0.7) } }],
      [timing.deadTimeMs * 2.5, { kind: "heal-links" }],
    ];
  },
  gentleDelay: (random, { timing }) => [
    [0, {
      kind: "link",
      from: null,
      medium: null,
      to: null,
      quality: {
        latencyMs: Math.round(timing.keepaliveMs / 4),
        jitterMs: Math.round(timing.keepaliveMs / 4),
        copyRate: 0.3,
      },
    }],
    [timing.deadTimeMs * (2 + random.next()), { kind: "heal-links" }],
  ],
} satisfies Record<string, Draw>;

/** Both networks at once, or one after the other; and the same when they heal. */
function partition(random: Prng, { nodes, timing }: Settings, isAway: readonly boolean[]): [number, Fault][] {
  const faults: [number, Fault][] = [];
  const laterMs = random.pick([0, 0, random.between(0, 4) * timing.deadTimeMs]);
  const [linksMs, serviceMs] = random.chance(0.5) ? [0, laterMs] : [laterMs, 0];
  for (const [i, from] of nodes.entries()) {
    for (const [j, to] of nodes.entries()) {
      if (isAway[i] === isAway[j] || i === j) continue;
      faults.push([linksMs, { kind: "link", from, medium: null, to, quality: { isCut: true } }]);
    }
    if (isAway[i]) faults.push([serviceMs, { kind: "segment", node: from, segment: 1 }]);
  }
  const endMs = laterMs + timing.deadTimeMs * random.between(0.5, 5);
  const gapMs = timing.deadTimeMs * random.between(0, 2);
  const [linksEndMs, serviceEndMs] = random.chance(0.5) ? [endMs, endMs + gapMs] : [endMs + gapMs, endMs];
  faults.push([linksEndMs, { kind: "heal-links" }], [serviceEndMs, { kind: "heal-service" }]);
  return faults;
}

type Name = keyof typeof draws;

const linkFaults: readonly Name[] = [
  "cutLink",
  "cutNode",
  "cutPair",
  "cutOneWay",
  "deafen",
  "cutAll",
  "flap",
  "lose",
  "slow",
  "healLinks",
];
const processFaults: readonly Name[] = ["kill", "pause", "powerOff", "shutDown"];
const otherFaults: readonly Name[] = [
  "command",
  "duel",
  "maintain",
  "breakScript",
  "removeAddress",
  "replay",
];
const struckFaults: readonly Name[] = [
  "kill",
  "pause",
  "struckWhileCutOff",
  "struckWhileCutOff",
  "struckWhileCutOff",
];
const kinds: Readonly<Record<Regime, readonly Name[]>> = {
  shared: [...linkFaults, ...processFaults, ...otherFaults, "blind"],
  arbiter: [
    ...linkFaults,
    "powerOff",
    "shutDown",
    "cutOff",
    "cutOff",
    "cutOff",
    "command",
    "replay",
    "partition",
    "partition",
    "slowScript",
    "slowScript",
    "stuckScript",
  ],
  open: [
    ...linkFaults,
    ...processFaults,
    ...otherFaults,
    "partition",
    "carrier",
    "loseFrames",
    "arbiterDown",
  ],
  calm: [
    "command",
    "duel",
    "maintain",
    "breakScript",
    "slowScript",
    "stuckScript",
    "removeAddress",
    "replay",
  ],
  fencing: [
    ...linkFaults,
    ...processFaults,
    "command",
    "breakScript",
    "slowScript",
    "replay",
    "partition",
    "partition",
    "partition",
    "cutOff",
    "cutOff",
    "carrier",
    "blind",
    "loseFrames",
    "arbiterDown",
    "fenceFails",
    "fenceFails",
    "fenceFails",
    "cutManagement",
    "cutManagement",
  ],
  gentle: ["gentleCut", "gentlePair", "gentleDelay", "replay"],
};

/**
 * A daemon that is killed or stands still while its machine is cut off cannot let go: then only the lease ends it, and
 * only where the others wait for that is anything promised.
 */
function kindsFor(regime: Regime, { groups }: Settings): readonly Name[] {
  const isLeaseAwaited = groups.every(({ waitForLease, resources }) =>
    waitForLease && resources.every(({ spec }) => spec.kind !== "vip" || spec.leaseSeconds !== null)
  );
  return regime === "arbiter" && isLeaseAwaited ? [...kinds.arbiter, ...struckFaults] : kinds[regime];
}

export function drawFaults(
  random: Prng,
  settings: Settings,
  regime: Regime,
  beginMs: number,
  endMs: number,
): DrawnFault[] {
  const all = kindsFor(regime, settings);
  const chosen = all.filter(() => random.chance(0.4));
  if (chosen.length === 0) chosen.push(random.pick(all));
  const { deadTimeMs } = settings.timing;
  const faults: DrawnFault[] = [];
  let atMs = beginMs;
  for (let disturbance = 0; atMs < endMs; disturbance++) {
    const draw: Draw = draws[random.pick(chosen)];
    for (const [delayMs, fault] of draw(random, settings)) {
      if (atMs + delayMs < endMs) faults.push({ atMs: atMs + delayMs, fault, disturbance });
    }
    atMs += regime === "gentle" ? 3.2 * deadTimeMs : deadTimeMs * random.between(0.1, 3);
  }
  return faults;
}

function lasting(
  random: Prng,
  deadTimeMs: number,
  path: { readonly from: string | null; readonly medium: string | null; readonly to: string | null },
  quality: Partial<LinkQuality>,
): [number, Fault][] {
  const durationMs = deadTimeMs * random.pick([0.3, 0.9, 1.1, 3, 6]) * random.between(0.8, 1.2);
  return [[0, { kind: "link", ...path, quality }], [durationMs, { kind: "heal-links" }]];
}

function pair(random: Prng, nodes: readonly string[]): [string, string] {
  const one = random.pick(nodes);
  return [one, random.pick(nodes.filter((node) => node !== one))];
}

function order(random: Prng, settings: Settings): Command {
  const groups = random.chance(0.3) ? [] : [random.pick(settings.groups).name];
  return random.pick<Command>([
    { kind: "takeover", groups },
    { kind: "takeover", groups },
    { kind: "standby", groups },
    { kind: "release", groups },
    { kind: "rejoin", groups },
  ]);
}
