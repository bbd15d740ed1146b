/**
 * The daemon, `heartline peer`: reads the settings, claims this machine, opens everything, and drives the core until
 * it has handed over what it holds. Returns the exit code.
 */

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { settingsHash, unprotectedSentences } from "../config/checks.ts";
import type { ReportEffect } from "../core/effects.ts";
import type { Settings } from "../core/settings.ts";
import { journalFormat, withoutSecrets } from "../core/journal/format.ts";
import { ClusterNode } from "../core/node.ts";
import { instant } from "../core/instant.ts";
import { clamp } from "../core/limits.ts";
import { Prng } from "../core/prng.ts";
import type { NodeView } from "../core/view.ts";
import { EnvironmentError } from "../errors.ts";
import { PingArbiter } from "../arbiters/ping.ts";
import type { Medium } from "../media/medium.ts";
import { createMedia } from "../media/registry.ts";
import { systemVipParts } from "../resources/vip_runner.ts";
import { WireAsker } from "../system/ask_wire.ts";
import { monotonicMs } from "../system/clock.ts";
import { acquireLock } from "../system/lock_file.ts";
import { Netlink } from "../system/netlink.ts";
import { lockMemory, ProcessRealtime, protectFromOom } from "../system/privileges.ts";
import { notifySystemd, watchdogIntervalMs } from "../system/sd_notify.ts";
import { version } from "../version.ts";
import { type ControlServer, openControlServer } from "./control_server.ts";
import { Driver } from "./driver.ts";
import type { Fencing } from "./fencing.ts";
import { SystemHands } from "./hands.ts";
import { Journal } from "./journal.ts";
import type { LinkAsker } from "./link_asker.ts";
import { Messenger } from "./messenger.ts";
import { Neighbours } from "./neighbours.ts";
import { type PeerOptions, readPeerSettings } from "./peer_settings.ts";
import { openReports } from "./reports.ts";
import { rebootMachine } from "./self_reboot.ts";
import { StateFiles } from "./state_files.ts";
import { Vips } from "./vips.ts";

/** Where a Heartbeat daemon keeps generation and UUID; read so that a node that moves over goes on counting. */
const legacyStateDirectory = "/var/lib/heartbeat";

/** How long the end of the daemon waits for a disk that hangs. */
const stateLimitMs = 1_000;

/**
 * Questions to an arbiter per heartbeat. Lower: two lost packets make the last node of a cluster give up what it holds.
 * Higher: more traffic and work for nothing.
 */
const asksPerKeepalive = 3;

/** How soon a thread that the runtime makes later gets the daemon's priority too. */
const raiseThreadsMs = 1_000;

export async function runPeer(options: PeerOptions): Promise<number> {
  const { settings, node, warnings } = await readPeerSettings(options);
  const peer = new PeerProcess(settings, node, options.haDirectory !== undefined);
  for (const warning of warnings) peer.note("warning", "configuration", warning);
  return await peer.run();
}

class PeerProcess {
  readonly #reports;
  readonly #closers: (() => void | Promise<void>)[] = [];
  #media: readonly Medium[] = [];
  #driver: Driver | null = null;
  #end: (code: number) => void = () => {};

  constructor(readonly settings: Settings, readonly node: string, readonly isFromHaDirectory: boolean) {
    this.#reports = openReports({ logFile: settings.process.logFile });
    this.#closers.push(() => this.#reports.close());
  }

  note(level: ReportEffect["level"], code: string, sentence: string): void {
    this.#reports.write({ kind: "report", level, code, sentence, fields: {} });
  }

  async run(): Promise<number> {
    const ended = new Promise<number>((resolve) => this.#end = resolve);
    try {
      this.#claimMachine();
      this.#askPrivileges();
      await this.#start();
      const signals = this.#listenToSignals();
      const code = await ended;
      signals();
      return code;
    } finally {
      this.#driver?.close();
      for (const close of this.#closers.reverse()) await close();
    }
  }

  /** One daemon a machine: two would fight over the same addresses. */
  #claimMachine(): void {
    const path = `${this.settings.process.controlSocket}.lock`;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    } catch (cause) {
      throw new EnvironmentError(
        `Cannot create "${dirname(path)}": ${cause}; run as root, or set --socket`,
        77,
        {
          cause,
        },
      );
    }
    const lock = acquireLock(path);
    if (lock.kind === "held") {
      const holder = lock.pid === null ? "another process" : `process ${lock.pid}`;
      throw new EnvironmentError(
        `Cannot start: a daemon runs here already (${holder} holds "${path}"); see heartline status, or stop it first`,
      );
    }
    this.#closers.push(() => lock.release());
  }

