/**
 * The laboratory's network: one namespace for the client, which also holds the cables, and one for each node.
 *
 *     client namespace                          node namespace i
 *     br0  10.77.1.254/24  --- port 0 ------->  pub0  10.77.1.i/24  fd77:1::i/64   service network and a link
 *     br1  (no address)    --- port 1 ------->  hb0   10.77.2.i/24  fd77:2::i/64   private link
 *     br2  …                                    hb1   10.77.3.i/24 …
 *
 * Every cable ends at a bridge port in the client namespace, where it can be harmed without the node's doing:
 * cut (carrier lost at the node), muted (nothing passes, carrier stays), one-way, lossy. Harms are kept as a state
 * per cable and written as a whole, so that they combine and heal independently.
 */

import { InvariantError } from "../../lib/errors.ts";
import { ipBatch, run, tryRun } from "./run.ts";

export const CLIENT = "client";
export const SERVICE_LINK = "pub0";
/** Fewer: the kernel, which notices carriers once a second, is given up too early. */
const CARRIER_TRIES = 40;

/** What is wrong with one cable. */
interface Harm {
  cut: boolean;
  muted: boolean;
  dropTowards: boolean;
  dropFrom: boolean;
  /** Share of packets lost, in each direction, in tenths of a percent. */
  lossPermille: number;
  /** Losses in a row, in each direction: one begins with so many of a thousand packets, and lasts so long. */
  bursts: { readonly startPermille: number; readonly lengthMs: number } | null;
}

export interface NetworkPlan {
  /** Prefix of all namespace names: unique on the machine. */
  readonly id: string;
  readonly nodes: readonly string[];
  /** Interface names at the nodes: `pub0` first. */
  readonly links: readonly string[];
}

export class LabNetwork {
  readonly #harms = new Map<string, Harm>();

