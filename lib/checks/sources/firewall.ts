/**
 * Reads this machine's firewall (nftables, and what was written with iptables) and asks of each kind of traffic that a
 * pair lives by whether a rule drops it. It changes nothing.
 */

import { readFileSync } from "node:fs";
import { ipProtocol } from "../../system/packets/ip_packet.ts";
import { addressBytes, addressFamily, addressText, isSameSubnet } from "../../system/packets/ip_address.ts";
import { vrrpGroups } from "../../system/packets/vrrp.ts";
import { runProcess } from "../../system/process.ts";
import type { FirewallDrop } from "../circumstances.ts";
import type { Evidence } from "../evidence.ts";
import { droppedBy } from "../firewall/evaluate.ts";
import { readIptables } from "../firewall/iptables.ts";
import { readNft } from "../firewall/nft.ts";
import { pieceOf } from "../firewall/piece.ts";
import type { Chain, Flow } from "../firewall/ruleset.ts";
import { unseen } from "../gather.ts";
import type { Host } from "../host.ts";
import type { CheckedLink, CheckQuestion } from "../question.ts";
import type { Look } from "../sources.ts";

/** A listing takes some milliseconds; of thousands of rules, or on a machine that is overloaded, very many more. */
const limitMs = 5_000;
const outputBytesMax = 8 * 1024 * 1024;

export async function gatherFirewall({ question, host }: Look): Promise<Evidence[]> {
  const evidence: Evidence[] = [];
  const chains = await readChains(evidence);
  for (const { traffic, flow } of flowsOf(question, host)) {
    const found = droppedBy(chains, flow);
    if (found !== null) evidence.push(pieceOf(traffic, flow, found));
  }
  return evidence;
}

async function readChains(evidence: Evidence[]): Promise<Chain[]> {
  const read = async (command: string, args: readonly string[]) => {
    const result = await runProcess(command, args, { limitMs, outputBytesMax });
    if (result.code === 0) return result.stdout;
    // A tool that is not installed has written no rules that another one does not show.
    if (result.spawnError !== "ENOENT") {
      const reason = `${command} cannot list the rules: ${
        result.stderr.trim().split("\n")[0] || "no answer"
      }`;
      const isRefused = /not permitted|you must be root|denied/i.test(result.stderr);
      if (evidence.some((piece) => piece.subject === command)) return null;
      evidence.push(unseen("firewall", command, reason, isRefused ? "CAP_NET_ADMIN" : null));
    }
    return null;
  };
  const legacy = (family: "ip" | "ip6") => hasLegacyTables(family) ? `${family}tables-legacy-save` : null;
  const [json, listing, ...saved] = await Promise.all([
    read("nft", ["-j", "list", "ruleset"]),
    read("nft", ["-a", "list", "ruleset"]),
    ...(["ip", "ip6"] as const).flatMap((family) =>
      [`${family}tables-save`, legacy(family)].map((command) => command === null ? null : read(command, []))
    ),
  ]);
  const iptables = saved.flatMap((text, index) =>
    text == null ? [] : readIptables(text, index < 2 ? "ip" : "ip6")
  );
  const nft = json == null || listing == null ? [] : readNft(json, listing);
  // What iptables wrote is shown by both; its own words are the ones that its user knows.
  const isTwice = (chain: Chain) =>
    iptables.some((other) =>
      other.family === chain.family && other.table === chain.table && other.name === chain.name
    );
  return [...nft.filter((chain) => !isTwice(chain)), ...iptables];
}

function hasLegacyTables(family: "ip" | "ip6"): boolean {
  try {
    return readFileSync(`/proc/net/${family}_tables_names`, "utf8").trim() !== "";
  } catch {
    return false;
  }
}

interface Asked {
  readonly traffic: FirewallDrop["traffic"];
  readonly flow: Flow;
}

/** Traffic between this machine and another one, or everybody on an interface. */
interface Exchange extends Pick<Flow, "device" | "family" | "protocol" | "port"> {
  readonly traffic: FirewallDrop["traffic"];
  /** `heartbeats (UDP port 694)` */
  readonly what: string;
  readonly own: string | null;
  readonly far: string | null;
  /** What both send to; `null`: each sends to the other. */
  readonly group: string | null;
}

/** What should pass between this machine and the others, in both directions. */
function flowsOf(question: CheckQuestion, host: Host): Asked[] {
  const network = question.links.filter((link) => link.kind === "network");
  const vipDevices = new Set(question.vips.flatMap((vip) => host.devices.get(vip.address) ?? []));
  const devices = new Set([...vipDevices, ...network.map((link) => link.device)]);
  const families = new Set(question.vips.map((vip) => vip.family));
  return [
    ...network.flatMap((link) => heartbeatsOn(link, question, host)),
    ...[...devices].flatMap((device) =>
      [...families].flatMap((family) => routersOn(device, family, question, host))
    ),
    ...[...vipDevices].map((device): Exchange => ({
      ...{ traffic: "arp", what: "ARP", device, family: "arp", protocol: null, port: null },
      ...{ own: null, far: null, group: null },
    })),
  ].flatMap(bothWays);
}

function heartbeatsOn(
  { device, peer, port, group }: Extract<CheckedLink, { kind: "network" }>,
  question: CheckQuestion,
  host: Host,
): Exchange[] {
  if (port === null) return [];
  const family = addressFamily(peer ?? group ?? "") ?? 4;
  const what = `heartbeats (UDP port ${port})`;
  return (peer === null ? peersOn(device, family, question, host) : [peer]).map((far) => ({
    ...{ traffic: "heartbeats", what, device, family, protocol: ipProtocol.udp, port, far, group },
    own: ownAddress(host, device, family, far),
  }));
}

function routersOn(device: string, family: 4 | 6, question: CheckQuestion, host: Host): Exchange[] {
  const group = addressText(vrrpGroups[family]);
  return peersOn(device, family, question, host).map((far) => ({
    ...{
      traffic: "vrrp",
      what: "VRRP advertisements",
      device,
      family,
      protocol: ipProtocol.vrrp,
      port: null,
    },
    ...{ own: ownAddress(host, device, family, far), far, group },
  }));
}

/** Addresses of other nodes that are reached over the interface; `[null]`: none is known. */
function peersOn(device: string, family: 4 | 6, question: CheckQuestion, host: Host): Array<string | null> {
  const peers = question.nodes.flatMap((node) => node.addresses)
    .filter((address) => host.devices.get(address) === device && addressFamily(address) === family);
  return peers.length === 0 ? [null] : peers;
}

function bothWays({ traffic, what, own, far, group, ...shared }: Exchange): Asked[] {
  const from = far === null ? "" : ` from ${far}`;
  const inward: Flow = {
    ...{ ...shared, direction: "in", source: far, destination: group ?? own },
    name: `${what}${from} on ${shared.device}`,
  };
  const outward: Flow = {
    ...{ ...shared, direction: "out", source: own, destination: group ?? far },
    name: `${what} sent on ${shared.device}`,
  };
  return [{ traffic, flow: inward }, { traffic, flow: outward }];
}

/** This machine's address on the interface, that of the far end's subnet before any other. */
function ownAddress(host: Host, device: string, family: 4 | 6, far: string | null): string | null {
  const index = host.links.find((link) => link.name === device)?.index;
  const own = host.addresses.filter((info) => info.index === index && addressFamily(info.address) === family);
  const farBytes = far === null ? null : addressBytes(far);
  const near = own.find((info) =>
    farBytes !== null && isSameSubnet(addressBytes(info.address)!, farBytes, info.prefix)
  );
  return (near ?? own[0])?.address ?? null;
}
