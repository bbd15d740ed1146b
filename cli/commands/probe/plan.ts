/**
 * From what was asked for to probers: the paths that were named or, without any, every link of the settings to the
 * daemons of the other nodes. Over links that only a daemon itself can use (TCP, serial) the daemon of this machine
 * asks; where it cannot, they are listed with the reason.
 */

import { randomBytes } from "node:crypto";
import { hostname, networkInterfaces } from "node:os";
import {
  type Authentication,
  linkName,
  type MediumSettings,
  type SerialSettings,
  type Settings,
  type TcpSettings,
} from "../../../lib/core/settings.ts";
import { EnvironmentError, UsageError } from "../../../lib/errors.ts";
import { isOwnAddress, sourceFor } from "../../../lib/media/addresses.ts";
import { broadcastEnds } from "../../../lib/media/bcast.ts";
import { multicastEnds } from "../../../lib/media/mcast.ts";
import { IcmpProber } from "../../../lib/probe/icmp.ts";
import type { HeardElsewhere, Prober } from "../../../lib/probe/prober.ts";
import { noAuthentication, type QuestionSettings } from "../../../lib/probe/questions.ts";
import { lineCaveat, SerialProber } from "../../../lib/probe/serial.ts";
import { TcpProber } from "../../../lib/probe/tcp.ts";
import { UdpProber, type UdpTarget } from "../../../lib/probe/udp.ts";
import type { NodeView } from "../../../lib/core/view.ts";
import { defaultControlSocket } from "../../../lib/runtime/control_protocol.ts";
import { askIntervalMsMin } from "../../../lib/runtime/link_asker.ts";
import { loadSettings } from "../../../lib/runtime/load_settings.ts";
import { Netlink } from "../../../lib/system/netlink.ts";
import { probeBytesMin, probePathsMax } from "../../../lib/wire/probe_message.ts";
import { settingsErrors } from "../../settings_errors.ts";
import { chooseSource } from "../peer.ts";
import type { ProbeOptions } from "../probe.ts";
import { DaemonLinkProber } from "./daemon_link.ts";
import type { NamedPath, ProbeRequest } from "./options.ts";
import { viewOfDaemon } from "./passive.ts";

/** A link of the settings that is not asked. */
export interface SkippedLink {
  readonly link: string;
  readonly reason: string;
  /** Its interface or address is missing here, so that it carries no heartbeats either. */
  readonly isBroken: boolean;
}

export interface Plan {
  readonly probers: readonly Prober[];
  readonly skipped: readonly SkippedLink[];
  readonly settings: Settings | null;
  readonly node: string;
  readonly isSigned: boolean;
  /** Control socket of the daemon of this machine, and what it says before the measurement; `null`: none answers. */
  readonly socket: string;
  readonly before: NodeView | null;
}

export async function planOf(
  request: ProbeRequest,
  options: ProbeOptions,
  heardElsewhere: HeardElsewhere,
): Promise<Plan> {
  const isNamed = request.paths.length > 0;
  const loaded = isNamed && options.config === undefined && options.haDir === undefined
    ? { settings: null, node: options.node ?? hostname().toLowerCase() }
    : await settingsFor(options);
  const { settings, node } = loaded;
  const authentication = settings?.authentication ?? noAuthentication;
  const measurement = randomBytes(8);
  const socket = options.socket ?? settings?.process.controlSocket ?? defaultControlSocket;
  const before = await viewOfDaemon(socket);
  const maker = new ProberMaker(request, before === null ? null : socket, (path) => ({
    measurement,
    path,
    node,
    to: options.peer?.toLowerCase() ?? null,
    bytes: request.bytes ?? probeBytesMin,
    seal: { format: settings?.messageFormat ?? "netstring", authentication },
    heardElsewhere,
  }));
  if (isNamed) request.paths.forEach((path) => maker.addNamed(path));
  else maker.addLinks(settings!, options.link, options.peer);
  if (maker.probers.length > probePathsMax) {
    throw new UsageError([
      `Cannot measure ${maker.probers.length} paths at once: ${probePathsMax} at most; choose with --link`,
    ]);
  }
  const { probers, skipped } = maker;
  return { probers, skipped, settings, node, isSigned: settings !== null, socket, before };
}

/** The settings of the cluster. Throws a usage error when they have errors, or know nothing of --link and --peer. */
export async function settingsFor(options: ProbeOptions): Promise<{ settings: Settings; node: string }> {
  const source = chooseSource(options.config, options.haDir);
  const loaded = await loadSettings({ ...source, nodeOverride: options.node, isForeignAllowed: false });
  if (loaded.settings === null) throw new UsageError(settingsErrors(loaded.problems), 78);
  const { settings, node } = loaded;
  const others = settings.nodes.filter((each) => each !== node);
  const problems: string[] = [];
  if (options.peer !== undefined && !others.includes(options.peer.toLowerCase())) {
    problems.push(`Cannot ask --peer "${options.peer}": the other nodes are ${others.join(", ") || "none"}`);
  }
  const links = new Set(settings.media.map(linkName));
  for (const link of options.link ?? []) {
    if (!links.has(link)) {
      problems.push(`Cannot use --link "${link}": the links are ${[...links].join(", ")}`);
    }
  }
  if (problems.length > 0) throw new UsageError(problems);
  return { settings, node };
}

/** Key for `--listen`. */
export async function authenticationFor(options: ProbeOptions): Promise<Authentication> {
  if (options.config === undefined && options.haDir === undefined) return noAuthentication;
  return (await settingsFor(options)).settings.authentication;
}

