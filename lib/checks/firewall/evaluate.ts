/**
 * Decides which rule of a firewall drops some traffic, by walking the chains as the kernel does. Pure. Where a rule
 * holds a test that cannot be judged, the walk goes on both ways, and what it finds from there on is `possible`, not
 * `certain`.
 */

import { addressBytes, isSameSubnet } from "../../system/packets/ip_address.ts";
import { ipProtocol } from "../../system/packets/ip_packet.ts";
import {
  type Chain,
  type Field,
  type Flow,
  hooks,
  type Operand,
  type Operator,
  type Rule,
  type RuleEnd,
  type Test,
} from "./ruleset.ts";

export interface DroppedBy {
  readonly chain: Chain;
  /** `null`: no rule, the chain's policy. */
  readonly rule: Rule | null;
  readonly certainty: "certain" | "possible";
}

/** `null`: nothing drops it. A certain answer goes before a possible one. */
export function droppedBy(chains: readonly Chain[], flow: Flow): DroppedBy | null {
  let possible: DroppedBy | null = null;
  for (const chain of chainsOf(chains, flow)) {
    const end = walk(chains, chain, flow, { depth: 0, isSure: true });
    if (end.kind !== "drop") {
      possible ??= end.maybe;
      continue;
    }
    const found: DroppedBy = {
      chain: end.chain,
      rule: end.rule,
      certainty: end.isSure ? "certain" : "possible",
    };
    if (end.isSure) return found;
    possible ??= end.maybe ?? found;
  }
  return possible;
}

const familiesOf: Readonly<Record<"4" | "6" | "arp", readonly string[]>> = {
  4: ["ip", "inet", "netdev"],
  6: ["ip6", "inet", "netdev"],
  arp: ["arp", "netdev"],
};

/** Base chains that the traffic passes, in order. */
function chainsOf(chains: readonly Chain[], flow: Flow): Chain[] {
  const order: readonly string[] = hooks[flow.direction];
  return chains
    .filter((chain) => chain.hook !== null && order.includes(chain.hook))
    .filter((chain) => familiesOf[flow.family].includes(chain.family))
    .filter((chain) => chain.device === null || chain.device === flow.device)
    .sort((a, b) => order.indexOf(a.hook!) - order.indexOf(b.hook!) || a.priority - b.priority);
}

interface State {
  readonly depth: number;
  /** No rule on the way here was in doubt. */
  readonly isSure: boolean;
}

/** `maybe`: a rule in doubt that would have dropped it. */
type WalkEnd =
  | {
    readonly kind: "drop";
    readonly chain: Chain;
    readonly rule: Rule | null;
    readonly isSure: boolean;
    readonly maybe: DroppedBy | null;
  }
  | { readonly kind: "accept" | "return"; readonly isSure: boolean; readonly maybe: DroppedBy | null };

/** Chains may not call each other in a circle; a listing that is wrong must not hang us. */
const depthMax = 16;

function walk(chains: readonly Chain[], chain: Chain, flow: Flow, state: State): WalkEnd {
  let { isSure } = state;
  let maybe: DroppedBy | null = null;
  for (const rule of chain.rules) {
    const answers = rule.tests.map((test) => answerOf(test, flow));
    if (answers.includes("no")) continue;
    const isRuleSure = !answers.includes("unknown");
    const end = endFor(rule.end, flow);
    if (end === "unknown") {
      isSure = false;
      continue;
    }
    switch (end.kind) {
      case "continue":
        continue;
      case "accept":
      case "return":
        if (isRuleSure) return { kind: end.kind, isSure, maybe };
        isSure = false;
        continue;
      case "drop":
        if (isRuleSure) return { kind: "drop", chain, rule, isSure, maybe };
        maybe ??= { chain, rule, certainty: "possible" };
        continue;
      case "jump":
      case "goto": {
        const target = chains.find((each) =>
          each.name === end.chain && each.table === chain.table && each.family === chain.family
        );
        // iptables' other targets (LOG, MARK…) are no chains.
        if (target === undefined || state.depth >= depthMax) continue;
        const inner = walk(chains, target, flow, { depth: state.depth + 1, isSure: isSure && isRuleSure });
        maybe ??= inner.maybe;
        if (inner.kind === "drop" && isRuleSure) return { ...inner, maybe };
        if (inner.kind === "drop") maybe ??= { ...inner, certainty: "possible" };
        if (inner.kind === "accept" && isRuleSure && inner.isSure) return { ...inner, maybe };
        if (end.kind === "goto" && isRuleSure && inner.kind === "return") {
          return atEnd(chain, inner.isSure, maybe);
        }
        if (!inner.isSure || !isRuleSure) isSure = false;
      }
    }
  }
  return atEnd(chain, isSure, maybe);
}

function atEnd(chain: Chain, isSure: boolean, maybe: DroppedBy | null): WalkEnd {
  if (chain.hook === null) return { kind: "return", isSure, maybe };
  if (chain.policy === "accept") return { kind: "accept", isSure, maybe };
  return { kind: "drop", chain, rule: null, isSure, maybe };
}