  constructor(readonly plan: NetworkPlan) {
    for (const node of plan.nodes) {
      for (const link of plan.links) {
        this.#harms.set(`${node} ${link}`, {
          cut: false,
          muted: false,
          dropTowards: false,
          dropFrom: false,
          lossPermille: 0,
          bursts: null,
        });
      }
    }
  }

  /** Name of the network namespace of a node or of the client. */
  namespace(where: string): string {
    return `${this.plan.id}-${where}`;
  }

  /** Own address of a node on a link. */
  address(node: string, link: string, family: 4 | 6 = 4): string {
    const [number, subnet] = [this.#nodeIndex(node) + 1, this.#linkIndex(link) + 1];
    return family === 4 ? `10.77.${subnet}.${number}` : `fd77:${subnet}::${number}`;
  }

  async build(): Promise<void> {
    const { nodes, links } = this.plan;
    const client = this.namespace(CLIENT);
    for (const where of [CLIENT, ...nodes]) await run("ip", ["netns", "add", this.namespace(where)]);
    await ipBatch(client, [
      "link set lo up",
      ...links.map((_, index) => `link add br${index} type bridge mcast_snooping 0`),
      ...nodes.flatMap((node) =>
        links.map((link) =>
          `link add ${this.#port(node, link)} type veth peer name ${link} netns ${this.namespace(node)}`
        )
      ),
      ...nodes.flatMap((node) =>
        links.map((link, index) => `link set ${this.#port(node, link)} master br${index} up`)
      ),
      "addr add 10.77.1.254/24 brd + dev br0",
      "addr add fd77:1::254/64 dev br0 nodad",
      ...links.map((_, index) => `link set br${index} up`),
    ]);
    for (const node of nodes) {
      await ipBatch(this.namespace(node), ["link set lo up", ...this.#addressing(node)]);
    }
  }

  /** Takes the namespaces away; what runs in them must have ended. What is gone already is fine. */
  async destroy(): Promise<void> {
    for (const where of [...this.plan.nodes, CLIENT]) {
      await tryRun("ip", ["netns", "del", this.namespace(where)]);
    }
  }

  /** Changes what is wrong with the cables of a node; all of them take effect at once. */
  async harm(node: string, link: string, change: Partial<Harm>): Promise<void> {
    const links = link === "all" ? this.plan.links : [link];
    for (const each of links) Object.assign(this.#harm(node, each), change);
    if (change.cut !== undefined) {
      const state = change.cut ? "down" : "up";
      await ipBatch(
        this.namespace(CLIENT),
        links.map((each) => `link set ${this.#port(node, each)} ${state}`),
      );
    }
    // A port that comes up starts to forward by itself.
    if (change.muted !== undefined || change.cut === false) await this.#writeMutes(node, links);
    if (["dropTowards", "dropFrom", "lossPermille", "bursts"].some((filtered) => filtered in change)) {
      await this.#writeFilter();
    }
  }

  /** Takes the node's addresses away and gives them back: off and on again. */
  async flush(node: string): Promise<void> {
    await ipBatch(this.namespace(node), this.plan.links.map((link) => `addr flush dev ${link}`));
  }

  async restoreAddresses(node: string): Promise<void> {
    await ipBatch(this.namespace(node), this.#addressing(node));
  }

  #addressing(node: string): string[] {
    return this.plan.links.flatMap((link) => [
      `addr replace ${this.address(node, link)}/24 brd + dev ${link}`,
      `link set ${link} up`,
      `addr replace ${this.address(node, link, 6)}/64 dev ${link} nodad`,
    ]).concat(`route replace default via 10.77.1.254 dev ${SERVICE_LINK}`);
  }

  async #writeMutes(node: string, links: readonly string[]): Promise<void> {
    for (const link of links) {
      const { muted, cut } = this.#harm(node, link);
      // The kernel refuses the state of a port that is down; `heal` comes by here again.
      if (cut) continue;
      const state = muted ? "0" : "3";
      await this.#setPort(node, link, state);
    }
  }

  /** A port that was raised a moment ago is down for the kernel until it has noticed its carrier. */
  async #setPort(node: string, link: string, state: string): Promise<void> {
    const port = this.#port(node, link);
    const args = ["-n", this.namespace(CLIENT), "link", "set", "dev", port, "state", state];
    for (let tries = 1; tries < CARRIER_TRIES; tries++) {
      if ((await tryRun("bridge", args)).code === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await run("bridge", args);
  }

  /** One transaction: the whole table is replaced by what is wrong now. */
  async #writeFilter(): Promise<void> {
    const chains = [...this.#harms].flatMap(([key, harm]) => {
      const port = this.#port(...key.split(" ") as [string, string]);
      const chain = (hook: "ingress" | "egress", isDropped: boolean) => {
        const loss = harm.lossPermille > 0 ? [`numgen random mod 1000 < ${harm.lossPermille} drop`] : [];
        const set = `${port}_${hook}_bad`;
        const bursts = harm.bursts === null ? [] : [
          `ether type @${set} drop`,
          `numgen random mod 1000 < ${harm.bursts.startPermille} ` +
          `add @${set} { ether type timeout ${harm.bursts.lengthMs}ms } drop`,
        ];
        const rules = isDropped ? ["drop"] : [...bursts, ...loss];
        if (rules.length === 0) return [];
        return [
          ...(bursts.length === 0 ? [] : [`set ${set} { type ether_type; size 16; flags dynamic,timeout; }`]),
          `chain ${port}_${hook} { type filter hook ${hook} device ${port} priority 0; ${
            rules.join("; ")
          }; }`,
        ];
      };
      return [...chain("egress", harm.dropTowards), ...chain("ingress", harm.dropFrom)];
    });
    const script = `table netdev lab\ndelete table netdev lab\ntable netdev lab {\n${chains.join("\n")}\n}\n`;
    await run("ip", ["netns", "exec", this.namespace(CLIENT), "nft", "-f", "-"], script);
  }

  #harm(node: string, link: string): Harm {
    const harm = this.#harms.get(`${node} ${link}`);
    if (harm === undefined) throw new InvariantError(`the lab has no cable "${link}" at "${node}"`);
    return harm;
  }

  #port(node: string, link: string): string {
    return `l${this.#linkIndex(link)}n${this.#nodeIndex(node) + 1}`;
  }

  #nodeIndex(node: string): number {
    const index = this.plan.nodes.indexOf(node);
    if (index < 0) throw new InvariantError(`the lab has no node "${node}"`);
    return index;
  }

  #linkIndex(link: string): number {
    const index = this.plan.links.indexOf(link);
    if (index < 0) throw new InvariantError(`the lab has no link "${link}"`);
    return index;
  }
}