  #askPrivileges(): void {
    const { realtime, realtimePriority } = this.settings.process;
    const grants = [lockMemory(), protectFromOom()];
    if (realtime) {
      const threads = new ProcessRealtime(realtimePriority);
      grants.push(threads.raise());
      const timer = setInterval(() => threads.raise(), raiseThreadsMs);
      this.#closers.push(() => clearInterval(timer));
    }
    const refused = grants.filter(({ granted }) => !granted).map(({ reason }) => reason);
    if (refused.length > 0) {
      this.note("info", "privileges", `not granted, working without: ${refused.join("; ")}`);
    }
  }

  async #start(): Promise<void> {
    const { settings } = this;
    const legacy = this.isFromHaDirectory && existsSync(legacyStateDirectory) ? legacyStateDirectory : null;
    const state = new StateFiles(settings.process.stateDirectory, legacy);
    this.#closers.push(() => state.close(stateLimitMs));
    const identity = {
      node: this.node,
      version,
      generation: state.generation,
      settingsHash: settingsHash(settings),
      keptEpochs: state.epochs,
      unprotected: unprotectedSentences(settings),
    };
    const seed = randomBytes(6).readUIntBE(0, 6);
    const node = new ClusterNode(settings, identity, new Prng(seed));
    const journal = this.#openJournal(node, seed);
    const media = this.#media = createMedia(settings.media);
    const neighbours = Neighbours.open(settings, this.node, state.generation);
    this.#closers.push(() => neighbours.close());
    const messenger = new Messenger(
      settings,
      { node: this.node, generation: state.generation, uuid: state.uuid },
      media,
      (input) => this.#driver?.input(input),
      (statement, lastSent) => neighbours.hear(statement, lastSent),
    );
    const addresses = this.#openAddresses();
    const fencing = await this.#openFencing();
    const hands = new SystemHands({
      settings,
      node: this.node,
      messenger,
      vips: addresses?.vips ?? null,
      asker: addresses?.asker ?? null,
      fencing,
      state,
      report: (report) => this.#reports.write(report),
      event: (event, atMs) => this.#reports.event(event, atMs),
      beaten: this.#watchdog(messenger),
      exit: () => this.#end(0),
      reboot: rebootMachine,
    });
    const driver = new Driver(node, hands, (now, input, effects) => journal?.step(now, input, effects));
    this.#driver = driver;
    hands.input = (input) => driver.input(input);
    this.note("info", "start", `heartline ${version} starts on ${this.node}, generation ${state.generation}`);

    const control = await this.#openControl(driver, fencing, messenger.asker);
    this.#closers.push(() => control.close());
    this.#closers.push(() => messenger.close());
    await messenger.open();
    addresses?.vips.open();
    driver.input({ kind: "start" });
    await this.#openArbiters(driver);
    await this.#openPingMembers(driver);
    fencing?.open();
    notifySystemd(`READY=1\nSTATUS=${this.node} is running`);
  }

  /** Addresses, and the questions about them; `null` without any in the settings. */
  #openAddresses(): { vips: Vips; asker: WireAsker | null } | null {
    if (!this.settings.groups.some(({ resources }) => resources.some(({ spec }) => spec.kind === "vip"))) {
      return null;
    }
    const table = Netlink.open();
    this.#closers.push(() => table.close());
    const vips = new Vips(
      this.settings,
      table,
      systemVipParts(table),
      (input) => this.#driver?.input(input),
      (sentence) => this.note("warning", "address", sentence),
    );
    this.#closers.push(() => vips.close());
    try {
      const asker = new WireAsker();
      this.#closers.push(() => asker.close());
      return { vips, asker };
    } catch (error) {
      this.note("warning", "wire-blind", `cannot ask the service network: ${error}`);
      return { vips, asker: null };
    }
  }

  /** `null`: none is wanted, or it cannot be written, which is said and keeps nothing else from working. */
  #openJournal(node: ClusterNode, seed: number): Journal | null {
    const { journal: wanted, stateDirectory } = this.settings.process;
    if (wanted === null) return null;
    const file = wanted.file ?? `${stateDirectory}/journal`;
    const failed = (reason: string) =>
      this.note("warning", "journal", `the journal "${file}" is written no more: ${reason}`);
    try {
      const settings = withoutSecrets(this.settings);
      const head = { journal: journalFormat, version, settings, seed, identity: node.identity };
      const groups = () =>
        node.keepers.map(({ name, epoch, machine }) => ({
          group: name,
          epoch,
          isHeld: machine.state === "running",
        }));
      const journal = new Journal({ file, bytesMax: wanted.bytesMax, groups, failed }, head);
      journal.begin(instant(monotonicMs()));
      this.#closers.push(() => journal.close());
      return journal;
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  /** `null`: the settings have none. */
  async #openFencing(): Promise<Fencing | null> {
    const { fencing: settings, alarmRepeatMs, timing: { keepaliveMs } } = this.settings;
    if (settings === null) return null;
    const { Fencing } = await import("./fencing.ts");
    const heardAgoMs = (node: string) =>
      this.#driver?.view().peers.find((peer) => peer.node === node)?.heardAgoMs ?? null;
    const report = (each: ReportEffect) => this.#reports.write(each);
    const fencing = new Fencing(settings, this.node, { report, heardAgoMs, keepaliveMs, alarmRepeatMs });
    this.#closers.push(() => void fencing.close());
    return fencing;
  }

  async #openControl(
    driver: Driver,
    fencing: Fencing | null,
    asker: LinkAsker,
  ): Promise<ControlServer> {
    return await openControlServer(this.settings.process.controlSocket, {
      view: () => ({ view: this.#withTraffic(fencing?.extend(driver.view()) ?? driver.view()), ageMs: 0 }),
      command: (command) => Promise.resolve(driver.command(command)),
      history: (scope) => scope === "cluster" ? this.#reports.clusterHistory() : this.#reports.history(),
      probe: async (link, question, waitMs) => {
        const found = await asker.ask(link, question, waitMs);
        if (found === null) return null;
        return { ...found, answer: { ...found.answer, others: [...found.answer.others] } };
      },
    });
  }

  #withTraffic(view: NodeView): NodeView {
    return {
      ...view,
      traffic: Object.fromEntries(this.#media.map(({ name, counters }) => [name, { ...counters }])),
    };
  }

  async #openArbiters(driver: Driver): Promise<void> {
    const { keepaliveMs, deadTimeMs } = this.settings.timing;
    const paceMs = clamp(Math.floor(deadTimeMs / 5), 10, keepaliveMs);
    for (const settings of this.settings.arbiters) {
      const arbiter = new PingArbiter(settings);
      this.#closers.push(() => arbiter.close());
      await arbiter.open(
        Math.max(10, Math.floor(paceMs / asksPerKeepalive)),
        (target, askedAtMs) =>
          driver.input({ kind: "arbiter", name: arbiter.name, target, askedAt: instant(askedAtMs) }),
        2 * paceMs,
      );
    }
  }

  async #openPingMembers(driver: Driver): Promise<void> {
    for (const settings of this.settings.pingMembers) {
      const member = new PingArbiter(settings);
      this.#closers.push(() => member.close());
      await member.open(
        this.settings.timing.keepaliveMs,
        (target, askedAtMs) =>
          driver.input({ kind: "ping", member: member.name, target, askedAt: instant(askedAtMs) }),
      );
    }
  }

  /** What is done with each heartbeat: refusals that were only counted, and the service manager's watchdog. */
  #watchdog(messenger: Messenger): () => void {
    const intervalMs = watchdogIntervalMs();
    return () => {
      messenger.flush();
      if (intervalMs !== null) notifySystemd("WATCHDOG=1");
    };
  }

  /** SIGTERM and SIGINT hand over; a second one ends at once. Returns what undoes it. */
  #listenToSignals(): () => void {
    let isLeaving = false;
    const leave = () => {
      if (isLeaving) return this.#end(1);
      isLeaving = true;
      notifySystemd("STOPPING=1");
      this.#driver?.command({ kind: "shutdown" });
    };
    const hangUp = () => {
      this.#reports.reopen();
      this.note(
        "info",
        "log-reopened",
        "log file reopened; settings are read at start only, a restart hands over",
      );
    };
    process.on("SIGTERM", leave);
    process.on("SIGINT", leave);
    process.on("SIGHUP", hangUp);
    return () => {
      process.off("SIGTERM", leave);
      process.off("SIGINT", leave);
      process.off("SIGHUP", hangUp);
    };
  }
}
