/** Runs a scenario: sets up the world that it describes, lets happen what it lists, and judges what it expects. */

import { goodLink, type PacketRecord } from "../heartbeat_network.ts";
import { Simulation } from "../simulation.ts";
import type { TraceEntry } from "../trace.ts";
import { passageBetween } from "../wiring.ts";
import { judgeExpectation, type Judgement } from "./expectations.ts";
import { firstSettings, type Scenario } from "./scenario.ts";
import { type GroupTally, Watcher } from "./tally.ts";

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly durationMs: number;
  readonly events: number;
  readonly tallies: readonly GroupTally[];
  readonly judgements: readonly Judgement[];
  readonly entries: readonly TraceEntry[];
  /** Of every heartbeat; empty unless asked for. */
  readonly packets: readonly PacketRecord[];
}

export interface RunOptions {
  readonly seed?: number | undefined;
  /** Keep what became of every packet, for a trace or a picture. */
  readonly keepsPackets?: boolean | undefined;
}

export function runScenario(scenario: Scenario, options: RunOptions = {}): ScenarioResult {
  const seed = options.seed ?? scenario.seed;
  const simulation = simulationOf(scenario, seed);
  const packets: PacketRecord[] = [];
  if (options.keepsPackets) simulation.heartbeats.onPacket = (packet) => packets.push(packet);
  const watcher = new Watcher(simulation, scenario.events);
  for (const { atMs, fault } of scenario.events) simulation.at(atMs, fault);
  simulation.run(scenario.durationMs);
  const tallies = watcher.tallies();
  const facts = { tallies, entries: simulation.trace.entries, durationMs: scenario.durationMs };
  return {
    scenario,
    seed,
    durationMs: scenario.durationMs,
    events: simulation.queue.count,
    tallies,
    judgements: scenario.expectations.map((expectation) => judgeExpectation(expectation, facts)),
    entries: simulation.trace.entries,
    packets,
  };
}

function simulationOf({ settings, world }: Scenario, seed: number): Simulation {
  const simulation = new Simulation({
    seed,
    settings: firstSettings(settings),
    settingsOf: settings,
    serviceLatencyMs: world.serviceLatencyMs,
    startAtMs: world.startAtMs,
    links: {
      usual: (medium) => world.links[medium] ?? goodLink,
      passage: (from, medium, to) =>
        passageBetween(settings.get(from)!, medium, settings.get(to)!, to, world.addresses),
    },
  });
  simulation.service.lossRate = world.serviceLossRate;
  for (const [name, device] of Object.entries(world.fenceDevices)) {
    simulation.fences.build(name, device, device);
  }
  return simulation;
}
