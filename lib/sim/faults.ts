/** Everything that can go wrong, or be ordered, in the simulated world, as plain data: a plan of them is a scenario. */

import type { Command } from "../core/inputs.ts";
import type { FenceBehaviour } from "./fence_devices.ts";
import type { LinkQuality } from "./heartbeat_network.ts";
import type { RebootBehaviour } from "./machine.ts";
import { goodScript, type ScriptBehaviour } from "./scripts.ts";
import type { ArbiterQuality, ArbiterSegment } from "./service_network.ts";
import type { Simulation } from "./simulation.ts";

export type Fault =
  /** Changes directed heartbeat paths; `null` matches every node or medium. */
  | {
    readonly kind: "link";
    readonly from: string | null;
    readonly medium: string | null;
    readonly to: string | null;
    readonly quality: Partial<LinkQuality>;
  }
  /** The same paths are as usual again. */
  | {
    readonly kind: "restore-link";
    readonly from: string | null;
    readonly medium: string | null;
    readonly to: string | null;
  }
  | { readonly kind: "heal-links" }
  /** Puts a machine on a segment of the service network, perhaps with a name for people; `null`: no carrier. */
  | {
    readonly kind: "segment";
    readonly node: string;
    readonly segment: number | null;
    readonly name?: string;
  }
  | { readonly kind: "heal-service" }
  | { readonly kind: "service-loss"; readonly lossRate: number }
  /** Where the targets of the arbiters are; `null`: they are down. */
  | { readonly kind: "arbiter-segment"; readonly segment: ArbiterSegment; readonly name?: string }
  | { readonly kind: "arbiter-quality"; readonly quality: ArbiterQuality }
  /** A machine cannot ask its service network although it is attached (no permission, no memory); until healed. */
  | { readonly kind: "blind"; readonly node: string }
  | { readonly kind: "kill"; readonly node: string }
  | { readonly kind: "start"; readonly node: string }
  | { readonly kind: "pause"; readonly node: string }
  | { readonly kind: "resume"; readonly node: string }
  /** A hypervisor stops the whole machine, its clock and its leases included, and lets it go on. */
  | { readonly kind: "freeze"; readonly node: string }
  | { readonly kind: "thaw"; readonly node: string }
  | { readonly kind: "power-off"; readonly node: string }
  | { readonly kind: "power-on"; readonly node: string }
  | { readonly kind: "command"; readonly node: string; readonly command: Command }
  | {
    readonly kind: "script";
    readonly node: string;
    readonly group: string;
    readonly resource: number;
    readonly behaviour: ScriptBehaviour;
  }
  | { readonly kind: "heal-scripts" }
  /** How reboots that the node orders for itself end from now on. */
  | { readonly kind: "reboots"; readonly node: string; readonly behaviour: RebootBehaviour }
  /** The wall clock is put forward, or back; the monotonic clock goes on. */
  /** What these fence devices do from now on; `null`: what they usually do. */
  | {
    readonly kind: "fence-device";
    readonly devices: readonly string[];
    readonly behaviour: FenceBehaviour | null;
  }
  /** The paths of the management network from these nodes to these fence devices. */
  | {
    readonly kind: "management";
    readonly nodes: readonly string[];
    readonly devices: readonly string[];
    readonly isCut: boolean;
  }
  | { readonly kind: "heal-fencing" }
  | { readonly kind: "clock"; readonly node: string; readonly byMs: number }
  /** Somebody removes an address by hand. */
  | { readonly kind: "remove-address"; readonly node: string; readonly group: string }
  /** A recorded packet comes again; `age` 0 is the latest, towards 1 the oldest that is kept. */
  | { readonly kind: "replay"; readonly to: string; readonly age: number };

/** A plan of faults is a list of these. */
export interface PlannedFault {
  readonly atMs: number;
  readonly fault: Fault;
}

