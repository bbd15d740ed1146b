/**
 * A daemon that stands still or is gone while its machine lives: the address stays where it is, and the others think
 * its node dead. Here it is seen in the process table; at the other node by its silence on a link that works.
 */

import type { Cause, CauseFinder } from "../cause.ts";
import { type Evidence, ofKind } from "../evidence.ts";
import type { CheckQuestion } from "../question.ts";
import { expectedKind, isClosed, isTroubled, kinds, nodesHolding, pathsOf, spokenOn } from "./reading.ts";

export const silentProcess: CauseFinder = {
  code: "silent-process",
  find(question, evidence, judgement): Cause[] {
    return [...stoppedHere(evidence), ...(isTroubled(judgement) ? silentThere(question, evidence) : [])];
  },
};

function stoppedHere(evidence: readonly Evidence[]): Cause[] {
  const stopped = ofKind(evidence, "software").flatMap(({ processes }) =>
    processes.filter((each) => each.isStopped)
  );
  const byName = new Map(stopped.map((each) => [each.name, each]));
  return [...byName.values()].map(({ name }): Cause => {
    const pids = stopped.filter((each) => each.name === name).map((each) => each.pid);
    return {
      code: "silent-process",
      certainty: "certain",
      sentence:
        `${name} of this machine stands still: stopped by a signal or a debugger, so it says nothing and keeps ` +
        "its address",
      evidence: pids.map((pid) => `process ${pid} (${name}) is in state T`),
      next: `kill -CONT ${pids.join(" ")}`,
    };
  });
}

const reasons = "it stands still or is dead, or its own firewall keeps it from sending";
/** keepalived 2.2.7 starts its timer anew with each advertisement that it refuses: a master that never speaks. */
const reasonsOfKeepalived =
  "it stands still or is dead, its own firewall keeps it from sending, or it refuses what " +
  "it hears (another password, version or interval); run this there too";

function silentThere(question: CheckQuestion, evidence: readonly Evidence[]): Cause[] {
  const expected = spokenOn(question, evidence);
  const paths = pathsOf(question, evidence);
  const holding = nodesHolding(question, evidence);
  return question.nodes.flatMap((node): Cause[] => {
    const own = paths.filter((path) => path.node === node.name);
    const working = own.filter((path) => expected.has(path.device) && path.answersEcho === true);
    const held = holding.find((each) => each.node === node);
    if (working.length === 0 || own.some((path) => path.speaks) || held === undefined) return [];
    if (isClosed(own, evidence)) return []; // a stale address: its own cause
    const kind = expectedKind(evidence);
    return [{
      code: "silent-process",
      certainty: "likely",
      sentence: `${node.name} is up and has ${held.vip}, but its daemon says nothing: ${
        kind === kinds.vrrp ? reasonsOfKeepalived : reasons
      }`,
      evidence: [
        ...working.flatMap((path) => path.evidence),
        `no ${kind.packets} came from it on ${working.map((path) => path.device).join(", ")}`,
      ],
      next: kind === kinds.vrrp
        ? `ssh ${working[0]!.address} "ps -o pid,stat,args -C keepalived; journalctl -n 20 -u keepalived"`
        : `ssh ${working[0]!.address} ps -o pid,stat,args -C ${kind.program}`,
    }];
  });
}