function endFor(end: RuleEnd, flow: Flow): RuleEnd | "unknown" {
  if (end.kind !== "map") return end;
  if (end.field === null) return "unknown";
  for (const [operand, then] of end.entries) {
    const test: Test = { kind: "compare", field: end.field, layer: end.layer, operator: "==", operand };
    const answer = answerOf(test, flow);
    if (answer === "yes") return then;
    if (answer === "unknown") return "unknown";
  }
  return end.isComplete ? { kind: "continue" } : "unknown";
}

type Answer = "yes" | "no" | "unknown";

function answerOf(test: Test, flow: Flow): Answer {
  if (test.kind === "unknown") return "unknown";
  const { layer, operator, operand, field } = test;
  if (layer !== null && !hasLayer(flow, layer)) return "no";
  const values = valuesOf(flow, field);
  if (values === "absent") return "no";
  if (values === null) return "unknown";
  const isEqual = values.some((value) => fits(operand, value, operator));
  return isEqual !== (operator === "!=") ? "yes" : "no";
}

function hasLayer(flow: Flow, layer: number | "4" | "6" | "arp"): boolean {
  return typeof layer === "number" ? flow.protocol === layer : `${flow.family}` === layer;
}

const protocolNames: Readonly<Record<number, readonly string[]>> = {
  [ipProtocol.icmp]: ["icmp"],
  [ipProtocol.udp]: ["udp"],
  [ipProtocol.authenticationHeader]: ["ah"],
  [ipProtocol.icmp6]: ["ipv6-icmp", "icmpv6"],
  [ipProtocol.vrrp]: ["vrrp"],
};

/** All texts by which the value may be called; `null`: not known; `absent`: the traffic has no such field. */
function valuesOf(flow: Flow, field: Field): readonly string[] | null | "absent" {
  const isInward = flow.direction === "in";
  switch (field) {
    case "in-device":
      return isInward ? [flow.device] : "absent";
    case "out-device":
      return isInward ? "absent" : [flow.device];
    case "protocol":
      return flow.protocol === null
        ? "absent"
        : [`${flow.protocol}`, "all", ...(protocolNames[flow.protocol] ?? [])];
    case "source":
      return flow.source === null ? null : [flow.source];
    case "destination":
      return flow.destination === null ? null : [flow.destination];
    case "port":
      return flow.port === null ? "absent" : [`${flow.port}`];
    case "source-port":
      return flow.port === null ? "absent" : null;
    case "ip-version":
      return flow.family === "arp" ? "absent" : [`ipv${flow.family}`];
    case "ethernet-type":
      return [flow.family === 4 ? "ip" : flow.family === 6 ? "ip6" : "arp"];
    case "packet-type":
      return [packetType(flow)];
    case "connection":
      if (flow.family === "arp") return "absent";
      // What goes to a group has no answer: to connection tracking each packet is a first one. Between two addresses
      // the packets of one may count as answers to those of the other, if both use one port (Heartline does).
      return flow.destination === null || packetType(flow) === "unicast" ? null : ["new"];
  }
}

function packetType({ destination, family }: Flow): string {
  if (family === "arp" || destination === null) return "broadcast";
  const first = addressBytes(destination)?.[0] ?? 0;
  if (destination.endsWith(".255")) return "broadcast";
  return (family === 4 && first >= 224 && first < 240) || first === 0xff ? "multicast" : "unicast";
}

function fits(operand: Operand, value: string, operator: Operator): boolean {
  switch (operand.kind) {
    case "any-of":
      return operand.operands.some((each) => fits(each, value, operator));
    case "prefix": {
      const [own, other] = [addressBytes(value), addressBytes(operand.address)];
      return own !== null && other !== null && isSameSubnet(own, other, operand.length);
    }
    case "range":
      return order(operand.from, value) <= 0 && order(value, operand.to) <= 0;
    case "word":
      switch (operator) {
        case "<":
          return order(value, operand.word) < 0;
        case ">":
          return order(value, operand.word) > 0;
        case "<=":
          return order(value, operand.word) <= 0;
        case ">=":
          return order(value, operand.word) >= 0;
        default:
          return operand.word.endsWith("*")
            ? value.startsWith(operand.word.slice(0, -1))
            : order(value, operand.word) === 0;
      }
  }
}

/** Addresses by their bytes, numbers by their value, all else as text. */
function order(a: string, b: string): number {
  const [left, right] = [addressBytes(a), addressBytes(b)];
  if (left !== null && right !== null && left.length === right.length) {
    const at = left.findIndex((byte, index) => byte !== right[index]);
    return at < 0 ? 0 : left[at]! - right[at]!;
  }
  if (/^\d+$/.test(a) && /^\d+$/.test(b)) return Number(a) - Number(b);
  return a === b ? 0 : a < b ? -1 : 1;
}
