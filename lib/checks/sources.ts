/**
 * The places where evidence is looked for: one line each here, one file each in `sources/`, loaded only when the
 * question asks for it. A source never decides anything and never outlives its window by much; whatever it throws
 * becomes a piece `unseen`.
 */

import type { NodeView } from "../core/view.ts";
import type { Evidence, SourceName } from "./evidence.ts";
import type { Host } from "./host.ts";
import type { CheckQuestion } from "./question.ts";

/** What a source has to work with. Its evidence must be complete when the window is over. */
export interface Look {
  readonly question: CheckQuestion;
  /** This machine's interfaces and addresses when the check began. */
  readonly host: Host;
  readonly window: Window;
  /** Asks the Heartline daemon behind a control socket. Rejects with the reason. */
  readonly askDaemon: (socket: string, timeoutMs: number) => Promise<{ ageMs: number; result: NodeView }>;
}

/** The time in which the network is asked and listened to. */
export interface Window {
  readonly ms: number;
  /** Milliseconds since it was opened. */
  passedMs(): number;
  /** Waits, at most until the window closes or the signal comes. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
}

export type GatherEvidence = (look: Look) => Promise<readonly Evidence[]> | readonly Evidence[];

export interface Source {
  readonly name: SourceName;
  /** Whether there is anything for it in this question. */
  isAsked(question: CheckQuestion): boolean;
  load(): Promise<GatherEvidence>;
}

const asksNetwork = (question: CheckQuestion) => question.windowMs > 0;
const explains = (question: CheckQuestion) => question.isExplained === true;

export const sources: readonly Source[] = [
  {
    name: "neighbours",
    isAsked: asksNetwork,
    load: async () => (await import("./sources/neighbours.ts")).gatherNeighbours,
  },
  {
    name: "echo",
    isAsked: asksNetwork,
    load: async () => (await import("./sources/echo.ts")).gatherEchoes,
  },
  {
    name: "services",
    isAsked: (question) => asksNetwork(question) && question.services.length > 0,
    load: async () => (await import("./sources/services.ts")).gatherServices,
  },
  {
    name: "daemon",
    isAsked: (question) => question.controlSocket !== null,
    load: async () => (await import("./sources/daemon.ts")).gatherStatement,
  },
  {
    name: "serial",
    isAsked: (question) => asksNetwork(question) && question.links.some((link) => link.kind === "serial"),
    load: async () => (await import("./sources/serial.ts")).gatherSerial,
  },
  {
    name: "sniffer",
    isAsked: asksNetwork,
    load: async () => (await import("./sources/sniffer.ts")).gatherTraffic,
  },
  {
    name: "packet-sizes",
    isAsked: (question) => explains(question) && asksNetwork(question),
    load: async () => (await import("./sources/packet_sizes.ts")).gatherPacketSizes,
  },
  {
    name: "firewall",
    isAsked: explains,
    load: async () => (await import("./sources/firewall.ts")).gatherFirewall,
  },
  {
    name: "processes",
    isAsked: explains,
    load: async () => (await import("./sources/processes.ts")).gatherSoftware,
  },
  {
    name: "configuration",
    isAsked: explains,
    load: async () => (await import("./sources/routers.ts")).gatherRouters,
  },
  {
    name: "bridges",
    isAsked: explains,
    load: async () => (await import("./sources/bridges.ts")).gatherBridges,
  },
];
