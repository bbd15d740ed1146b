/** A rule that drops traffic as evidence: where it stands, in its tool's words, and the command that lets it pass. */

import type { FirewallDrop } from "../circumstances.ts";
import type { DroppedBy } from "./evaluate.ts";
import type { Flow } from "./ruleset.ts";

export function pieceOf(
  traffic: FirewallDrop["traffic"],
  flow: Flow,
  { chain, rule, certainty }: DroppedBy,
): FirewallDrop {
  return {
    ...{ kind: "firewall-drop", source: "firewall", subject: flow.name, ageMs: 0, traffic, flow, certainty },
    place: placeText(chain, rule?.handle ?? null),
    rule: rule?.text.replace(counter, "counter") ?? null,
    packets: packetsOf(rule?.text ?? ""),
    remedy: remedyFor(flow, { chain, rule, certainty }),
  };
}

/** It changes from one check to the next, and what is told should not. */
const counter = /counter packets (\d+) bytes \d+/;

function packetsOf(text: string): number | null {
  const [, packets] = counter.exec(text) ?? [];
  return packets === undefined ? null : Number(packets);
}

function placeText({ tool, family, table, name }: DroppedBy["chain"], handle: number | null): string {
  if (tool !== "nft") return `${tool}, table ${table}, chain ${name}`;
  return `nftables, table ${family} ${table}, chain ${name}${handle === null ? "" : `, handle ${handle}`}`;
}

/** A rule that drops goes away; where only the policy drops, a rule that accepts is put in. */
function remedyFor(flow: Flow, { chain, rule }: DroppedBy): string {
  const { tool, family, table, name } = chain;
  if (tool !== "nft") {
    const where = table === "filter" ? "" : `-t ${table} `;
    if (rule !== null) return `${tool} ${where}${rule.text.replace(/^-A/, "-D")}`;
    return `${tool} ${where}-I ${name} ${iptablesMatch(flow)} -j ACCEPT`;
  }
  if (rule?.handle != null) return `nft delete rule ${family} ${table} ${name} handle ${rule.handle}`;
  return `nft insert rule ${family} ${table} ${name} ${nftMatch(flow)} accept`;
}

function iptablesMatch(flow: Flow): string {
  const device = `${flow.direction === "in" ? "-i" : "-o"} ${flow.device}`;
  return flow.port === null ? `${device} -p ${flow.protocol}` : `${device} -p udp --dport ${flow.port}`;
}

function nftMatch(flow: Flow): string {
  const device = `${flow.direction === "in" ? "iifname" : "oifname"} "${flow.device}"`;
  if (flow.protocol === null) return device;
  return flow.port === null ? `${device} meta l4proto ${flow.protocol}` : `${device} udp dport ${flow.port}`;
}