export function apply(simulation: Simulation, fault: Fault): void {
  const { heartbeats, service } = simulation;
  const machine = "node" in fault ? simulation.machine(fault.node) : null;
  switch (fault.kind) {
    case "link":
      return heartbeats.set(fault.from, fault.medium, fault.to, fault.quality);
    case "restore-link":
      return heartbeats.restore(fault.from, fault.medium, fault.to);
    case "reboots":
      machine!.rebootBehaviour = fault.behaviour;
      return;
    case "fence-device":
      return simulation.fences.set(fault.devices, fault.behaviour);
    case "management":
      return simulation.fences.cut(fault.nodes, fault.devices, fault.isCut);
    case "heal-fencing":
      return simulation.fences.heal();
    case "clock":
      machine!.wallOffsetMs += fault.byMs;
      return;
    case "heal-links":
      return heartbeats.heal();
    case "segment":
      service.move(fault.node, fault.segment);
      return machine!.setCarrier(fault.segment !== null);
    case "heal-service":
      service.heal();
      for (const each of simulation.machines) each.setCarrier(true);
      return;
    case "service-loss":
      service.lossRate = fault.lossRate;
      return;
    case "arbiter-segment":
      service.arbiterSegment = fault.segment;
      return;
    case "arbiter-quality":
      service.arbiterQuality = fault.quality;
      return;
    case "blind":
      service.blind.add(fault.node);
      return;
    case "kill":
      return machine!.kill();
    case "start":
      return machine!.startDaemon();
    case "pause":
      return machine!.pause();
    case "resume":
      return machine!.resume();
    case "freeze":
      return machine!.freeze();
    case "thaw":
      return machine!.thaw();
    case "power-off":
      return machine!.powerOff();
    case "power-on":
      return machine!.powerOn();
    case "command":
      return machine!.daemon?.take({ kind: "command", command: fault.command });
    case "script":
      return machine!.scripts.set(fault.group, fault.resource, fault.behaviour);
    case "heal-scripts":
      for (const each of simulation.machines) each.scripts.heal();
      return;
    case "remove-address":
      return removeByHand(simulation, fault.node, fault.group);
    case "replay":
      heartbeats.replay(fault.to, fault.age);
      return;
  }
}

function removeByHand(simulation: Simulation, node: string, group: string): void {
  const machine = simulation.machine(node);
  const settings = simulation.settings.groups.find(({ name }) => name === group)!;
  for (const [index, { spec }] of settings.resources.entries()) {
    if (spec.kind !== "vip" || !machine.kernel.hasAddress(group, index)) continue;
    machine.kernel.removeAddress(group, index);
    machine.daemon?.take({ kind: "address-lost", group, resource: index });
  }
}

/** One line for people. */
export function faultInWords(fault: Fault): string {
  switch (fault.kind) {
    case "link":
      return `${pathsInWords(fault)}: ${qualityInWords(fault.quality)}`;
    case "restore-link":
      return `${pathsInWords(fault)}: as usual again`;
    case "heal-links":
      return "all heartbeat links are healed";
    case "heal-service":
      return "the service network is healed";
    case "heal-scripts":
      return "all scripts work again";
    case "fence-device": {
      const { result, takesMs } = fault.behaviour ?? { result: "works", takesMs: null };
      const how = result === "works" && takesMs !== null ? `takes ${takesMs} ms` : result;
      return `fence device ${fault.devices.join(", ")}: ${how}`;
    }
    case "management":
      return `the management network from ${fault.nodes.join(", ")} to ${fault.devices.join(", ")} is ${
        fault.isCut ? "cut" : "whole"
      }`;
    case "heal-fencing":
      return "all fence devices work and are reached";
    case "segment":
      return fault.segment === null
        ? `${fault.node} has no carrier on the service network`
        : `${fault.node} is on ${segmentInWords(fault)} of the service network`;
    case "service-loss":
      return `the service network loses ${percent(fault.lossRate)}`;
    case "arbiter-segment":
      return fault.segment === null
        ? "the arbiters are gone"
        : fault.segment === "all"
        ? "the arbiters answer on every segment of the service network"
        : `the arbiters are on ${segmentInWords(fault)} of the service network`;
    case "arbiter-quality": {
      const { latencyMs, lossRate } = fault.quality;
      return `the arbiters answer after ${latencyMs} ms and lose ${percent(lossRate)}`;
    }
    case "blind":
      return `${fault.node} cannot ask the service network`;
    case "kill":
      return `the daemon of ${fault.node} is killed`;
    case "start":
      return `the daemon of ${fault.node} is started, if it does not run`;
    case "pause":
      return `${fault.node} stands still`;
    case "resume":
      return `${fault.node} goes on`;
    case "freeze":
      return `${fault.node} is frozen with its clock and its leases`;
    case "thaw":
      return `${fault.node} is thawed`;
    case "power-off":
      return `${fault.node} loses power`;
    case "power-on":
      return `${fault.node} has power`;
    case "command":
      return `operator on ${fault.node}: ${commandInWords(fault.command)}`;
    case "script":
      return `script ${fault.group}[${fault.resource}] on ${fault.node}: ${
        behaviourInWords(fault.behaviour)
      }`;
    case "reboots":
      return `a reboot of ${fault.node} ${
        fault.behaviour.isVain ? "will not happen" : `will take ${fault.behaviour.afterMs} ms`
      }`;
    case "clock":
      return `the wall clock of ${fault.node} jumps by ${fault.byMs / 1000} s`;
    case "remove-address":
      return `somebody removes the address of ${fault.group} on ${fault.node}`;
    case "replay":
      return `${fault.to} gets an old packet again`;
  }
}

