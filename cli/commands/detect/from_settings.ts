/**
 * The question that a cluster's settings ask. Pure. Nodes of a pair are told apart by the addresses of the heartbeat
 * links, so that nothing but the settings is needed.
 */

import type {
  CheckedLink,
  CheckedNode,
  CheckedVip,
  CheckQuestion,
  Role,
} from "../../../lib/checks/question.ts";
import type { GroupSettings, MediumSettings, Settings } from "../../../lib/core/settings.ts";
import type { Common } from "./options.ts";

/**
 * On a machine that is none of the nodes their interfaces have no meaning: it asks where the addresses' subnet is.
 *
 * `node`: name of this machine, which may be none of the nodes. `addressesOf`: what the names resolve to.
 */
export function questionFromSettings(
  settings: Settings,
  node: string,
  common: Common,
  ownAddresses: ReadonlySet<string>,
  addressesOf: ReadonlyMap<string, readonly string[]>,
  controlSocket: string | null,
): CheckQuestion {
  const isForeign = !settings.nodes.includes(node);
  const vips = settings.groups.flatMap((each) =>
    vipsOf(each).map((vip) => isForeign ? { ...vip, device: null } : vip).map((vip): CheckedVip =>
      common.role === null
        ? { ...vip, own: { role: roleOf(settings, each, node), primary: each.nodes[0] ?? "" } }
        : vip
    )
  );
  const group = settings.groups.find((candidate) => vipsOf(candidate).length > 0) ?? null;
  const links = [...(isForeign ? [] : settings.media.map(linkOf)), ...common.links];
  const others = settings.nodes.filter((name) => name !== node);
  const farEnds = links.flatMap((link) => link.kind === "network" && link.peer !== null ? [link.peer] : []);
  const nodes = others.map((name): CheckedNode => ({
    name,
    role: name === (group?.nodes ?? settings.nodes)[0] ? "primary" : "standby",
    addresses: [
      ...new Set([...(addressesOf.get(name) ?? []), ...(others.length === 1 ? farEnds : [])]),
    ].filter((address) => !ownAddresses.has(address)),
  }));
  return {
    role: common.role ?? roleOf(settings, group, node),
    vips,
    nodes,
    services: common.services,
    links,
    controlSocket,
    authentication: settings.authentication,
    ignoredHardware: [...settings.ignoreAnswersFrom, ...common.ignoredHardware],
    windowMs: common.windowMs,
  };
}

/** Where nothing brings a group back, whoever holds it is right. */
function roleOf(settings: Settings, group: GroupSettings | null, node: string): Role {
  if (!settings.nodes.includes(node)) return "observer";
  if (group?.failback.kind === "off") return "either";
  return (group?.nodes ?? settings.nodes)[0] === node ? "primary" : "standby";
}

function vipsOf(group: GroupSettings): CheckedVip[] {
  return group.resources.flatMap(({ spec }) =>
    spec.kind === "vip"
      ? [{
        address: spec.address,
        family: spec.family,
        device: spec.device,
        group: group.name,
        virtualRouter: null,
      }]
      : []
  );
}

function linkOf(medium: MediumSettings): CheckedLink {
  switch (medium.kind) {
    case "serial":
      return { kind: "serial", tty: medium.tty, baud: medium.baud };
    case "ucast":
      return { kind: "network", device: medium.device, peer: medium.peer, group: null, port: medium.port };
    case "tcp":
      // A stream is not listened to: nothing is expected to be heard on it.
      return { kind: "network", device: medium.device, peer: medium.peer, group: null, port: null };
    case "mcast":
      return { kind: "network", device: medium.device, peer: null, group: medium.group, port: medium.port };
    case "bcast":
      return { kind: "network", device: medium.device, peer: null, group: null, port: medium.port };
  }
}
