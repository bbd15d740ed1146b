/**
 * The flags of `heartline detect` as text, to the question that is asked. Pure; collects all problems before it
 * refuses.
 */

import {
  type CheckedLink,
  type CheckedNode,
  type CheckedService,
  type CheckQuestion,
  type Role,
} from "../../../lib/checks/question.ts";
import { type Address, parseAddress, unusableReason } from "../../../lib/config/text/addresses.ts";
import type { SerialBaud } from "../../../lib/core/settings.ts";
import { UsageError } from "../../../lib/errors.ts";
import type { DetectOptions } from "../detect.ts";

/** What monitoring gives a plugin before it kills it. */
export const timeoutMsDefault = 10_000;
/** Share of the whole time that may be spent with listening; the rest is for looking, judging and telling. */
export const listenShareMax = 0.7;

/** Long enough for sixteen questions with gaps that outlast a short burst of losses. */
const windowMsDefault = 1000;

const bauds: readonly SerialBaud[] = [9600, 19200, 38400, 57600, 115200, 230400, 460800];

/** What every question takes from the flags, wherever the rest comes from. */
export interface Common {
  readonly services: readonly CheckedService[];
  readonly links: readonly CheckedLink[];
  readonly ignoredHardware: readonly string[];
  readonly windowMs: number;
  readonly role: Role | null;
}

export function readCommon(options: DetectOptions, problems: string[]): Common {
  const limitMs = options.timeout ?? timeoutMsDefault;
  if (options.window !== undefined && options.window > limitMs * listenShareMax) {
    problems.push(
      `Cannot listen for ${options.window} ms within --timeout ${limitMs} ms: the rest of the check takes time too; ` +
        `give it ${Math.ceil(options.window / listenShareMax)} ms`,
    );
  }
  return {
    services: readServices(options, problems),
    links: (options.link ?? []).flatMap((text) => readLink(text, problems) ?? []),
    ignoredHardware: (options.ignore ?? []).flatMap((text) => readHardware(text, problems) ?? []),
    windowMs: options.local === true
      ? 0
      : options.window ?? Math.min(windowMsDefault, limitMs * listenShareMax),
    role: options.role ?? null,
  };
}

/** The question that flags alone ask. `ownAddresses`: canonical texts. */
export function questionFromFlags(
  options: DetectOptions,
  common: Common,
  ownAddresses: ReadonlySet<string>,
  controlSocket: string | null,
  problems: string[],
): CheckQuestion {
  const named = (options.vip ?? []).flatMap((text) => readAddress("--vip", text, problems) ?? []);
  const vips = [...new Map(named.map((vip) => [vip.text, vip])).values()];
  const { primary, standby } = namedAddresses(options, problems);
  const isOwn = (address: string) => ownAddresses.has(address);
  const role = common.role ?? roleByFlags({ primary, standby }, isOwn) ?? "standby";
  if (role === "primary" && !primary.some(isOwn) && standby.length === 0 && primary.length > 0) {
    problems.push(
      `Cannot take --primary "${
        primary[0]
      }" for this machine, as --role primary says: it has no such address; ` +
        "name the other node with --standby",
    );
  }
  for (
    const [flag, text] of [
      ...primary.map((own) => ["--primary", own]),
      ...standby.map((own) => ["--standby", own]),
    ]
  ) {
    if (!vips.some((vip) => vip.text === text)) continue;
    problems.push(
      `Cannot use ${flag} "${text}": it is the checked address itself; name an address that never moves`,
    );
  }
  if (role === "standby" && primary.length > 0 && primary.every(isOwn)) {
    problems.push(
      `Cannot check as standby: --primary "${primary[0]}" is this machine's own address; ` +
        "name the other node's, or leave --role out",
    );
  }
  const farEnds = common.links.flatMap((link) =>
    link.kind === "network" && link.peer !== null ? [link.peer] : []
  );
  const other = role === "primary" ? "standby" : "primary";
  const node = (nodeRole: CheckedNode["role"], own: readonly string[]): CheckedNode => ({
    name: nodeRole,
    role: nodeRole,
    addresses: [...new Set([...own, ...(nodeRole === other && role !== "observer" ? farEnds : [])])]
      .filter((address) => !isOwn(address)),
  });
  const nodes = [node("primary", primary), node("standby", standby)]
    .filter((candidate) => candidate.addresses.length > 0 && candidate.role !== role);
  return {
    role,
    vips: vips.map(({ text, family }) => ({
      address: text,
      family,
      device: options.dev ?? null,
      group: null,
      virtualRouter: null,
    })),
    nodes,
    services: common.services,
    links: common.links,
    controlSocket,
    authentication: null,
    ignoredHardware: common.ignoredHardware,
    windowMs: common.windowMs,
  };
}

