/**
 * The options of `heartline probe` as text, to what is to be measured. Pure; collects all problems before it refuses.
 */

import { parseAddress } from "../../../lib/config/text/addresses.ts";
import type { SerialBaud } from "../../../lib/core/settings.ts";
import { UsageError } from "../../../lib/errors.ts";
import { usualKeepaliveMs, type Wishes } from "../../../lib/measure/recommend.ts";
import { icmpBytesMin } from "../../../lib/probe/icmp.ts";
import type { MeasurementSettings } from "../../../lib/probe/measurement.ts";
import { udpPacketBytesMax } from "../../../lib/wire/limits.ts";
import { probeBytesMin } from "../../../lib/wire/probe_message.ts";
import type { ProbeOptions } from "../probe.ts";

/** Where `probe --listen` listens: not that of a daemon, which answers by itself. */
export const probePort = 6942;

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export type NamedPath =
  | { readonly kind: "udp"; readonly endpoint: Endpoint }
  | { readonly kind: "icmp"; readonly address: string }
  | { readonly kind: "tcp"; readonly endpoint: Endpoint }
  | { readonly kind: "serial"; readonly tty: string; readonly baud: SerialBaud };

export interface ProbeRequest {
  readonly paths: readonly NamedPath[];
  readonly measurement: MeasurementSettings;
  /** `null`: as small as may be. */
  readonly bytes: number | null;
  readonly wishes: Wishes;
}

/** Bounds. Shorter intervals measure the scheduler; more questions than this cost memory by the 100 bytes each. */
const intervalMsMin = 5;
const countMax = 200_000;
const icmpBytesMax = 65_000;
const dayMs = 86_400_000;
const bauds: readonly SerialBaud[] = [9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800];

export function readProbeOptions(options: ProbeOptions): ProbeRequest {
  const problems: string[] = [];
  const paths: NamedPath[] = [
    ...(options.udp ?? []).map((text) => ({
      kind: "udp" as const,
      endpoint: readEndpoint("--udp", text, probePort, problems),
    })),
    ...(options.icmp ?? []).map((text) => ({
      kind: "icmp" as const,
      address: readTarget("--icmp", text, problems),
    })),
    ...(options.tcp ?? []).map((text) => ({
      kind: "tcp" as const,
      endpoint: readEndpoint("--tcp", text, null, problems),
    })),
    ...readSerial(options.serial, problems),
  ];
  const intervalMs = options.interval ?? 100;
  if (intervalMs < intervalMsMin) {
    problems.push(`Cannot use --interval ${intervalMs}ms: at least ${intervalMsMin}ms is expected`);
  }
  if (options.count !== undefined && options.for !== undefined) {
    problems.push("Cannot use both --count and --for: each says when the measurement ends; name one");
  }
  const wanted = options.for === undefined
    ? readWhole("--count", options.count ?? "100", 1, countMax, problems)
    : Math.max(1, Math.round(options.for / intervalMs));
  if (wanted > countMax) {
    problems.push(
      `Cannot ask ${wanted} times: ${countMax} at most; a longer --interval makes the same time with fewer questions`,
    );
  }
  if (options.hear) refuseWithHear(options, paths.length > 0, problems);
  else if (paths.length > 0) refuseWithPaths(options, paths, problems);
  const isIcmpOnly = paths.length > 0 && paths.every(({ kind }) => kind === "icmp");
  const [bytesMin, bytesMax] = isIcmpOnly ? [icmpBytesMin, icmpBytesMax] : [probeBytesMin, udpPacketBytesMax];
  const bytes = options.size === undefined
    ? null
    : readWhole("--size", options.size, bytesMin, bytesMax, problems);
  const days = readWhole("--accept", options.accept ?? "365", 1, 36_500, problems);
  const [keepaliveMs, deadTimeMs] = [options.keepalive ?? null, options.deadtime ?? null];
  if (keepaliveMs !== null && deadTimeMs !== null && deadTimeMs <= 2 * keepaliveMs) {
    problems.push(
      `Cannot price --deadtime ${deadTimeMs}ms with --keepalive ${keepaliveMs}ms: more than twice the keepalive is expected`,
    );
  }
  if (problems.length > 0) throw new UsageError(problems);
  return {
    paths,
    measurement: {
      intervalMs,
      count: wanted,
      forMs: options.for ?? null,
      patienceMs: options.wait ?? 1_000,
    },
    bytes,
    wishes: {
      keepaliveMs,
      judged: deadTimeMs === null
        ? null
        : { deadTimeMs, keepaliveMs: keepaliveMs ?? usualKeepaliveMs(deadTimeMs) },
      acceptMs: days * dayMs,
    },
  };
}

