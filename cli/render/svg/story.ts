/**
 * What a picture of a run shows, taken from its result: who lived when, who held what, what was broken from when to
 * when, which decisions and alarms there were. Knows nothing of pixels.
 */

import type { Fault } from "../../../lib/sim/faults.ts";
import { faultInWords } from "../../../lib/sim/faults.ts";
import type { ScenarioResult } from "../../../lib/sim/scenario/run.ts";
import { upAgain } from "../../../lib/sim/simulation.ts";
import { goodArbiter } from "../../../lib/sim/service_network.ts";
import type { TraceEntry } from "../../../lib/sim/trace.ts";
import type { Interval } from "./scale.ts";

export interface NodeState extends Interval {
  readonly kind: "running" | "paused" | "gone";
  /** For people: `stands still`, `no power`, `killed`. */
  readonly text: string;
}

/** Something that is broken for a time, or happens at once (`toMs` equals `fromMs`). */
export interface FaultSpan extends Interval {
  readonly text: string;
  /** `null`: it concerns the networks, not one node. */
  readonly node: string | null;
}

export interface Mark {
  readonly atMs: number;
  readonly node: string;
  readonly kind: "alarm" | "decision";
  readonly sentence: string;
}

export interface Story {
  readonly nodes: readonly string[];
  readonly endMs: number;
  readonly states: ReadonlyMap<string, readonly NodeState[]>;
  readonly faults: readonly FaultSpan[];
  readonly marks: readonly Mark[];
}

export function storyOf(result: ScenarioResult): Story {
  const { scenario, durationMs, entries } = result;
  const nodes = [...scenario.settings.keys()];
  const events = scenario.events.toSorted((one, other) => one.atMs - other.atMs);
  return {
    nodes,
    endMs: durationMs,
    states: new Map(nodes.map((node) => [node, statesOf(node, result)])),
    faults: spans(events, durationMs),
    marks: entries.flatMap(markOf),
  };
}

function markOf({ atMs, node, kind, code, level, sentence }: TraceEntry): Mark[] {
  if (kind !== "report") return [];
  if (level === "alarm") return [{ atMs, node, kind: "alarm", sentence }];
  return decisions.has(code) ? [{ atMs, node, kind: "decision", sentence }] : [];
}

/** Reports that are marked although they are no alarm. */
const decisions: ReadonlySet<string> = new Set([
  "group-starting",
  "group-stopping",
  "stalled",
  "fencing",
  "fenced",
]);

const ends = {
  kill: "daemon killed",
  "power-off": "no power",
  pause: "stands still",
  freeze: "frozen",
} as const;

function statesOf(node: string, { scenario, entries, durationMs }: ScenarioResult): NodeState[] {
  const changes: { readonly atMs: number; readonly kind: NodeState["kind"]; readonly text: string }[] = [];
  const startMs = scenario.world.startAtMs[node] ?? 0;
  if (startMs > 0) changes.push({ atMs: 0, kind: "gone", text: "not started" });
  changes.push({ atMs: startMs, kind: "running", text: "" });
  for (const { atMs, fault } of scenario.events) {
    if (!("node" in fault) || fault.node !== node) continue;
    if (fault.kind === "kill" || fault.kind === "power-off") {
      changes.push({ atMs, kind: "gone", text: ends[fault.kind] });
    } else if (fault.kind === "pause" || fault.kind === "freeze") {
      changes.push({ atMs, kind: "paused", text: ends[fault.kind] });
    } else if (["start", "power-on", "resume", "thaw"].includes(fault.kind)) {
      changes.push({ atMs, kind: "running", text: "" });
    }
  }
  for (const { atMs, node: who, kind, sentence } of entries) {
    if (kind !== "process" || who !== node || sentence.startsWith("tried")) continue;
    if (sentence === upAgain) changes.push({ atMs, kind: "running", text: "" });
    else changes.push({ atMs, kind: "gone", text: sentence });
  }
  const sorted = changes.toSorted((one, other) => one.atMs - other.atMs);
  return sorted.map(({ atMs, kind, text }, index) => ({
    fromMs: atMs,
    toMs: sorted[index + 1]?.atMs ?? durationMs,
    kind,
    text,
  }));
}

