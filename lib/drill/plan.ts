/**
 * What a drill does, as data, and as the packet filter's rules and sentences. Pure.
 *
 * All rules of a drill are in one netdev table of its own, whose name carries the drill's id and its end. They stand
 * at the very edge of the interface, in front of everything else, so that IPv4, IPv6, ARP, what is forwarded and what
 * raw sockets send are cut alike. The kernel ends them by itself: each rule matches only while the interface is an
 * element of a set, and that element has a timeout. Nothing needs to be alive for that; what is left is a table that
 * matches nothing, and a helper takes it away.
 *
 * What goes out is not dropped but made undeliverable: it leaves with an Ethertype for experiments (IEEE 802, local
 * experimental 1) and our own hardware address as its destination, which every switch filters and no host takes in.
 * Of a dropped packet the sender is told (ENOBUFS), and that is no partition: a daemon that cannot send its question
 * knows that it is blind, one whose question is lost on the way takes silence for an answer.
 */

export type Direction = "in" | "out";

/** Which packets on the link are meant. */
export type Scope =
  | { readonly kind: "everything" }
  | {
    readonly kind: "peer";
    readonly address: string;
    readonly family: 4 | 6;
    /** Link-layer address of the peer, with which all its addresses are meant; `null`: not a neighbour, or unknown. */
    readonly hardware: string | null;
  };

export interface DrillPlan {
  /** Four hexadecimal digits or more; unique on the machine among the drills that run. */
  readonly id: string;
  readonly link: string;
  /** Own address on the link; `null`: it is no Ethernet, and what goes out can only be dropped. */
  readonly ownHardware: string | null;
  readonly directions: readonly Direction[];
  readonly scope: Scope;
  /** Only TCP and UDP with this port at either end; `null`: all. */
  readonly port: number | null;
  /** Share of packets that are dropped, in tenths of a percent; 1000 is a cut. */
  readonly lossPermille: number;
  readonly durationMs: number;
}

/** Longest drill: whoever needs more has something else in mind. */
export const durationMsMax = 3_600_000;
/** Shorter ones end before anything could notice. */
export const durationMsMin = 100;

export const tableFamily = "netdev";
const tablePrefix = "heartline_drill_";
/** Ahead of all other rules at the same place. */
const priority = -500;
const experimentalType = "0x88b5";

/** `endsAtUnixSeconds` is for people and for tidying up; the kernel counts by itself. */
export function tableName(id: string, endsAtUnixSeconds: number): string {
  return `${tablePrefix}${id}_${endsAtUnixSeconds}`;
}

/** Reads what `tableName` made; `null`: a table of somebody else. */
export function parseTableName(name: string): { id: string; endsAtUnixSeconds: number } | null {
  const match = /^heartline_drill_([0-9a-f]+)_(\d+)$/.exec(name);
  return match === null ? null : { id: match[1]!, endsAtUnixSeconds: Number(match[2]) };
}

/** The table as text for `nft -f`: one transaction, all or nothing. */
export function rulesOf(plan: DrillPlan, table: string): string {
  const chains = plan.directions.map((direction) => {
    const hook = direction === "in" ? "ingress" : "egress";
    const rules = matches(plan, direction).map((match) => `    ${ruleOf(plan, direction, match)}`);
    return `  chain ${direction} {
    type filter hook ${hook} device "${plan.link}" priority ${priority};
${rules.join("\n")}
  }`;
  });
  return `table ${tableFamily} ${table} {
  set armed {
    type ifname; flags timeout;
    elements = { "${plan.link}" timeout ${plan.durationMs}ms };
  }
${chains.join("\n")}
}
`;
}

function ruleOf(plan: DrillPlan, direction: Direction, match: string): string {
  const isArmed = `${direction === "in" ? "iifname" : "oifname"} @armed`;
  const chance = plan.lossPermille < 1000 ? `numgen random mod 1000 < ${plan.lossPermille}` : "";
  const fate = direction === "in" || plan.ownHardware === null
    ? "counter drop"
    : `ether type set ${experimentalType} ether daddr set ${plan.ownHardware} counter accept`;
  const words = [isArmed, match, chance, fate, `comment "${commentOf(plan)}"`];
  return words.filter((word) => word !== "").join(" ");
}

/** Alternatives: a packet that fits any of them is meant. */
function matches({ scope, port }: DrillPlan, direction: Direction): string[] {
  const ends = scope.kind === "everything" ? [""] : peerMatches(scope, direction, port !== null);
  if (port === null) return ends;
  return ends.flatMap((end) =>
    ["sport", "dport"].map((side) => `${end} meta l4proto { tcp, udp } th ${side} ${port}`.trim())
  );
}

function peerMatches(
  { address, family, hardware }: Extract<Scope, { kind: "peer" }>,
  direction: Direction,
  isIpOnly: boolean,
): string[] {
  const side = direction === "in" ? "saddr" : "daddr";
  const frame = hardware === null ? [] : [`ether ${side} ${hardware}`];
  if (family === 6) return [...frame, `ip6 ${side} ${address}`];
  // A broadcast question for the peer goes to everybody's hardware address.
  return [...frame, `ip ${side} ${address}`, ...(isIpOnly ? [] : [`arp ${side} ip ${address}`])];
}

/** `eth1: all traffic with 192.0.2.2, both ways`: a sentence for people who read the rules. */
function commentOf(plan: DrillPlan): string {
  return `${plan.link}: ${describeCut(plan)}`;
}

export function describeCut({ directions, scope, port, lossPermille }: DrillPlan): string {
  const what = port === null ? "all traffic" : `TCP and UDP port ${port}`;
  const whom = scope.kind === "everything" ? "" : ` with ${scope.address}`;
  const way = directions.length === 2 ? "both ways" : `only ${directions[0]}`;
  const loss = lossPermille < 1000 ? `, ${lossPermille / 10} % of the packets` : "";
  return `${what}${whom}, ${way}${loss}`;
}

/** Reads what `commentOf` wrote. */
export function parseComment(comment: string): { link: string; what: string } | null {
  const match = /^([^:\s]+): (.*)$/.exec(comment);
  return match === null ? null : { link: match[1]!, what: match[2]! };
}

/**
 * Whether a TCP or UDP conversation with `remote` on this link would be hit; `null`: not known. `neighbour`: hardware
 * address of the next hop to it on the link, `null`: not known. A peer's frames also carry what it routes for others,
 * and what its other addresses say.
 */
export function isHit(
  { scope, port }: DrillPlan,
  remote: string,
  ports: readonly number[],
  neighbour: string | null,
): boolean | null {
  if (port !== null && !ports.includes(port)) return false;
  if (scope.kind === "everything" || scope.address === remote) return true;
  if (scope.hardware === null) return false;
  return neighbour === null ? null : neighbour === scope.hardware;
}
