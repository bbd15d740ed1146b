/**
 * What the fencing devices cover: which nodes nobody can switch off, and which two would switch each other off at the
 * same moment. Whether a device shares the power of the node it switches is beyond what settings tell.
 */

import { fenceRungs } from "../../core/fence_rungs.ts";
import type { FenceDeviceSettings, GroupSettings, Settings } from "../../core/settings.ts";
import type { AgentFacts } from "../context.ts";
import type { Places, Say } from "../problem.ts";
import { nearest } from "../spelling.ts";

/** Nodes of a list that no device can switch off. */
export function unfenceable({ fencing }: Settings, nodes: readonly string[]): string[] {
  const devices = fencing?.devices ?? [];
  return nodes.filter((node) => !devices.some(({ ports }) => Object.hasOwn(ports, node)));
}

/** Less difference between two delays than this, and the slower machine may still be the faster one to fence. */
const delayDifferenceMs = 2_000;

export function checkFencing(settings: Settings, places: Places, say: Say): void {
  const { fencing, nodes, groups } = settings;
  if (fencing === null) return;
  for (const [index, { agent }] of fencing.devices.entries()) {
    if (!/\/?fence_dummy$/.test(agent)) continue;
    const message = `"${agent}" switches nothing off: it is for tests`;
    say("warning", places.at("fencing", "devices", index), "sham-device", message, "name a real agent");
  }
  for (const node of unfenceable(settings, nodes)) {
    const affected = groups.filter((group) => group.nodes.length > 1 && group.nodes.includes(node));
    if (affected.length === 0) continue;
    const names = affected.map(({ name }) => `"${name}"`).join(", ");
    const message = `no device can fence ${node}: while it is silent, ${names} has no fencing to rely on`;
    const hint = `add ${node} to the "nodes" of a device that can switch it off`;
    say("warning", places.at("fencing"), "unfenced-node", message, hint);
  }
  for (const group of groups.filter(({ nodes }) => nodes.length > 1)) sayCover(settings, group, places, say);
  const members = nodes.filter((node) => unfenceable(settings, [node]).length === 0);
  for (const [index, first] of members.entries()) {
    for (const second of members.slice(index + 1)) checkRace(settings, first, second, places, say);
  }
}

/** By which devices each node of a group is switched off; nodes without any are told above. */
function sayCover({ fencing }: Settings, { name, nodes }: GroupSettings, places: Places, say: Say): void {
  const covered = nodes.flatMap((node) => {
    const rungs = fenceRungs(fencing!, node).map((rung) => rung.map(({ name }) => name).join(" with "));
    return rungs.length === 0 ? [] : [`${node} (by ${rungs.join(", then ")})`];
  });
  if (covered.length === 0) return;
  const message = `"${name}" is taken only once these are verified to be off, when they are lost: ${
    covered.join(", ")
  }`;
  say("note", places.at("groups", name), "fenced", message);
}

function checkRace(
  { fencing, groups }: Settings,
  first: string,
  second: string,
  places: Places,
  say: Say,
): void {
  const delayOf = (node: string) => fencing!.delayMs[node] ?? 0;
  if (!groups.some(({ nodes }) => nodes.includes(first) && nodes.includes(second))) return;
  if (Math.abs(delayOf(first) - delayOf(second)) >= delayDifferenceMs) return;
  const message = `${first} and ${second} can fence each other at the same moment, and then nothing runs`;
  const hint =
    `write "delay: {${first}: 10s}" in "fencing", longer than a device takes to switch off: others wait ` +
    `so long before they fence ${first}, or whichever node should survive`;
  say("warning", places.at("fencing"), "fence-race", message, hint);
}

/** What the agents of this machine say about how they are used. */
export function checkAgents(
  { fencing }: Settings,
  places: Places,
  agents: ReadonlyMap<string, AgentFacts>,
  say: Say,
): void {
  for (const [index, device] of (fencing?.devices ?? []).entries()) {
    const facts = agents.get(device.agent);
    const at = (...more: string[]) => places.at("fencing", "devices", index, ...more);
    switch (facts?.kind) {
      case "missing": {
        const message = `there is no agent "${device.agent}" on this machine`;
        say(
          "warning",
          at("agent"),
          "no-agent",
          message,
          "install it (Debian: fence-agents), or correct its name",
        );
        break;
      }
      case "silent": {
        const message = `"${device.agent}" does not describe itself: is it a fence agent?`;
        say("warning", at("agent"), "no-metadata", message, `see "${device.agent} -o metadata"`);
        break;
      }
      case "known":
        checkOptions(device, facts.parameters, at, say);
        if (facts.isFabric) {
          const message =
            `"${device.agent}" cuts a node off and leaves it running: it counts as fenced all the same`;
          const hint =
            "right only if what it cuts is all that the node could do harm with; nothing lets it back in";
          say("warning", at("agent"), "fabric-agent", message, hint);
        }
    }
  }
}

function checkOptions(
  { agent, options }: FenceDeviceSettings,
  parameters: readonly string[],
  at: (...more: string[]) => ReturnType<Places["at"]>,
  say: Say,
): void {
  const plain = (name: string) => name.replaceAll("-", "_");
  const known = new Set(parameters.map(plain));
  for (const name of Object.keys(options).filter((name) => !known.has(plain(name)))) {
    const near = nearest(name, parameters);
    const hint = near === null ? `"${agent} -o metadata" lists them` : `did you mean "${near}"?`;
    say("warning", at("options", name), "unknown-agent-option", `"${agent}" has no option "${name}"`, hint);
  }
}
