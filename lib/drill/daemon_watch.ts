/**
 * What the local daemon says while a drill goes on: its view now and then, and the alarms since the cut. A daemon
 * that does not answer is a fact to report, never a reason to stop.
 */

import type { NodeView } from "../core/view.ts";
import { EnvironmentError } from "../errors.ts";
import { ControlClient } from "../runtime/control_client.ts";
import { canonicalAddress } from "../system/packets/ip_address.ts";
import type { DaemonAccount } from "./verdict.ts";

/** The daemon answers within milliseconds; longer, and it is in trouble. */
const answerLimitMs = 2_000;

export class DaemonWatch {
  #last: NodeView;
  #isAsking = false;
  readonly #doubleGroups = new Set<string>();

  /** `lastClock`: of the last event in the cluster's history before the drill. */
  private constructor(readonly socket: string, readonly before: NodeView, readonly lastClock: number) {
    this.#last = before;
  }

  /** `null`: no daemon runs there, or it is not ours to ask; `why` says so. */
  static async open(socket: string): Promise<{ watch: DaemonWatch | null; why: string }> {
    try {
      const before = await ask(socket, (client) => client.status());
      const events = await ask(socket, (client) => client.clusterHistory());
      const lastClock = Math.max(0, ...events.map(({ clock }) => clock));
      return { watch: new DaemonWatch(socket, before, lastClock), why: "" };
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      return { watch: null, why: error.message.replace(/^Cannot ask the daemon at /, "") };
    }
  }

  /** The latest view; asks for a newer one in passing. */
  glance(): NodeView {
    if (!this.#isAsking) {
      this.#isAsking = true;
      void this.view().finally(() => this.#isAsking = false);
    }
    return this.#last;
  }

  /** `null`: no answer. */
  async view(): Promise<NodeView | null> {
    try {
      this.#last = await ask(this.socket, (client) => client.status());
      for (const { group, holders } of this.#last.groups) {
        if (holders.length > 1) this.#doubleGroups.add(group);
      }
      return this.#last;
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      return null;
    }
  }

  /** `sinceUnixMs` by the clock on the wall, which the reports carry. */
  async account(sinceUnixMs: number): Promise<DaemonAccount> {
    const after = await this.view();
    const reports = after === null ? [] : await ask(this.socket, (client) => client.history());
    const since = reports.filter(({ at }) => Date.parse(at) >= sinceUnixMs);
    const rivals = since.filter(({ code }) => code === "rival-claim").map(({ sentence }) => sentence);
    // One that yields within milliseconds of the heal is seen by nobody else, but tells of it.
    const events = after === null ? [] : await ask(this.socket, (client) => client.clusterHistory());
    const told = events.filter(({ clock, node, level, code }) =>
      clock > this.lastClock && node !== this.before.node && level === "alarm" && code === "split-brain"
    );
    rivals.push(...told.map(({ node, sentence }) => `${node} says: ${sentence}`));
    const alarms = since.filter(({ level }) => level === "alarm" || level === "clear").map((
      { level, code, sentence },
    ) => ({ isRaised: level === "alarm", code, sentence }));
    return { before: this.before, after, doubleGroups: [...this.#doubleGroups], rivals, alarms };
  }
}

/** The virtual addresses of all groups, read from how the resources are named (`10.0.0.9/24`, `IPaddr2::10.0.0.9/24`). */
export function vipsOf(view: NodeView): string[] {
  const names = view.groups.flatMap(({ resources }) => resources.filter(({ kind }) => kind === "vip"));
  const addresses = names.map(({ id }) => {
    const text = id.replace(/^[A-Za-z]\w*::?/, "").split(/[/\s%]/)[0] ?? "";
    return canonicalAddress(text);
  });
  return [...new Set(addresses.filter((address) => address !== null))];
}

async function ask<Result>(
  socket: string,
  question: (client: ControlClient) => Promise<{ readonly result: Result }>,
): Promise<Result> {
  const client = await ControlClient.connect(socket, answerLimitMs);
  try {
    return (await question(client)).result;
  } finally {
    client.close();
  }
}
