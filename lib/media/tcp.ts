/**
 * A long-lived connection to each peer, for networks that drop UDP. All directives of one interface are one medium.
 * Of two ends the one with the lower address listens. No firewall in between forgets the connection, because there is
 * always something to say: heartbeats, or else pings.
 *
 * A peer that is away is no failure of the medium: whoever hears nothing draws conclusions, not we. It fails while
 * the interface has no address, or nobody can listen on it.
 */

import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import type { TcpSettings } from "../core/settings.ts";
import { EnvironmentError } from "../errors.ts";
import { packetBytesMax } from "../wire/limits.ts";
import { type Interfaces, isOwnAddress, isSameAddress, scoped, sourceFor } from "./addresses.ts";
import { type Medium, type MediumEvents, noTraffic } from "./medium.ts";
import type { TcpTiming } from "./tcp_connection.ts";
import { type DialTiming, listens, TcpPeer } from "./tcp_peer.ts";

const defaultTiming: TcpTiming & DialTiming = {
  pingIntervalMs: 1_000,
  missedMax: 3,
  trustMsMax: 30_000,
  retryMsMin: 200,
  retryMsMax: 5_000,
  connectMsMax: 3_000,
};

/** How often the addresses of the interface are looked at. Longer leaves the link unused after it came back. */
const lookIntervalMs = 1_000;

interface Path {
  readonly settings: TcpSettings;
  readonly peer: TcpPeer;
  /** The same file on all nodes names each of them: the directive that names this one is left out. */
  isSelf: boolean;
}

export class Tcp implements Medium {
  readonly name: string;
  readonly description: string;
  readonly packetBytesMax = packetBytesMax;
  readonly format = "any";
  readonly isPrivate = false;
  readonly counters = noTraffic();
  localAddress: string | null = null;
  readonly #paths: readonly Path[];
  /** By `ADDRESS PORT`. */
  readonly #servers = new Map<string, Server>();
  #events: MediumEvents | null = null;
  #problem: string | null = null;
  #isClosed = false;
  #isOpen = false;
  #lookTimer: ReturnType<typeof setTimeout> | null = null;