class ProberMaker {
  readonly probers: Prober[] = [];
  readonly skipped: SkippedLink[] = [];
  /** Links of the daemon that were dealt with. */
  readonly #asked = new Set<string>();

  constructor(
    readonly request: ProbeRequest,
    /** Of the daemon of this machine; `null`: there is none that could ask for us. */
    readonly socket: string | null,
    readonly questions: (path: number) => QuestionSettings,
  ) {}

  addNamed(path: NamedPath): void {
    const { measurement, bytes } = this.request;
    switch (path.kind) {
      case "udp": {
        const { address, port } = path.endpoint;
        const device = deviceTowards(address);
        return this.#addUdp({ address, port, device, local: null, group: null, description: null });
      }
      case "icmp":
        this.probers.push(new IcmpProber(path.address, deviceTowards(path.address), bytes ?? 56));
        return;
      case "tcp": {
        const { address, port } = path.endpoint;
        this.probers.push(new TcpProber(address, port, deviceTowards(address), measurement.patienceMs));
        return;
      }
      case "serial": {
        const questions = this.questions(this.probers.length);
        const seal = { ...questions.seal, format: "text" as const };
        this.probers.push(new SerialProber(path.tty, path.baud, { ...questions, seal }));
      }
    }
  }

  addLinks(settings: Settings, only: readonly string[] | undefined, peer: string | undefined): void {
    const media = settings.media.filter((medium) => only === undefined || only.includes(linkName(medium)));
    for (const medium of media) this.#addLink(medium, settings, peer);
    if (this.probers.length > 0) return;
    const reasons = this.skipped.map(({ link, reason }) => `${link}: ${reason}`).join("; ");
    throw new EnvironmentError(
      `Cannot probe the links of the settings: ${reasons || "there are none"}; ` +
        "name a path with --udp, --icmp, --tcp or --serial",
    );
  }

  #addLink(medium: MediumSettings, settings: Settings, peer: string | undefined): void {
    const broken = (reason: string) =>
      void this.skipped.push({ link: linkName(medium), reason, isBroken: true });
    const interfaces = networkInterfaces();
    switch (medium.kind) {
      case "ucast": {
        const { peer: address, port, device } = medium;
        if (isOwnAddress(address, interfaces)) return;
        const local = medium.local ?? sourceFor(address, device, interfaces);
        if (local === null) return broken(`interface ${device} has no address that reaches ${address}`);
        return this.#addUdp({ address, port, device, local, group: null, description: null });
      }
      case "bcast":
      case "mcast": {
        const ends = medium.kind === "bcast"
          ? broadcastEnds(medium.device, interfaces)
          : multicastEnds(medium.device, medium.group, interfaces);
        if (typeof ends === "string") return broken(ends);
        const { device, port } = medium;
        const group = medium.kind === "bcast"
          ? { kind: medium.kind }
          : { kind: medium.kind, ttl: medium.ttl };
        const others = settings.nodes.filter((node) => peer === undefined || node === peer.toLowerCase());
        for (const to of others) {
          if (to === this.questions(0).node) continue;
          const description = `${medium.kind} ${device} ${to}`;
          this.#addUdp({ address: ends.group, port, device, local: ends.local, group, description }, to);
        }
        return;
      }
      case "tcp":
      case "serial":
        return this.#addDaemonLink(medium, settings, peer);
    }
  }

  /** A connection or a line that belongs to the daemons. Several directives of one interface are one link. */
  #addDaemonLink(medium: TcpSettings | SerialSettings, settings: Settings, peer: string | undefined): void {
    const { socket, request: { measurement: { intervalMs, patienceMs } } } = this;
    const link = linkName(medium);
    if (this.#asked.has(link)) return;
    this.#asked.add(link);
    const skip = (reason: string) => void this.skipped.push({ link, reason, isBroken: false });
    if (socket === null) return skip("it belongs to the daemon, and none runs here that could ask");
    const leastMs = askIntervalMsMin(medium);
    if (intervalMs < leastMs) {
      const seconds = Math.ceil(leastMs / 100) / 10;
      return skip(
        `it is asked every ${seconds} s at most, to leave it to the heartbeats: ` +
          `heartline probe --link ${link} --interval ${seconds}s; what the daemon heard is below`,
      );
    }
    const { node, to, measurement, heardElsewhere } = this.questions(this.probers.length);
    const others = settings.nodes.filter((each) => each !== node && (peer?.toLowerCase() ?? each) === each);
    // At the far end of a line is one node; which one only a pair knows.
    const ends = medium.kind === "serial" ? [others.length === 1 ? others[0]! : to] : others;
    for (const end of ends) {
      this.probers.push(
        new DaemonLinkProber({
          ...{ socket, link, to: end, measurement, path: this.probers.length, waitMs: patienceMs },
          device: medium.kind === "tcp" ? medium.device : null,
          caveat: medium.kind === "tcp"
            ? "TCP sends again what was lost: it shows as delay"
            : lineCaveat(probeBytesMin, medium.baud),
          heardElsewhere,
        }),
      );
    }
  }

  #addUdp(target: UdpTarget, to: string | null = null): void {
    const questions = this.questions(this.probers.length);
    this.probers.push(new UdpProber(target, { ...questions, to: to ?? questions.to }));
  }
}

/** The interface that the routes lead to; `null`: nobody can tell. */
function deviceTowards(address: string): string | null {
  const [text, zone] = address.split("%") as [string, string | undefined];
  if (zone !== undefined) return zone;
  try {
    const netlink = Netlink.open();
    try {
      return netlink.deviceForAddress(text)?.name ?? null;
    } finally {
      netlink.close();
    }
  } catch {
    return null;
  }
}