function segmentInWords({ segment, name }: { segment: ArbiterSegment; name?: string }): string {
  return segment === 0 ? "the main segment" : `segment ${name ?? segment}`;
}

type Paths = Pick<Extract<Fault, { kind: "link" }>, "from" | "medium" | "to">;

function pathsInWords({ from, medium, to }: Paths): string {
  const link = medium === null ? "all links" : `link ${medium}`;
  if (from === null && to === null) return link;
  return `${link} from ${from ?? "anybody"} to ${to ?? "anybody"}`;
}

function qualityInWords(quality: Partial<LinkQuality>): string {
  const { latencyMs, jitterMs, jitterShape, lossRate, burst, copyRate, holdBack, bitsPerSecond } = quality;
  const words = [
    quality.isCut === undefined ? null : quality.isCut ? "cut" : "whole",
    latencyMs === undefined ? null : `latency ${latencyMs.toFixed(1)} ms`,
    jitterMs === undefined ? null : `jitter ${jitterMs.toFixed(1)} ms ${jitterShape ?? ""}`.trimEnd(),
    lossRate === undefined ? null : `loses ${percent(lossRate)}`,
    burst === undefined || burst === null
      ? null
      : `loses ${percent(burst.lossRate)} in bursts of ${burst.meanPackets}`,
    copyRate === undefined ? null : `doubles ${percent(copyRate)}`,
    holdBack === undefined || holdBack === null
      ? null
      : `holds back ${percent(holdBack.rate)} by ${holdBack.ms} ms`,
    bitsPerSecond === undefined || bitsPerSecond === null ? null : `${bitsPerSecond} bit/s`,
  ];
  return words.filter((word) => word !== null).join(", ");
}

function percent(rate: number): string {
  return `${Number((rate * 100).toFixed(2))} %`;
}

function commandInWords(command: Command): string {
  if (command.kind === "maintenance") return `maintenance ${command.on ? "on" : "off"}`;
  return "groups" in command ? [command.kind, ...command.groups].join(" ") : command.kind;
}

function behaviourInWords({ startMs, stopMs, fails, hangs }: ScriptBehaviour): string {
  const words = [
    ...fails.map((operation) => `${operation} fails`),
    ...hangs.map((operation) => `${operation} hangs`),
    startMs > goodScript.startMs ? `start takes ${startMs} ms` : "",
    stopMs > goodScript.stopMs ? `stop takes ${stopMs} ms` : "",
  ].filter((word) => word !== "");
  return words.length === 0 ? "works" : words.join(", ");
}