  /** The directives must be of one interface. Usually made by `tcpMedia`. */
  constructor(
    directives: readonly [TcpSettings, ...TcpSettings[]],
    timing: Partial<TcpTiming & DialTiming> = {},
  ) {
    const [{ device }] = directives;
    this.name = `tcp:${device}`;
    this.description = `tcp ${device} ${directives.map(({ peer }) => peer).join(" ")}`;
    this.#paths = directives.map((settings) => ({
      settings,
      isSelf: false,
      peer: new TcpPeer(
        { address: settings.peer, port: settings.port, device },
        { ...defaultTiming, ...timing },
        this.counters,
        (packet, from, reply) => this.#events?.received(packet, from, reply),
      ),
    }));
  }

  /** An interface that has no address yet is no error, but no permission and a port in use are. */
  async open(events: MediumEvents): Promise<void> {
    this.#events = events;
    try {
      await this.#look();
    } catch (error) {
      await this.close();
      throw openError(this.description, error);
    }
    this.#isOpen = true;
    if (this.#problem !== null && !this.#isClosed) events.failed(this.#problem);
  }

  send(packet: Uint8Array): void {
    if (this.#isClosed || packet.length > this.packetBytesMax) {
      this.counters.sendErrors++;
      return;
    }
    for (const { peer, isSelf } of this.#paths) if (!isSelf) peer.send(packet);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#lookTimer !== null) clearTimeout(this.#lookTimer);
    this.#lookTimer = null;
    await Promise.all([
      ...this.#paths.map(({ peer }) => peer.close()),
      ...[...this.#servers.keys()].map((key) => this.#closeServer(key)),
    ]);
    this.localAddress = null;
  }

  /** Follows the addresses of the interface. Rejects only where waiting would not help, and only before it is open. */
  async #look(): Promise<void> {
    const interfaces = networkInterfaces();
    const wanted = new Map<string, string>();
    let problem: string | null = null;
    let firstLocal: string | null = null;
    for (const path of this.#paths) {
      const { settings, peer } = path;
      path.isSelf = settings.local === null && isOwnAddress(settings.peer, interfaces);
      if (path.isSelf) continue;
      const local = localFor(settings, interfaces);
      peer.use(local);
      if (local === null) problem ??= noAddress(settings, interfaces);
      else {
        firstLocal ??= local;
        if (listens(local, settings.peer)) wanted.set(`${local} ${settings.port}`, local);
      }
    }
    this.localAddress = firstLocal;
    for (const key of this.#servers.keys()) if (!wanted.has(key)) await this.#closeServer(key);
    for (const [key, local] of wanted) {
      if (this.#servers.has(key)) continue;
      try {
        await this.#listen(key, local);
      } catch (error) {
        const { code } = error as { code?: string };
        if (!this.#isOpen && ["EADDRINUSE", "EACCES", "EPERM"].includes(code ?? "")) throw error;
        problem ??= `cannot listen on ${key.replace(" ", " port ")}: ${(error as Error).message}`;
      }
    }
    if (this.#isClosed) return;
    this.#report(problem);
    this.#lookTimer = setTimeout(() => void this.#look(), lookIntervalMs);
  }

  async #listen(key: string, local: string): Promise<void> {
    const port = Number(key.split(" ")[1]);
    const server = createServer((socket) => {
      const { remoteAddress } = socket;
      // Gone again already, or nobody we know: not even a greeting.
      socket.on("error", () => {});
      const path = this.#paths.find(({ settings }) =>
        remoteAddress !== undefined && settings.port === port &&
        isSameAddress(settings.peer, remoteAddress) &&
        listens(local, settings.peer)
      );
      if (path === undefined || this.#isClosed) socket.destroy();
      else path.peer.accept(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: local, port, ipv6Only: true }, () => resolve());
    });
    server.removeAllListeners("error");
    server.on("error", () => void this.#closeServer(key));
    this.#servers.set(key, server);
    if (this.#isClosed) await this.#closeServer(key);
  }

  #closeServer(key: string): Promise<void> {
    const server = this.#servers.get(key);
    this.#servers.delete(key);
    return server === undefined
      ? Promise.resolve()
      : new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #report(problem: string | null): void {
    const wasWell = this.#problem === null;
    this.#problem = problem;
    if (!this.#isOpen || wasWell === (problem === null)) return;
    if (problem === null) this.#events?.recovered();
    else this.#events?.failed(problem);
  }
}

/** One medium for each interface, in the order of the directives. */
export function tcpMedia(directives: readonly TcpSettings[]): Tcp[] {
  const byDevice = Map.groupBy(directives, (directive) => directive.device);
  return [...byDevice.values()].map((ofDevice) => new Tcp(ofDevice as [TcpSettings, ...TcpSettings[]]));
}

/** An address that was asked for must be there too. All of 127.0.0.0/8 is. */
function localFor({ local, peer, device }: TcpSettings, interfaces: Interfaces): string | null {
  if (local === null) return sourceFor(peer, device, interfaces);
  return local.startsWith("127.") || isOwnAddress(local, interfaces) ? scoped(local, device) : null;
}

function noAddress({ device, local, peer }: TcpSettings, interfaces: Interfaces): string {
  if (interfaces[device] === undefined) return `interface ${device} does not exist or is down`;
  return local === null
    ? `interface ${device} has no address that reaches ${peer}`
    : `${local} is no address of this machine now`;
}

function openError(description: string, cause: unknown): EnvironmentError {
  const cannot = `Cannot open medium "${description}":`;
  const { code, message } = cause as { code?: string; message: string };
  return code === "EADDRINUSE"
    ? new EnvironmentError(
      `${cannot} its TCP port is in use; stop the other program or set another port`,
      69,
      {
        cause,
      },
    )
    : new EnvironmentError(
      `${cannot} no permission to listen (${message}); run as root, or set a port of 1024 or more`,
      77,
      { cause },
    );
}
