/** `heartline probe --hear`: what the heartbeats of the other nodes alone tell of the links that bring them. */

import process from "node:process";
import type { Wishes } from "../../../lib/measure/recommend.ts";
import { heardReport } from "../../../lib/measure/report.ts";
import type { HeartbeatEar } from "../../../lib/probe/heartbeats.ts";
import { interfaceFacts } from "../../../lib/probe/interface_facts.ts";
import { type PathResult, type ProbeResult, resultFrom } from "./result.ts";

export interface HearRequest {
  readonly forMs: number;
  readonly wishes: Wishes;
  /** The nodes that are to be heard. */
  readonly others: readonly string[];
}

const progressIntervalMs = 1_000;

export async function heardResult(ear: HeartbeatEar, request: HearRequest): Promise<ProbeResult> {
  const { forMs, wishes, others } = request;
  ear.open();
  try {
    await listened(ear, forMs);
  } finally {
    ear.close();
  }
  const heard = ear.tally.heard().filter(({ node }) => others.includes(node));
  const silent = others.filter((node) => heard.every((each) => each.node !== node));
  const none = { arrivals: [], intervalMs: 0, lateMsMax: 0, longestSilenceMs: forMs, durationMs: 0 };
  const all = [
    ...heard,
    ...silent.flatMap((node) =>
      ear.tally.links.map((link) => ({ node, link, ...none, copies: 0, reordered: 0 }))
    ),
  ];
  const paths = await Promise.all(all.map(async (each): Promise<PathResult> => ({
    kind: "heartbeats",
    description: `heartbeats of ${each.node} on ${each.link}`,
    device: each.link,
    caveat: null,
    answeredBy: [each.node],
    facts: await interfaceFacts(each.link),
    report: heardReport(each),
  })));
  return resultFrom(paths, wishes, {
    ...{ facts: new Map(), passive: null, skipped: [], missedBeats: 0, patienceMs: 0, isCluster: true },
    intervalMs: heard[0]?.intervalMs ?? 0,
  });
}

/** Until the time is over or Ctrl-C; on a terminal with a line of progress. */
function listened(ear: HeartbeatEar, forMs: number): Promise<void> {
  const isTerminal = process.stderr.isTTY === true;
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(limit);
      clearInterval(progress);
      process.off("SIGINT", end);
      process.off("SIGTERM", end);
      if (isTerminal) process.stderr.write("\r\x1b[K");
      resolve();
    };
    const limit = setTimeout(end, forMs);
    const progress = setInterval(() => {
      if (!isTerminal) return;
      const heard = ear.tally.counts().map(({ node, link, count }) => `${node} on ${link} ${count}`);
      process.stderr.write(`\rheard: ${heard.join(", ") || "nothing yet"}; Ctrl-C ends early\x1b[K`);
    }, progressIntervalMs);
    process.on("SIGINT", end);
    process.on("SIGTERM", end);
  });
}
