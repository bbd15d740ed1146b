/** The options of `heartline drill partition` as text, to what is asked for. Pure; collects all problems. */

import { parseDuration } from "../../../lib/config/durations.ts";
import { type Direction, durationMsMax, durationMsMin } from "../../../lib/drill/plan.ts";
import { UsageError } from "../../../lib/errors.ts";
import { addressFamily, canonicalAddress } from "../../../lib/system/packets/ip_address.ts";
import { readHardware } from "../detect/options.ts";

export interface PartitionOptions {
  readonly link: string;
  readonly for: string;
  readonly oneWay?: string | undefined;
  readonly loss: string;
  readonly peer?: string | undefined;
  readonly port?: string | undefined;
  readonly vip: readonly string[];
  readonly otherPath?: string | undefined;
  readonly config?: string | undefined;
  readonly haDir?: string | undefined;
  readonly ignore?: readonly string[] | undefined;
  readonly force?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly json?: true | undefined;
  readonly socket: string;
}

export interface PartitionRequest {
  readonly link: string;
  readonly durationMs: number;
  readonly directions: readonly Direction[];
  readonly lossPermille: number;
  readonly peer: string | null;
  readonly port: number | null;
  /** Empty: those of the daemon. */
  readonly vips: readonly string[];
  readonly otherPath: string | null;
  /** Where the settings are; both `null`: where they usually are, if there are any. */
  readonly config: string | null;
  readonly haDir: string | null;
  /** Hardware addresses whose answers do not count as a holder, beside those of the settings. */
  readonly ignoredHardware: readonly string[];
  readonly isForced: boolean;
  readonly isDryRun: boolean;
  readonly isJson: boolean;
  readonly socket: string;
}

export function readPartitionOptions(options: PartitionOptions): PartitionRequest {
  const problems: string[] = [];
  const address = (option: string, text: string | undefined): string | null => {
    if (text === undefined) return null;
    const canonical = canonicalAddress(text);
    if (canonical === null || addressFamily(text) === null) {
      problems.push(
        `${option} "${text}" is no IP address; write one without a prefix (192.0.2.2, 2001:db8::2)`,
      );
    }
    return canonical;
  };
  const request = {
    link: interfaceName(options.link, problems),
    durationMs: durationOf(options.for, problems),
    directions: directionsOf(options.oneWay, problems),
    lossPermille: permilleOf(options.loss, problems),
    peer: address("--peer", options.peer),
    port: portOf(options.port, problems),
    vips: options.vip.map((text) => address("--vip", text) ?? text),
    otherPath: address("--other-path", options.otherPath),
    config: options.config ?? null,
    haDir: options.haDir ?? null,
    ignoredHardware: (options.ignore ?? []).flatMap((text) => readHardware(text, problems) ?? []),
    isForced: options.force === true,
    isDryRun: options.dryRun === true,
    isJson: options.json === true,
    socket: options.socket,
  };
  if (problems.length > 0) throw new UsageError(problems);
  return request;
}

/** Only what the kernel takes for a name may get into the rules (dev_valid_name: no slash, colon or blank). */
function interfaceName(text: string, problems: string[]): string {
  if (!/^[A-Za-z0-9_.@-]{1,15}$/.test(text)) {
    problems.push(`--link "${text}" is no name of an interface; "ip link" lists them`);
  }
  return text;
}

function durationOf(text: string, problems: string[]): number {
  const parsed = parseDuration(text, "yaml");
  if (!parsed.ok) {
    problems.push(`--for: ${parsed.message}: ${parsed.hint}`);
    return 0;
  }
  if (parsed.value < durationMsMin || parsed.value > durationMsMax) {
    problems.push(`--for "${text}" is out of bounds: a drill lasts from ${durationMsMin}ms to 1h`);
  }
  return parsed.value;
}

function directionsOf(text: string | undefined, problems: string[]): readonly Direction[] {
  if (text === undefined) return ["in", "out"];
  if (text === "in" || text === "out") return [text];
  problems.push(`--one-way "${text}" is no direction: "in" drops what comes, "out" what goes`);
  return [];
}

function permilleOf(text: string, problems: string[]): number {
  const match = /^(\d{1,3}(?:\.\d)?)\s*%?$/.exec(text);
  const permille = match === null ? 0 : Math.round(Number(match[1]) * 10);
  if (permille < 1 || permille > 1000) {
    problems.push(`--loss "${text}" is no share of packets: write 0.1% to 100%`);
  }
  return permille;
}

function portOf(text: string | undefined, problems: string[]): number | null {
  if (text === undefined) return null;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) problems.push(`--port "${text}" is no port: write 1 to 65535`);
  return port;
}
