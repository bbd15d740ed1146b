/**
 * The question that a keepalived.conf asks. Pure. An instance that starts as MASTER tells this machine's role; where
 * nothing preempts, whoever is master is right. BACKUP alone tells little, since many files say so on both nodes: then
 * the flags decide, else VRRP's own election does. The other node is known by `unicast_peer`, else by flags.
 */

import type { CheckedLink, CheckedVip, CheckQuestion, Role } from "../../../lib/checks/question.ts";
import type { KeepalivedConf, VrrpInstance } from "../../../lib/config/keepalived_conf.ts";
import { type Common, type Named, roleByFlags } from "./options.ts";

export function questionFromKeepalived(
  conf: KeepalivedConf,
  common: Common,
  ownAddresses: ReadonlySet<string>,
  named: Named,
  controlSocket: string | null,
): CheckQuestion {
  const isOwn = (address: string) => ownAddresses.has(address);
  const roleOf = (instance: VrrpInstance | undefined): Role =>
    roleByFile(instance) ?? (hasMaster(conf) ? null : roleByFlags(named, isOwn)) ?? "standby";
  const role = common.role ?? roleOf(conf.instances[0]);
  // Only of two named nodes, none of them this one, is it known who has which address.
  const isThird = named.primary.length > 0 && named.standby.length > 0 &&
    (role === "observer" || roleByFlags(named, isOwn) === "observer");
  const otherRole = role === "primary" ? "standby" : "primary";
  const peers = [
    ...conf.instances.flatMap((instance) => instance.peers),
    ...named.primary,
    ...named.standby,
    ...common.links.flatMap((link) => link.kind === "network" && link.peer !== null ? [link.peer] : []),
  ].filter((address) => !isOwn(address));
  const spokenOn = new Set(conf.instances.flatMap(({ device }) => device ?? []));
  return {
    role,
    vips: conf.instances.flatMap((instance) =>
      instance.addresses.map(({ address, family, device }) => ({
        address,
        family,
        device: device ?? instance.device,
        group: null,
        virtualRouter: instance.routerId,
        ...(common.role === null
          ? ownOf(
            instance,
            roleOf(instance),
            isThird ? nodeNames[0] : otherName,
            hasMaster(conf) || isNamed(named),
          )
          : {}),
      }))
    ),
    nodes: isThird
      ? nodeNames.map((name) => ({ name, role: name, addresses: named[name] }))
      : peers.length === 0
      ? []
      : [{ name: otherName, role: otherRole, addresses: [...new Set(peers)] }],
    services: common.services,
    links: [
      ...common.links,
      // Advertisements may go over another interface than the addresses are on.
      ...[...spokenOn].filter((device) => !common.links.some((link) => isOn(link, device)))
        .map((device) => ({ kind: "network", device, peer: null, group: null, port: null }) as const),
    ],
    controlSocket,
    authentication: null,
    ignoredHardware: common.ignoredHardware,
    windowMs: common.windowMs,
  };
}

/** The file does not name its nodes. */
const otherName = "the other node";
/** A third machine must tell them apart: two holders would pass for one. */
const nodeNames = ["primary", "standby"] as const;

function isOn(link: CheckedLink, device: string): boolean {
  return link.kind === "network" && link.device === device;
}

function isNamed({ primary, standby }: Named): boolean {
  return primary.length + standby.length > 0;
}

function hasMaster({ instances }: KeepalivedConf): boolean {
  return instances.some(({ state }) => state === "MASTER");
}

function ownOf(instance: VrrpInstance, role: Role, primary: string, isKnown: boolean): Partial<CheckedVip> {
  const own = { role, primary: role === "primary" ? "" : primary };
  return roleByFile(instance) === null && !isKnown ? { own, isElected: true } : { own };
}

/** `null`: it does not tell. */
function roleByFile(instance: VrrpInstance | undefined): Role | null {
  if (instance?.isNopreempt === true) return "either";
  return instance?.state === "MASTER" ? "primary" : null;
}