/** What would be without effect is refused: else it seems to have chosen what was measured. */
function refuseWithPaths(options: ProbeOptions, paths: readonly NamedPath[], problems: string[]): void {
  if (options.link !== undefined) {
    problems.push(
      `Cannot use --link "${
        options.link[0]
      }" beside a path that is named: it chooses among the links of the settings; ` +
        "leave out either (by which interface an address is reached, the routes say)",
    );
  }
  const isNobodyNamed = paths.every(({ kind }) => kind === "icmp" || kind === "tcp");
  if (options.peer !== undefined && isNobodyNamed) {
    problems.push(
      `Cannot ask --peer "${options.peer}" by --icmp or --tcp: whoever has the address answers there, and no node is ` +
        "named; leave --peer out, or name a path with --udp or --serial",
    );
  }
}

/** Who only listens asks nothing. */
function refuseWithHear(options: ProbeOptions, hasPaths: boolean, problems: string[]): void {
  if (hasPaths) {
    problems.push("Cannot use --hear with a path: it listens on the links of the settings; name --link");
  }
  const asking = (["count", "interval", "wait", "size", "watch"] as const)
    .filter((name) => options[name] !== undefined);
  if (asking.length > 0) {
    const names = asking.map((name) => `--${name}`).join(", ");
    problems.push(`Cannot use ${names} with --hear, which asks nothing: --for says how long it listens`);
  }
}

/** `null` addresses: all of this machine. */
export function readListen(
  listen: string | true,
): { readonly address: string | null; readonly port: number } {
  if (listen === true) return { address: null, port: probePort };
  const problems: string[] = [];
  const result = /^\d+$/.test(listen)
    ? { address: null, port: readWhole("--listen", listen, 1, 65_535, problems) }
    : readEndpoint("--listen", listen, probePort, problems);
  if (problems.length > 0) throw new UsageError(problems);
  return result;
}

export function readSerial(texts: readonly string[] | undefined, problems: string[]) {
  return (texts ?? []).map((text) => {
    const [, tty = text, speed] = /^(.*?)(?::(\d+))?$/.exec(text)!;
    const baud = bauds.find((each) => String(each) === (speed ?? "19200"));
    if (!tty.startsWith("/") || baud === undefined) {
      problems.push(
        `Cannot use --serial "${text}": an absolute path is expected, such as /dev/ttyS0:19200; ` +
          `speeds are ${bauds.join(", ")}`,
      );
    }
    return { kind: "serial" as const, tty, baud: baud ?? 19_200 };
  });
}

/** `ADDRESS`, `ADDRESS:PORT`, `[IPV6]:PORT`; a zone may follow the address. `port` `null`: it must be there. */
function readEndpoint(option: string, text: string, port: number | null, problems: string[]): Endpoint {
  const match = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ??
    (text.split(":").length > 2 ? [text, text, undefined] : /^([^:]+)(?::(\d+))?$/.exec(text));
  const address = match?.[1] ?? "";
  const found = match?.[2] === undefined ? port : Number(match[2]);
  if (parseAddress(address.split("%")[0]!) === null || found === null || found < 1 || found > 65_535) {
    problems.push(
      `Cannot use ${option} "${text}": ${
        port === null ? "an address and a port are" : "an address is"
      } expected, ` +
        `such as 192.0.2.2:${port ?? 22} or [2001:db8::2]:${port ?? 22}`,
    );
    return { address: "", port: 0 };
  }
  return { address, port: found };
}

function readTarget(option: string, text: string, problems: string[]): string {
  if (parseAddress(text.split("%")[0]!) === null) {
    problems.push(`Cannot use ${option} "${text}": it is no IP address; write 192.0.2.1 or 2001:db8::1`);
  }
  return text;
}

function readWhole(option: string, text: string, min: number, max: number, problems: string[]): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) {
    problems.push(`Cannot use ${option} "${text}": a whole number from ${min} to ${max} is expected`);
    return min;
  }
  return value;
}
