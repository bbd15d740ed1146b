/**
 * The scenarios of the demo, in order: what is done, what is to be expected, and by which numbers that is judged.
 *
 * `strike` ends when its effect is complete, `recover` when everything is whole again. Each starts from where the one
 * before it has left the service.
 */

import { Cast } from "./cast.ts";
import { deadTimeMs, NODES, type Stage } from "./stages/stage.ts";

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly does: string;
  readonly expects: string;
  /** Whether the other node holds the service in the end. */
  readonly holder: "moves" | "stays" | "appears";
  /** Longest outage that is as expected, the measurement's own uncertainty aside. */
  readonly outageMsMax: number;
  /** Why it cannot be played on this stage; `null`: it can. */
  unavailable(stage: Stage): string | null;
  strike(cast: Cast): Promise<void>;
  /** After it the holder must still be the same, and the client must have noticed nothing. */
  recover?(cast: Cast): Promise<void>;
  /**
   * Findings beyond holder, outage and overlap: `expected …, saw …`. Asked before the recovery: while things heal a
   * link may truly work in one direction only, until the kernel has resolved the neighbour's address again.
   */
  check?(cast: Cast): readonly string[];
}

/** A detection takes a dead time; the lease and the question on the wire may add a part of one. */
const failoverMsMax = 1.5 * deadTimeMs;
const plannedMsMax = 0.1 * deadTimeMs;
/** What a healthy service may miss on a busy machine: a few requests. */
export const steadyMsMax = 25;
/** Long enough for a second failover, had there been a reason. */
const calmMs = 1.2 * deadTimeMs;

const always = () => null;
const needsRoot = (stage: Stage) => stage.hardware === null ? "needs root" : null;

export const scenarios: readonly Scenario[] = [
  {
    name: "start",
    title: "start of both peers",
    does: "Start the daemon on both nodes at once.",
    expects: "They hear each other, agree at once, and one of them serves.",
    holder: "appears",
    outageMsMax: 10_000,
    unavailable: always,
    async strike(cast) {
      await cast.act(
        "start heartline peer on both nodes",
        () => NODES.forEach((node) => cast.stage.start(node)),
      );
      await cast.until("one node to hold the service", () => cast.service.holders().length === 1);
      await cast.untilHeldBy(cast.service.holders()[0] ?? "");
      await cast.untilAgreed();
    },
  },
  {
    name: "kill-holder",
    title: "daemon of the holder killed",
    does: "SIGKILL the daemon of the node that holds the service.",
    expects: "The other takes over; never two holders; no move when it returns.",
    holder: "moves",
    outageMsMax: failoverMsMax,
    unavailable: always,
    async strike(cast) {
      const rest = cast.stage.hardware ? "; its kernel keeps the address until the lease ends" : "";
      await cast.act(`kill -9 the daemon on ${cast.holder}${rest}`, () => cast.stage.kill(cast.holder));
      await cast.untilHeldBy(cast.other);
    },
    recover: restart,
  },
  {
    name: "power-off",
    title: "power-off of the holder",
    does: "Pull the plug: no cable carries, no process runs.",
    expects: "The other takes over after the deadtime; no move when it returns.",
    holder: "moves",
    outageMsMax: failoverMsMax,
    unavailable: needsRoot,
    async strike(cast) {
      await cast.act(`power off ${cast.holder}`, () => cast.stage.hardware?.powerOff(cast.holder));
      await cast.untilHeldBy(cast.other);
    },
    async recover(cast) {
      await cast.act(`power on ${cast.holder}`, () => cast.stage.hardware?.powerOn(cast.holder));
      await restart(cast);
    },
  },
  {
    name: "one-link-cut",
    title: "one link cut",
    does: "Take the cable hb0 of the holder out, then put it back.",
    expects: "No failover: each node raises one alarm that names hb0.",
    holder: "stays",
    outageMsMax: steadyMsMax,
    unavailable: needsRoot,
    async strike(cast) {
      await cast.act(`cut hb0 of ${cast.holder}`, () => cast.stage.hardware?.cut(cast.holder, "hb0"));
      for (const node of NODES) await cast.untilAlarm(node, "link-lost");
      await cast.rest(calmMs / 2);
    },
    async recover(cast) {
      await cast.act("put the cable back", () => cast.stage.hardware?.heal(cast.holder, "hb0"));
      await cast.untilAgreed();
    },
    check: (cast) =>
      NODES.flatMap((node) => {
        const alarms = cast.alarmsOf(node);
        if (alarms.length === 1 && /^link-lost: .*\bhb0\b/.test(alarms[0] ?? "")) return [];
        return [`expected one alarm of ${node}, about hb0; saw ${alarms.length}: ${alarms.join(" | ")}`];
      }),
  },
  {
    name: "heartbeats-cut",
    title: "all heartbeats cut, service lives",
    does: "Let no heartbeat pass on any link; the service network still works.",
    expects: "The other finds the address answered for, and does not take it.",
    holder: "stays",
    outageMsMax: steadyMsMax,
    unavailable: (stage) =>
      needsRoot(stage) ??
        (stage.hardware?.heartbeats === null ? "this kernel has no routing rules by UDP port" : null),
    async strike(cast) {
      await cast.act(
        "refuse UDP to the heartbeat port on both nodes",
        () => cast.stage.hardware?.heartbeats?.stop(),
      );
      await cast.untilAlarm(cast.other, "wire-veto");
      await cast.rest(calmMs);
    },
    async recover(cast) {
      await cast.act("let heartbeats pass again", () => cast.stage.hardware?.heartbeats?.pass());
      await cast.untilAgreed();
    },
  },
  {
    name: "all-links-cut",
    title: "all links of the holder cut",
    does: "Nothing gets in or out of the holder any more, although it runs on.",
    expects: "It gives up before the other takes; no fight after the heal.",
    holder: "moves",
    outageMsMax: failoverMsMax,
    unavailable: needsRoot,
    async strike(cast) {
      await cast.act(`mute all links of ${cast.holder}`, () => cast.stage.hardware?.isolate(cast.holder));
      await cast.untilHeldBy(cast.other);
      await cast.rest(calmMs / 2);
    },
    async recover(cast) {
      await cast.act("heal all links", () => cast.stage.hardware?.rejoin(cast.holder));
      await cast.untilAgreed();
      await cast.rest(calmMs);
    },
  },
  {
    name: "takeover",
    title: "planned takeover",
    does: 'On the node that does not hold the service: "heartline takeover".',
    expects: "The holder lets go, then the other starts: a short gap.",
    holder: "moves",
    outageMsMax: plannedMsMax,
    unavailable: always,
    async strike(cast) {
      await cast.command(cast.other, "takeover");
      await cast.untilHeldBy(cast.other);
      await cast.untilAgreed();
    },
  },
  {
    name: "standby",
    title: "planned, and back",
    does: 'On the holder: "heartline standby".',
    expects: "The same in the other direction.",
    holder: "moves",
    outageMsMax: plannedMsMax,
    unavailable: always,
    async strike(cast) {
      await cast.command(cast.holder, "standby");
      await cast.untilHeldBy(cast.other);
      await cast.untilAgreed();
    },
  },
];

/** The former holder comes back, and everything stays where it is. */
async function restart(cast: Cast): Promise<void> {
  await cast.act(`start heartline peer on ${cast.holder} again`, () => cast.stage.start(cast.holder));
  await cast.untilAgreed();
  await cast.rest(calmMs / 2);
}