/** Own addresses of nodes, canonical. */
export interface Named {
  readonly primary: readonly string[];
  readonly standby: readonly string[];
}

/** Where one node is named, this machine is the other one; of two, none of them is an observer. `null`: none are. */
export function roleByFlags({ primary, standby }: Named, isOwn: (address: string) => boolean): Role | null {
  if (primary.some(isOwn)) return "primary";
  if (standby.some(isOwn)) return "standby";
  if (primary.length > 0) return standby.length > 0 ? "observer" : "standby";
  return standby.length > 0 ? "primary" : null;
}

/** The own addresses of nodes that flags name. */
export function namedAddresses(options: DetectOptions, problems: string[]): Named {
  const read = (flag: string, texts: readonly string[] | undefined) =>
    (texts ?? []).flatMap((text) => readAddress(flag, text, problems)?.text ?? []);
  return { primary: read("--primary", options.primary), standby: read("--standby", options.standby) };
}

export function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new UsageError(problems);
}

export function readAddress(flag: string, text: string, problems: string[]): Address | null {
  const address = parseAddress(text);
  const reason = address === null ? "it is no IP address" : unusableReason(address);
  if (reason === null) return address;
  const [bare, zone] = text.split(/[/%]/) as [string, string?];
  const isBare = zone !== undefined && parseAddress(bare) !== null;
  const next = isBare
    ? text.includes("/")
      ? `leave the prefix out: ${bare}`
      : `leave the zone out, and add --dev ${zone}: ${bare}`
    : "write 192.0.2.10 or 2001:db8::10";
  problems.push(`Cannot use ${flag} "${text}": ${reason}; ${next}`);
  return null;
}

function readServices(options: DetectOptions, problems: string[]): CheckedService[] {
  const { service: texts = [], httpStatus = "200-399" } = options;
  const codes = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(httpStatus);
  if (codes === null) {
    problems.push(
      `Cannot use --http-status "${httpStatus}": one code or a range such as 200-399 is expected`,
    );
  } else if (options.httpStatus !== undefined && !texts.some((text) => text.startsWith("http"))) {
    problems.push("Cannot use --http-status: no service is asked by HTTP; add --service http://…");
  }
  const [statusMin, statusMax] = [Number(codes?.[1]), Number(codes?.[2] ?? codes?.[1])];
  return texts.flatMap((text) => readService(text, statusMin, statusMax, problems) ?? []);
}

function readService(
  text: string,
  statusMin: number,
  statusMax: number,
  problems: string[],
): CheckedService | null {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) {
    return { kind: "http", url: text, statusMin, statusMax };
  }
  const match = /^tcp:(?:(?:\[([^\]]*)\]|([^:\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? 0);
  if (match !== null && port >= 1 && port <= 65535) {
    const named = match[1] ?? match[2];
    const address = named === undefined ? null : readAddress("--service", named, problems);
    if (named !== undefined && address === null) return null;
    return { kind: "tcp", address: address?.text ?? null, port };
  }
  problems.push(
    `Cannot use --service "${text}": tcp:80, tcp:10.0.0.1:80, tcp:[fd00::1]:80 or an http:// URL is expected`,
  );
  return null;
}

function readLink(text: string, problems: string[]): CheckedLink | null {
  const serial = /^serial:(\/[^:]+)(?::(\d+))?$/.exec(text);
  if (serial !== null) {
    const baud = bauds.find((known) => known === Number(serial[2] ?? 19200));
    if (baud !== undefined) return { kind: "serial", tty: serial[1]!, baud };
    problems.push(`Cannot use --link "${text}": the speed must be one of ${bauds.join(", ")}`);
    return null;
  }
  const network = /^([^=\s]{1,15})=(.+)$/.exec(text);
  if (network === null) {
    problems.push(`Cannot use --link "${text}": hb0=10.0.1.1 or serial:/dev/ttyS0:19200 is expected`);
    return null;
  }
  const peer = readAddress("--link", network[2]!, problems);
  return peer === null
    ? null
    : { kind: "network", device: network[1]!, peer: peer.text, group: null, port: null };
}

/** Of `--ignore`; `null`: it is none. */
export function readHardware(text: string, problems: string[]): string | null {
  if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5,19}$/i.test(text)) return text.toLowerCase();
  problems.push(`Cannot use --ignore "${text}": a hardware address such as 02:00:5e:00:00:01 is expected`);
  return null;
}
