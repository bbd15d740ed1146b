/**
 * The faults that a proof tries in every order, and when a fault says nothing new: what is cut already is not cut
 * again, who is down cannot be killed. Such schedules do what a shorter one does, which is tried anyway.
 *
 * | fault       | what it is                                                                                       |
 * |-------------|--------------------------------------------------------------------------------------------------|
 * | cut         | all heartbeat links between one node and the others                                                |
 * | one-way     | all of them, only from one node to another                                                        |
 * | split       | one node alone on its part of both networks: the partition of the textbooks                       |
 * | crash       | the daemon is killed (and not restarted), the machine goes on                                     |
 * | power-off   | the machine is off                                                                              |
 * | pause       | the daemon stands still; `resume` lets it go on                                                  |
 * | arbiter     | nobody reaches the arbiter's target (only where one is configured)                               |
 * | fencing     | all fence devices report errors (only where some are configured)                                 |
 * | heal        | networks, arbiter and devices are whole again; what is down stays down                           |
 */

import type { FencingSettings, Settings } from "../../core/settings.ts";
import type { Fault } from "../faults.ts";
import { goodFence } from "../fence_devices.ts";

/** Kinds of faults that can be chosen; `pause` brings `resume` with it. */
export const moveKinds = [
  "cut",
  "one-way",
  "split",
  "crash",
  "power-off",
  "pause",
  "arbiter",
  "fencing",
  "heal",
] as const;
export type MoveKind = typeof moveKinds[number];

/** One thing that happens at one instant. */
export interface Move {
  readonly kind: MoveKind;
  /** For people: `cut n1`. */
  readonly name: string;
  readonly faults: readonly Fault[];
  /** The parts of the world that it changes: of two moves at the same instant that share none, the order is no matter. */
  readonly touches: ReadonlySet<string>;
  /** The world after it; `null`: it would change nothing. */
  readonly apply: (world: World) => World | null;
}

/** What is broken, as far as moves can break it. Each entry is one broken thing. */
export type World = ReadonlySet<string>;

export const soundWorld: World = new Set();

export function movesFor(settings: Settings, kinds: readonly MoveKind[] = moveKinds): readonly Move[] {
  return allMoves(settings).filter(({ kind }) => kinds.includes(kind));
}

function allMoves({ nodes, arbiters, fencing }: Settings): readonly Move[] {
  // Of a pair, cutting off the one is cutting off the other.
  const cutOff = nodes.length === 2 ? nodes.slice(0, 1) : nodes;
  return [
    ...cutOff.map((node) => cut(node, nodes)),
    ...nodes.flatMap((from) => nodes.filter((to) => to !== from).map((to) => oneWay(from, to))),
    ...nodes.map((node) => split(node, nodes)),
    ...nodes.map(crash),
    ...nodes.map(powerOff),
    ...nodes.map(pause),
    ...nodes.map(resume),
    ...arbiters.length > 0 ? [arbiterLost] : [],
    ...fencing === null ? [] : [fencingLost(fencing)],
    heal(fencing !== null),
  ];
}

function cut(node: string, nodes: readonly string[]): Move {
  const others = nodes.filter((other) => other !== node);
  const paths = others.flatMap((other) => [pathName(node, other), pathName(other, node)]);
  return breaking("cut", `cut ${node}`, ["links"], paths, [
    { kind: "link", from: node, medium: null, to: null, quality: { isCut: true } },
    { kind: "link", from: null, medium: null, to: node, quality: { isCut: true } },
  ]);
}

function oneWay(from: string, to: string): Move {
  return breaking("one-way", `one-way ${from} to ${to}`, ["links"], [pathName(from, to)], [
    { kind: "link", from, medium: null, to, quality: { isCut: true } },
  ]);
}

function split(node: string, nodes: readonly string[]): Move {
  const { faults, apply } = cut(node, nodes);
  const segment: Fault = { kind: "segment", node, segment: 1 + nodes.indexOf(node) };
  return {
    kind: "split",
    name: `split ${node}`,
    faults: [...faults, segment],
    touches: new Set(["links", "service"]),
    apply: (world) => {
      const name = `service ${node}`;
      if (world.has(name)) return apply(world);
      return new Set([...apply(world) ?? world, name]);
    },
  };
}

function crash(node: string): Move {
  return {
    ...breaking("crash", `crash ${node}`, [node], [`down ${node}`], [{ kind: "kill", node }]),
    apply: (world) =>
      world.has(`down ${node}`) || world.has(`off ${node}`)
        ? null
        : new Set([...[...world].filter((each) => each !== `paused ${node}`), `down ${node}`]),
  };
}

function powerOff(node: string): Move {
  return {
    ...breaking("power-off", `power-off ${node}`, [node], [], [{ kind: "power-off", node }]),
    apply: (world) =>
      world.has(`off ${node}`)
        ? null
        : new Set([...[...world].filter((each) => each !== `paused ${node}`), `off ${node}`, `down ${node}`]),
  };
}

function pause(node: string): Move {
  return {
    ...breaking("pause", `pause ${node}`, [node], [], [{ kind: "pause", node }]),
    apply: (world) =>
      world.has(`down ${node}`) || world.has(`paused ${node}`) ? null : new Set([...world, `paused ${node}`]),
  };
}

function resume(node: string): Move {
  return {
    ...breaking("pause", `resume ${node}`, [node], [], [{ kind: "resume", node }]),
    apply: (world) =>
      world.has(`paused ${node}`) ? new Set([...world].filter((each) => each !== `paused ${node}`)) : null,
  };
}

const arbiterLost: Move = breaking("arbiter", "arbiter lost", ["arbiter"], ["arbiter"], [
  { kind: "arbiter-segment", segment: null },
]);

function fencingLost({ devices }: FencingSettings): Move {
  const behaviour = { ...goodFence, result: "fails" as const };
  return breaking("fencing", "fencing fails", ["fencing"], ["fencing"], [
    { kind: "fence-device", devices: devices.map(({ name }) => name), behaviour },
  ]);
}

function heal(hasFencing: boolean): Move {
  const faults: Fault[] = [{ kind: "heal-links" }, { kind: "heal-service" }];
  return {
    kind: "heal",
    name: "heal",
    faults: hasFencing ? [...faults, { kind: "heal-fencing" }] : faults,
    touches: new Set(["links", "service", "arbiter", "fencing"]),
    apply: (world) => {
      const left = [...world].filter((each) => /^(down|off|paused) /.test(each));
      return left.length === world.size ? null : new Set(left);
    },
  };
}

function breaking(
  kind: MoveKind,
  name: string,
  touches: readonly string[],
  things: readonly string[],
  faults: readonly Fault[],
): Move {
  const apply = (world: World) =>
    things.every((thing) => world.has(thing)) ? null : new Set([...world, ...things]);
  return { kind, name, faults, touches: new Set(touches), apply };
}

function pathName(from: string, to: string): string {
  return `path ${from} ${to}`;
}
