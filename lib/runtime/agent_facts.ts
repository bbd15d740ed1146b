/**
 * What the fence agents that a configuration names say of themselves on this machine, for `config check`. Runs them
 * with the action `metadata`, which touches no device, and runs nothing whose name is not that of a fence agent.
 */

import { basename } from "node:path";
import type { AgentFacts } from "../config/context.ts";
import { parseAgent } from "../config/yaml/fencing.ts";
import { AgentDevice } from "../fencing/agent.ts";
import { findAgent } from "../fencing/agent_call.ts";

export async function agentFacts(agents: readonly string[]): Promise<ReadonlyMap<string, AgentFacts>> {
  const wanted = [...new Set(agents)].filter((agent) => parseAgent(agent).ok);
  return new Map(await Promise.all(wanted.map(async (agent) => [agent, await factsOf(agent)] as const)));
}

async function factsOf(agent: string): Promise<AgentFacts> {
  if (findAgent(agent) === null) return { kind: "missing" };
  if (!basename(agent).startsWith("fence_")) return { kind: "unasked" };
  const device = new AgentDevice({ name: agent, agent, ports: {}, options: {}, limitMs: 1000 });
  const metadata = await device.metadata();
  if (metadata === null) return { kind: "silent" };
  return { kind: "known", parameters: metadata.parameters, isFabric: await device.isFabric() };
}
