/**
 * All commands: name, summary, and how to get the rest. Each module is loaded only when its command is asked for;
 * the paths are literal so that the bundler finds them.
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";

export interface Verb {
  readonly name: string;
  readonly group: "Daemon" | "Control" | "Tools";
  /** One line for the list of commands; the command's own help says more. */
  readonly summary: string;
  load(): Promise<CommandUnknownOpts>;
}

export const verbs: readonly Verb[] = [
  {
    name: "peer",
    group: "Daemon",
    summary: "run the daemon that watches the other nodes and holds groups",
    load: async () => (await import("./commands/peer.ts")).peerCommand(),
  },
  {
    name: "status",
    group: "Control",
    summary: "who holds what and why, links, alarms",
    load: async () => (await import("./commands/status.ts")).statusCommand(),
  },
  {
    name: "takeover",
    group: "Control",
    summary: "bring groups to this node",
    load: async () => (await import("./commands/takeover.ts")).takeoverCommand(),
  },
  {
    name: "standby",
    group: "Control",
    summary: "hand groups to another node",
    load: async () => (await import("./commands/standby.ts")).standbyCommand(),
  },
  {
    name: "release",
    group: "Control",
    summary: "stop groups here and stay out",
    load: async () => (await import("./commands/release.ts")).releaseCommand(),
  },
  {
    name: "rejoin",
    group: "Control",
    summary: "lift a release, a recorded failure or a block",
    load: async () => (await import("./commands/rejoin.ts")).rejoinCommand(),
  },
  {
    name: "confirm",
    group: "Control",
    summary: "allow the takeover that waits for a person",
    load: async () => (await import("./commands/confirm.ts")).confirmCommand(),
  },
  {
    name: "maintenance",
    group: "Control",
    summary: "freeze the cluster, and let it go again",
    load: async () => (await import("./commands/maintenance.ts")).maintenanceCommand(),
  },
  {
    name: "history",
    group: "Control",
    summary: "what the daemon decided lately, and why",
    load: async () => (await import("./commands/history.ts")).historyCommand(),
  },
  {
    name: "config",
    group: "Tools",
    summary: "check a configuration: all problems at once, with their place",
    load: async () => (await import("./commands/config.ts")).configCommand(),
  },
  {
    name: "detect",
    group: "Tools",
    summary: "find split brain: two holders of one address, and why",
    load: async () => (await import("./commands/detect.ts")).detectCommand() as unknown as CommandUnknownOpts,
  },
  {
    name: "probe",
    group: "Tools",
    summary: "measure links, and what a deadtime costs on them",
    load: async () => (await import("./commands/probe.ts")).probeCommand() as unknown as CommandUnknownOpts,
  },
  {
    name: "arp",
    group: "Tools",
    summary: "announce an address, ask who has it, watch who claims it",
    load: async () => (await import("./commands/arp.ts")).arpCommand(),
  },
  {
    name: "drill",
    group: "Tools",
    summary: "cut a link for a limited time, watch, give it back, report",
    load: async () => (await import("./commands/drill.ts")).drillCommand(),
  },
  {
    name: "fence",
    group: "Tools",
    summary: "test fencing devices; switch a node off and make sure of it",
    load: async () => (await import("./commands/fence.ts")).fenceCommand(),
  },
  {
    name: "resource",
    group: "Tools",
    summary: "start, stop and check one resource or a group",
    load: async () => (await import("./commands/resource.ts")).resourceCommand(),
  },
  {
    name: "simulate",
    group: "Tools",
    summary: "partitions, stalls and crashes on the real core, in virtual time",
    load: async () => (await import("./commands/simulate.ts")).simulateCommand(),
  },
  {
    name: "completions",
    group: "Tools",
    summary: "completion of commands and options for bash, zsh and fish",
    load: async () => (await import("./commands/completions.ts")).completionsCommand(),
  },
];