/** Each lasting fault with the one that ends it; what is over at once has no length. */
function spans(events: ScenarioResult["scenario"]["events"], endMs: number): FaultSpan[] {
  const found: FaultSpan[] = [];
  for (const [index, { atMs, fault }] of events.entries()) {
    const lasts = lastingOf(fault);
    if (lasts === null) continue;
    const end = lasts.isInstant
      ? undefined
      : events.slice(index + 1).find((later) => lasts.isEnd(later.fault));
    const span = {
      fromMs: atMs,
      toMs: lasts.isInstant ? atMs : end?.atMs ?? endMs,
      text: lasts.text,
      node: lasts.node,
    };
    const twin = found.findIndex(({ fromMs, toMs }) => fromMs === span.fromMs && toMs === span.toMs);
    const before = found[twin];
    // What begins and ends together is one span.
    if (before === undefined || before.node !== null || span.node !== null) found.push(span);
    else if (!before.text.includes(span.text)) {
      found[twin] = { ...before, text: `${before.text}; ${span.text}` };
    }
  }
  return found;
}

interface Lasting {
  readonly text: string;
  readonly node: string | null;
  readonly isInstant: boolean;
  readonly isEnd: (fault: Fault) => boolean;
}

function lastingOf(fault: Fault): Lasting | null {
  const span = (text: string, isEnd: (fault: Fault) => boolean): Lasting => ({
    text,
    node: null,
    isInstant: false,
    isEnd,
  });
  switch (fault.kind) {
    case "link":
      return span(
        shortLink(fault),
        (other) =>
          other.kind === "heal-links" || (other.kind === "restore-link" && other.from === fault.from &&
            other.to === fault.to && (other.medium === null || other.medium === fault.medium)),
      );
    case "segment":
      if (fault.segment === 0) return null;
      return span(
        fault.segment === null ? `${fault.node} without carrier` : "service network parted",
        (other) => other.kind === "heal-service" || (other.kind === "segment" && other.node === fault.node),
      );
    case "arbiter-segment":
      if (fault.segment === 0) return null;
      return span(
        fault.segment === null
          ? "no arbiter"
          : fault.segment === "all"
          ? "arbiter answers on every side"
          : "arbiter on one side",
        (other) => other.kind === "heal-service" || other.kind === "arbiter-segment",
      );
    case "arbiter-quality":
      if (fault.quality === goodArbiter) return null;
      return span(
        "arbiter slow or lossy",
        ({ kind }) => kind === "arbiter-quality" || kind === "heal-service",
      );
    case "service-loss":
      if (fault.lossRate === 0) return null;
      return span(faultInWords(fault), ({ kind }) => kind === "service-loss" || kind === "heal-service");
    case "fence-device": {
      if (fault.behaviour === null) return null;
      const { devices, behaviour: { result } } = fault;
      return span(
        `${devices.join(", ")} ${result === "works" ? "slow" : result}`,
        (other) =>
          other.kind === "heal-fencing" ||
          (other.kind === "fence-device" && devices.every((device) => other.devices.includes(device))),
      );
    }
    case "management":
      if (!fault.isCut) return null;
      return span(
        `${fault.nodes.join(", ")} without fence devices`,
        (other) => other.kind === "heal-fencing" || (other.kind === "management" && !other.isCut),
      );
    case "script":
    case "reboots":
    case "command":
    case "clock":
    case "remove-address":
      return { text: faultInWords(fault), node: fault.node, isInstant: true, isEnd: () => true };
    default:
      return null;
  }
}

function shortLink({ from, medium, to, quality }: Extract<Fault, { kind: "link" }>): string {
  const link = medium ?? "all links";
  const way = from === null && to === null ? "" : ` ${from ?? "*"} → ${to ?? "*"}`;
  return `${link}${way} ${quality.isCut === true ? "cut" : "worse"}`;
}
