/** Everything that can go wrong, or be ordered, in the simulated world, as plain data: a plan of them is a scenario. */

import type { Command } from "../core/inputs.ts";
import type { LinkQuality } from "./heartbeat_network.ts";
import type { ScriptBehaviour } from "./scripts.ts";
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
  | { readonly kind: "heal-links" }
  /** Puts a machine on a segment of the service network; `null`: no carrier. */
  | { readonly kind: "segment"; readonly node: string; readonly segment: number | null }
  | { readonly kind: "heal-service" }
  | { readonly kind: "service-loss"; readonly lossRate: number }
  /** Where the targets of the arbiters are; `null`: they are down. */
  | { readonly kind: "arbiter-segment"; readonly segment: number | null }
  /** A machine cannot ask its service network although it is attached (no permission, no memory); until healed. */
  | { readonly kind: "blind"; readonly node: string }
  | { readonly kind: "kill"; readonly node: string }
  | { readonly kind: "start"; readonly node: string }
  | { readonly kind: "pause"; readonly node: string }
  | { readonly kind: "resume"; readonly node: string }
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
  /** Somebody removes an address by hand. */
  | { readonly kind: "remove-address"; readonly node: string; readonly group: string }
  /** A recorded packet comes again; `age` 0 is the latest, towards 1 the oldest that is kept. */
  | { readonly kind: "replay"; readonly to: string; readonly age: number };

export function apply(simulation: Simulation, fault: Fault): void {
  const { heartbeats, service } = simulation;
  const machine = "node" in fault ? simulation.machine(fault.node) : null;
  switch (fault.kind) {
    case "link":
      return heartbeats.set(fault.from, fault.medium, fault.to, fault.quality);
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
    case "blind":
      service.blind.add(fault.node);
      return;
    case "kill":
      return machine!.kill();
    case "start":
      return machine!.startDaemon();
    case "pause":
      return machine!.daemon?.pause();
    case "resume":
      return machine!.daemon?.resume();
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
      return `links ${fault.from ?? "*"} -${fault.medium ?? "*"}-> ${fault.to ?? "*"}: ${
        JSON.stringify(fault.quality)
      }`;
    case "command":
      return `operator on ${fault.node}: ${JSON.stringify(fault.command)}`;
    case "script":
      return `script ${fault.group}[${fault.resource}] on ${fault.node}: ${JSON.stringify(fault.behaviour)}`;
    default:
      return Object.values(fault).join(" ");
  }
}
