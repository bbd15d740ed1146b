/**
 * The options of `heartline arp` as text, to what is to be done. Pure; collects all problems before it refuses.
 */

import { parseDuration } from "../../../lib/config/durations.ts";
import { parseAddress, unusableReason } from "../../../lib/config/text/addresses.ts";
import { UsageError } from "../../../lib/errors.ts";

export interface AskedAddress {
  /** Canonical text. */
  readonly text: string;
  readonly family: 4 | 6;
}

export interface AnnounceRequest {
  readonly vip: AskedAddress;
  readonly device: string | null;
  readonly count: number;
  readonly intervalMs: number;
  readonly forms: ReadonlyArray<"request" | "reply">;
  /** `null`: it ends after `count`. */
  readonly refreshMs: number | null;
  readonly isJson: boolean;
}

export interface ProbeRequest {
  readonly vip: AskedAddress;
  readonly device: string | null;
  readonly timeoutMs: number;
  readonly isJson: boolean;
}

export interface WatchRequest {
  readonly vip: AskedAddress | null;
  readonly device: string | null;
  /** `null`: until it is interrupted. */
  readonly forMs: number | null;
  readonly isJson: boolean;
}

/** More often would be a flood rather than a refresh. */
const refreshMsMin = 100;
/** Neighbours answer within a millisecond, a busy one within tens. */
const timeoutMsMin = 10;
const countMax = 1000;

export function readAnnounceOptions(options: {
  vip: string;
  dev?: string | undefined;
  count: string;
  interval: string;
  request?: true | undefined;
  reply?: true | undefined;
  both?: true | undefined;
  refresh?: string | undefined;
  json?: true | undefined;
}): AnnounceRequest {
  const problems: string[] = [];
  const vip = readAddress(options.vip, problems);
  const count = /^\d+$/.test(options.count) ? Number(options.count) : 0;
  if (count < 1 || count > countMax) {
    problems.push(`Cannot use --count "${options.count}": a whole number from 1 to ${countMax} is expected`);
  }
  const intervalMs = readTime("--interval", options.interval, 1, problems);
  const refreshMs = options.refresh === undefined
    ? null
    : readTime("--refresh", options.refresh, refreshMsMin, problems);
  const isBoth = options.both === true || options.request === options.reply;
  refuse(problems);
  return {
    vip: vip!,
    device: options.dev ?? null,
    count,
    intervalMs,
    forms: isBoth ? ["request", "reply"] : options.request === true ? ["request"] : ["reply"],
    refreshMs,
    isJson: options.json === true,
  };
}

export function readProbeOptions(options: {
  vip: string;
  dev?: string | undefined;
  timeout: string;
  json?: true | undefined;
}): ProbeRequest {
  const problems: string[] = [];
  const vip = readAddress(options.vip, problems);
  const timeoutMs = readTime("--timeout", options.timeout, timeoutMsMin, problems);
  refuse(problems);
  return { vip: vip!, device: options.dev ?? null, timeoutMs, isJson: options.json === true };
}

export function readWatchOptions(options: {
  vip?: string | undefined;
  dev?: string | undefined;
  for?: string | undefined;
  json?: true | undefined;
}): WatchRequest {
  const problems: string[] = [];
  const vip = options.vip === undefined ? null : readAddress(options.vip, problems);
  if (options.vip === undefined && options.dev === undefined) {
    problems.push(
      "Cannot watch: no interface is named; give --dev INTERFACE, or --vip ADDRESS to find it by route",
    );
  }
  const forMs = options.for === undefined ? null : readTime("--for", options.for, 1, problems);
  refuse(problems);
  return { vip, device: options.dev ?? null, forMs, isJson: options.json === true };
}

function readAddress(text: string, problems: string[]): AskedAddress | null {
  const address = parseAddress(text);
  if (address === null) {
    const isWithPrefix = text.includes("/") && parseAddress(text.slice(0, text.indexOf("/"))) !== null;
    const next = isWithPrefix
      ? `leave the prefix out: ${text.slice(0, text.indexOf("/"))}`
      : "write 192.0.2.10 or 2001:db8::10";
    problems.push(`Cannot use --vip "${text}": it is no IP address; ${next}`);
    return null;
  }
  const reason = unusableReason(address);
  if (reason !== null) {
    problems.push(`Cannot use --vip "${text}": ${reason}; an address of one machine is expected`);
    return null;
  }
  return address;
}

function readTime(option: string, text: string, msMin: number, problems: string[]): number {
  const parsed = parseDuration(text, "yaml");
  if (!parsed.ok) {
    problems.push(`Cannot use ${option} "${text}": ${parsed.message}; ${parsed.hint}`);
    return 0;
  }
  if (parsed.value < msMin) problems.push(`Cannot use ${option} "${text}": at least ${msMin}ms is expected`);
  return parsed.value;
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new UsageError(problems);
}
