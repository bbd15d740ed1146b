/**
 * The firewall of this machine as a list of chains, whichever tool wrote it, and the traffic that is asked about.
 * Types only. A test that is not understood stays in its rule as `unknown`: a rule is never made to look simpler than
 * it is.
 */

/** Traffic of one kind, in one direction, at this machine. */
export interface Flow {
  /** `heartbeats from 10.0.0.1 on eth1 (UDP port 694)` */
  readonly name: string;
  readonly direction: "in" | "out";
  readonly device: string;
  readonly family: 4 | 6 | "arp";
  /** Number of the IP protocol; `null` for ARP. */
  readonly protocol: number | null;
  /** `null`: not known. */
  readonly source: string | null;
  readonly destination: string | null;
  /** UDP destination port. */
  readonly port: number | null;
}

/** Where a packet passes, in this order. */
export const hooks = {
  in: ["ingress", "prerouting", "input"],
  out: ["output", "postrouting", "egress"],
} as const;
export type Hook = typeof hooks[Flow["direction"]][number];

export type Operator = "==" | "!=" | "in" | "<" | ">" | "<=" | ">=";

export type Field =
  | "in-device"
  | "out-device"
  | "protocol"
  | "source"
  | "destination"
  | "source-port"
  | "port"
  | "ip-version"
  | "ethernet-type"
  | "packet-type"
  | "connection";

/** What a field is compared with. A `*` at the end of a word stands for any rest. */
export type Operand =
  | { readonly kind: "word"; readonly word: string }
  | { readonly kind: "prefix"; readonly address: string; readonly length: number }
  | { readonly kind: "range"; readonly from: string; readonly to: string }
  | { readonly kind: "any-of"; readonly operands: readonly Operand[] };

export type Test =
  /** `layer`: the protocol without which the field does not exist; `null`: it always does. */
  | {
    readonly kind: "compare";
    readonly field: Field;
    readonly layer: number | "4" | "6" | "arp" | null;
    readonly operator: Operator;
    readonly operand: Operand;
  }
  | { readonly kind: "unknown" };

export type RuleEnd =
  | { readonly kind: "drop" | "accept" | "return" | "continue" }
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  /** The first entry whose operand fits. `isComplete`: all were understood, so that the traffic may fit none. */
  | {
    readonly kind: "map";
    readonly field: Field | null;
    readonly layer: Extract<Test, { kind: "compare" }>["layer"];
    readonly entries: ReadonlyArray<readonly [Operand, RuleEnd]>;
    readonly isComplete: boolean;
  };

export interface Rule {
  /** As the tool prints it. */
  readonly text: string;
  /** nftables' number; `null`: iptables. */
  readonly handle: number | null;
  readonly tests: readonly Test[];
  readonly end: RuleEnd;
}

export interface Chain {
  readonly tool: "nft" | "iptables" | "ip6tables";
  /** `ip`, `ip6`, `inet`, `arp`, `netdev`. */
  readonly family: string;
  readonly table: string;
  readonly name: string;
  /** `null`: it is only jumped to. */
  readonly hook: Hook | null;
  /** Of `ingress` and `egress`; `null`: not told, or every one. */
  readonly device: string | null;
  readonly priority: number;
  readonly policy: "accept" | "drop";
  readonly rules: readonly Rule[];
}
