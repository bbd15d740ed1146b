/**
 * What a scenario works with while it runs: the stage, who holds the service, what the daemons say of themselves,
 * and waiting with a deadline. A condition that does not come about ends the scenario with its name.
 */

import type { NodeView } from "../../lib/core/view.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import type { Narrator } from "./narrator.ts";
import { NODES, otherThan, type ServiceWatch, type Stage } from "./stages/stage.ts";
import type { NodeWatch } from "./watch.ts";

/** Too low: a loaded machine fails a sound scenario. Too high: a broken one takes long to say so. */
const LIMIT_MS = 15_000;
const POLL_MS = 5;

/** Something that had to happen and did not. */
export class Missed extends Error {}

export class Cast {
  readonly startedAtMs = monotonicMs();

  constructor(
    readonly stage: Stage,
    readonly service: ServiceWatch,
    private readonly watches: ReadonlyMap<string, NodeWatch>,
    private readonly narrator: Narrator,
    /** Who held the service when the scenario began; node1 when nobody did. */
    readonly holder: string,
  ) {}

  get other(): string {
    return otherThan(this.holder);
  }

  view(node: string): NodeView | null {
    return this.watches.get(node)?.view ?? null;
  }

  /** Says what is about to be done, and does it. */
  async act<Result>(sentence: string, action: () => Promise<Result> | Result): Promise<Result> {
    this.narrator.act(sentence);
    return await action();
  }

  /** Runs `heartline VERB` on a node; what it prints becomes part of the account. */
  async command(node: string, verb: string): Promise<void> {
    this.narrator.act(`${node}# heartline ${verb}`);
    const { code, stdout, stderr } = await this.stage.heartline(node, [verb]);
    for (const line of `${stdout}${stderr}`.trim().split("\n")) this.narrator.answer(line);
    if (code !== 0) throw new Missed(`"heartline ${verb}" on ${node} to succeed; it ended with ${code}`);
  }

  async until(what: string, condition: () => boolean, limitMs = LIMIT_MS): Promise<void> {
    const endMs = monotonicMs() + limitMs;
    while (!condition()) {
      const ended = NODES.find((node) => this.stage.daemon(node) === "ended");
      if (ended !== undefined) throw new Missed(`${what}; but the daemon on ${ended} has ended by itself`);
      if (monotonicMs() > endMs) throw new Missed(`${what} within ${limitMs / 1000} s`);
      await pause(POLL_MS);
    }
  }

  /** The service is on `node` alone, and the client is answered. */
  async untilHeldBy(node: string): Promise<void> {
    await this.until(`${node} alone to hold the service`, () => this.service.holders().join() === node);
    const sinceMs = monotonicMs();
    await this.until("the client to be answered", () => (this.service.lastAnswerAtMs ?? 0) > sinceMs);
  }

  /** Both daemons are members, see each other, name the same holder and have no alarm. */
  async untilAgreed(): Promise<void> {
    await this.until("both nodes to agree and to have no alarm", () => {
      const views = NODES.map((node) => this.view(node));
      const holders = new Set(views.map((view) => view?.groups[0]?.holders.join() ?? "?"));
      return holders.size === 1 && NODES.includes([...holders][0] as (typeof NODES)[number]) &&
        views.every((view) => view?.phase === "settled" && view.alarms.length === 0 && isWhole(view));
    });
  }

  async untilAlarm(node: string, code: string): Promise<void> {
    await this.until(
      `${node} to raise the alarm "${code}"`,
      () => this.view(node)?.alarms.some((alarm) => alarm.code === code) === true,
    );
  }

  /** Alarms that a node has raised since the scenario began, as `code: sentence`. */
  alarmsOf(node: string): readonly string[] {
    return this.stage.lines()
      .filter((heard) => heard.node === node && heard.atMs >= this.startedAtMs)
      .flatMap(({ line }) => / alarm (.*)$/.exec(line)?.[1] ?? []);
  }

  /** Lets time pass, so that what must not happen had its chance. */
  rest(durationMs: number): Promise<void> {
    return pause(durationMs);
  }
}

function isWhole(view: NodeView): boolean {
  return view.peers.every((peer) =>
    peer.state === "alive" && peer.hearsUs === true && peer.links.every((link) => link.state === "up")
  );
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
