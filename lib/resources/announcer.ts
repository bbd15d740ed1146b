/**
 * Tells the neighbours where an address is: at once after a start and a few times more (switches and hosts lose the
 * first packet easily), then now and then for as long as it is held, and at once when somebody else claims it. While
 * the address is held it also listens for such claims.
 *
 * Decides when to speak. It must never speak for an address that is not on this machine at that moment: a late
 * announcement of a former holder poisons the neighbours' tables against the new one.
 */

import type { VipSpec } from "../core/settings.ts";
import { monotonicMs } from "../system/clock.ts";
import { NeighbourSocket } from "../system/neighbour.ts";
import type { LinkInfo } from "../system/netlink.ts";

/** After a start, from its instant. */
export const ANNOUNCE_AT_MS: readonly number[] = [0, 100, 300, 1000, 3000];

/** Refreshes come at the mean interval ± this share of it, so that many addresses do not speak in step. */
const REFRESH_JITTER = 0.25;

/**
 * Between two answers to foreign claims. Lower makes two holders shout at each other and the tables of all neighbours
 * flap; higher leaves the last word to a rival for longer.
 */
export const AGAIN_PAUSE_MS = 1000;

/** Between two looks at the socket. Lower costs processor time all day long, higher delays the answer to a rival. */
export const LISTEN_PAUSE_MS = 100;

/** What of a `NeighbourSocket` this needs. */
export type Neighbours = Pick<NeighbourSocket, "announce" | "poll" | "listenFor" | "close">;

/** Time and chance, which tests hand in. */
export interface AnnouncerSeams {
  now(): number;
  setTimer(run: () => void, delayMs: number): unknown;
  clearTimer(timer: unknown): void;
  /** From 0 to 1. */
  random(): number;
}

export interface AnnouncerOptions {
  readonly address: string;
  /** Mean time between two refreshes; 0: none. */
  readonly refreshMs: number;
  /** The address is on this machine now. Asked right before each packet. */
  readonly isHeld: () => boolean;
  /** Somebody else claims the address. Called for every claim heard, after our answer is on its way. */
  readonly claimed?: (address: string, hardware: string) => void;
  /** A packet could not be sent, or the socket not be read; told once until it works again. */
  readonly failed?: (reason: string) => void;
  /** Time between two looks for foreign claims, `LISTEN_PAUSE_MS` unless given; `null`: the caller calls `listen`. */
  readonly listenPauseMs?: number | null;
  /** Hardware addresses whose claims never count: our other interfaces, a router with proxy ARP. */
  readonly ignore?: readonly string[];
}

const realSeams: AnnouncerSeams = {
  now: monotonicMs,
  setTimer: (run, delayMs) => setTimeout(run, delayMs),
  clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  random: Math.random,
};

export class Announcer {
  readonly #ignored: ReadonlySet<string>;
  /** By purpose; one of each at most. */
  readonly #timers = new Map<"speak" | "again" | "listen", unknown>();
  #lastAgainMs = -Infinity;
  /** What failed last time: told once, not every time. */
  readonly #failing = new Set<"announce" | "listen">();

  constructor(
    readonly neighbours: Neighbours,
    readonly options: AnnouncerOptions,
    readonly seams: AnnouncerSeams = realSeams,
  ) {
    this.#ignored = new Set(options.ignore?.map((hardware) => hardware.toLowerCase()));
  }

  /** Announces before it returns, then on its own. Called again, begins anew. */
  start(): void {
    this.stop();
    this.#attempt("listen", () => this.neighbours.listenFor(this.options.address));
    const startedMs = this.seams.now();
    this.#speakFrom(0, startedMs);
    this.#listen();
  }

  /** Announces out of turn: at once, or as soon as the limit on such announcements allows. */
  again(): void {
    if (this.#timers.has("again")) return;
    const waitMs = this.#lastAgainMs + AGAIN_PAUSE_MS - this.seams.now();
    if (waitMs <= 0) this.#answer();
    else this.#schedule("again", waitMs, () => this.#answer());
  }

  /** Looks for foreign claims now; also done regularly after a start. */
  listen(): void {
    this.#attempt("listen", () => {
      for (const claim of this.neighbours.poll()) {
        // A probe asks for the address before taking it: the peers' own question to the wire looks like that.
        if (claim.address !== this.options.address || claim.kind === "probe") continue;
        if (this.#ignored.has(claim.hardware.toLowerCase()) || !this.options.isHeld()) continue;
        this.again();
        this.options.claimed?.(claim.address, claim.hardware);
      }
    });
  }

  /** Falls silent. May be started again. */
  stop(): void {
    for (const timer of this.#timers.values()) this.seams.clearTimer(timer);
    this.#timers.clear();
  }

  close(): void {
    this.stop();
    this.neighbours.close();
  }

  #speakFrom(step: number, startedMs: number): void {
    this.#announce();
    const nextMs = ANNOUNCE_AT_MS[step + 1];
    if (nextMs !== undefined) {
      const delayMs = Math.max(0, startedMs + nextMs - this.seams.now());
      this.#schedule("speak", delayMs, () => this.#speakFrom(step + 1, startedMs));
    } else this.#scheduleRefresh();
  }

  #scheduleRefresh(): void {
    if (this.options.refreshMs <= 0) return;
    const delayMs = this.options.refreshMs * (1 + REFRESH_JITTER * (2 * this.seams.random() - 1));
    this.#schedule("speak", delayMs, () => {
      this.#announce();
      this.#scheduleRefresh();
    });
  }

  #listen(): void {
    const { listenPauseMs = LISTEN_PAUSE_MS } = this.options;
    if (listenPauseMs === null) return;
    this.#schedule("listen", listenPauseMs, () => {
      this.#listen();
      this.listen();
    });
  }

  #answer(): void {
    this.#lastAgainMs = this.seams.now();
    this.#announce();
  }

  /** Some switches and hosts heed only ARP requests, others only replies: both, always. IPv6 has one form. */
  #announce(): void {
    const { address, isHeld } = this.options;
    const forms = address.includes(":") ? ["reply"] as const : ["request", "reply"] as const;
    this.#attempt("announce", () => {
      for (const form of forms) if (isHeld()) this.neighbours.announce(address, form);
    });
  }

  #schedule(purpose: "speak" | "again" | "listen", delayMs: number, run: () => void): void {
    const timer = this.seams.setTimer(() => {
      this.#timers.delete(purpose);
      run();
    }, delayMs);
    this.#timers.set(purpose, timer);
  }

  #attempt(what: "announce" | "listen", act: () => void): void {
    try {
      act();
      this.#failing.delete(what);
    } catch (error) {
      if (this.#failing.has(what)) return;
      this.#failing.add(what);
      this.options.failed?.(error instanceof Error ? error.message : String(error));
    }
  }
}

/**
 * The announcer of a virtual address on its interface; `null` where nobody is there to be told (a loopback interface).
 * Throws a SystemError where the socket cannot be opened.
 */
export function openAnnouncer(
  spec: VipSpec,
  link: LinkInfo,
  options: Omit<AnnouncerOptions, "address" | "refreshMs">,
): Announcer | null {
  if (!link.hasNeighbours) return null;
  const neighbours = NeighbourSocket.open(link, spec.family);
  return new Announcer(neighbours, { ...options, address: spec.address, refreshMs: spec.announceRefreshMs });
}
