/** The small sections of heartline.yaml: `arbiters`, `takeover`, `process`, and the defaults under `vip`. */

import type {
  ArbiterSettings,
  JournalSettings,
  ProcessSettings,
  Settings,
  UnreachablePolicy,
} from "../../core/settings.ts";
import { parseAddress } from "../text/addresses.ts";
import * as defaults from "../defaults.ts";
import { parseDuration } from "../durations.ts";
import type { Parsed, Places } from "../problem.ts";
import {
  addressHint,
  parseAnnounceRefresh,
  parseDuplicateCheck,
  parseLease,
  type VipDefaults,
  vipDefaults,
} from "../vip_spec.ts";
import type { Value, YamlReader } from "./reader.ts";

const laterArbiter = `the arbiter of this version is "ping": [ADDRESS, …]`;
const laterArbiters = { disk: laterArbiter, lock: laterArbiter, etcd: laterArbiter, http: laterArbiter };
const policyHint = "write release, hold or {hold-for: 30s}";

export function readArbiters(reader: YamlReader, value: Value, places: Places): ArbiterSettings[] {
  const arbiters: ArbiterSettings[] = [];
  for (const item of reader.list(value, `"arbiters"`)) {
    const entries = reader.mapping(item, {
      what: "an arbiter",
      keys: ["ping", "name", "on-unreachable"],
      required: ["ping"],
      refused: laterArbiters,
    });
    const ping = entries?.get("ping");
    const nameEntry = entries?.get("name");
    if (ping === undefined) continue;
    const name = (nameEntry && reader.text(nameEntry.value, `"name"`)) ??
      (arbiters.length === 0 ? "ping" : `ping-${arbiters.length + 1}`);
    if (arbiters.some((arbiter) => arbiter.name === name)) {
      reader.findings.error(
        nameEntry?.value.span ?? item.span,
        "duplicate-name",
        `the arbiter "${name}" stands twice`,
        "give it another name",
      );
    }
    const targets = readTargets(reader, ping.value);
    const onUnreachable = readPolicy(reader, entries?.get("on-unreachable")?.value);
    places.set(["arbiters", arbiters.length], reader.findings.place(item.span));
    arbiters.push({ kind: "ping", name, targets, onUnreachable });
  }
  return arbiters;
}

function readTargets(reader: YamlReader, value: Value): string[] {
  const items = reader.isList(value) ? reader.list(value, `"ping"`) : [value];
  if (items.length === 0) {
    reader.findings.error(
      value.span,
      "missing-value",
      `"ping" has no address`,
      "name a router or another host that is always there",
    );
  }
  const targets: string[] = [];
  for (const item of items) {
    const target = reader.parsed(item, "a reference address", parseTarget);
    if (target !== null && !targets.includes(target)) targets.push(target);
  }
  return targets;
}

function parseTarget(text: string): Parsed<string> {
  const address = parseAddress(text);
  if (address !== null) return { ok: true, value: address.text };
  return { ok: false, message: `"${text}" is not an IP address`, hint: addressHint(text) };
}

function readPolicy(reader: YamlReader, value: Value | undefined): UnreachablePolicy {
  if (value === undefined) return { kind: "release" };
  if (reader.isMapping(value)) {
    const what = `"on-unreachable"`;
    const entry = reader.mapping(value, { what, keys: ["hold-for"], required: ["hold-for"] })?.get(
      "hold-for",
    );
    const ms = entry && reader.duration(entry.value, `"hold-for"`, 0);
    return ms === null || ms === undefined ? { kind: "release" } : { kind: "hold-for", ms };
  }
  return reader.parsed(value, `"on-unreachable"`, parsePolicy) ?? { kind: "release" };
}

function parsePolicy(text: string): Parsed<UnreachablePolicy> {
  if (text === "release" || text === "hold") return { ok: true, value: { kind: text } };
  const after = /^hold-for[ :]+(.+)$/.exec(text)?.[1];
  const parsed = after === undefined ? null : parseDuration(after, "yaml");
  if (parsed?.ok) return { ok: true, value: { kind: "hold-for", ms: parsed.value } };
  return { ok: false, message: `"${text}" is not known`, hint: policyHint };
}

export type TakeoverSettings = Pick<Settings, "takeoverDelayMs" | "takeoverConfirm" | "ignoreAnswersFrom">;

export function readTakeover(reader: YamlReader, value: Value | undefined): TakeoverSettings {
  const keys = ["delay", "confirm", "ignore-answers-from"];
  const refused = {
    fence: "fencing is a section of its own, beside this one",
    fencing: "it is a section of its own, beside this one",
  };
  const entries = value && reader.mapping(value, { what: `"takeover"`, keys, refused });
  const [delay, confirm, ignored] = keys.map((key) => entries?.get(key));
  const ignoreAnswersFrom: string[] = [];
  for (const item of ignored === undefined ? [] : reader.list(ignored.value, `"ignore-answers-from"`)) {
    const address = reader.parsed(item, "a hardware address", parseHardwareAddress);
    if (address !== null) ignoreAnswersFrom.push(address);
  }
  return {
    takeoverDelayMs: (delay && reader.duration(delay.value, `"delay"`, 0)) ?? 0,
    takeoverConfirm: (confirm && reader.boolean(confirm.value, `"confirm"`)) ?? false,
    ignoreAnswersFrom,
  };
}

function parseHardwareAddress(text: string): Parsed<string> {
  const plain = text.toLowerCase().replaceAll("-", ":");
  if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5,19}$/.test(plain)) return { ok: true, value: plain };
  return { ok: false, message: `"${text}" is not a hardware address`, hint: "write it as 02:00:5e:10:00:01" };
}

export function readProcess(reader: YamlReader, value: Value | undefined): ProcessSettings {
  const keys = [
    "realtime",
    "realtime-priority",
    "state-directory",
    "control-socket",
    "log-file",
    "journal",
    "environment",
    "script-directories",
  ];
  const refused = { watchdog: "remove it: this version feeds no watchdog" };
  const entries = value && reader.mapping(value, { what: `"process"`, keys, refused });
  const [realtime, priority, state, socket, log, journal, environment, scripts] = keys.map((key) =>
    entries?.get(key)
  );
  const path = (entry: { value: Value } | undefined, name: string) =>
    entry && reader.parsed(entry.value, `"${name}"`, parsePath);
  const standard = defaults.processSettings;
  return {
    realtime: (realtime && reader.boolean(realtime.value, `"realtime"`)) ?? standard.realtime,
    realtimePriority: (priority && reader.integer(priority.value, `"realtime-priority"`, 1, 99)) ??
      standard.realtimePriority,
    stateDirectory: path(state, "state-directory") ?? standard.stateDirectory,
    controlSocket: path(socket, "control-socket") ?? standard.controlSocket,
    logFile: path(log, "log-file") ?? standard.logFile,
    journal: journal === undefined ? standard.journal : readJournal(reader, journal.value),
    environment: environment === undefined ? {} : readEnvironment(reader, environment.value),
    scriptDirectories: scripts === undefined ? standard.scriptDirectories : reader
      .list(scripts.value, `"script-directories"`)
      .map((item) => reader.parsed(item, "a directory", parsePath))
      .filter((directory) => directory !== null),
  };
}

/** `off`, `on`, or where and how large. */
function readJournal(reader: YamlReader, value: Value): JournalSettings | null {
  const standard = defaults.processSettings.journal!;
  if (!reader.isMapping(value)) return reader.boolean(value, `"journal"`) === false ? null : standard;
  const entries = reader.mapping(value, { what: `"journal"`, keys: ["file", "size"] });
  const [file, size] = ["file", "size"].map((key) => entries?.get(key));
  return {
    file: (file && reader.parsed(file.value, `"file"`, parsePath)) ?? standard.file,
    bytesMax: (size && reader.parsed(size.value, `"size"`, parseSize)) ?? standard.bytesMax,
  };
}

/** Too small a journal would not hold the beginning of a run for a minute. */
const journalBytesMin = 1024 * 1024;
const journalBytesMax = 16 * 1024 ** 3;

function parseSize(text: string): Parsed<number> {
  const hint = "write 64M, 1G or a number of bytes, from 1M to 16G";
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text);
  if (match === null) return { ok: false, message: `"${text}" is not a size`, hint };
  const power = ["", "k", "m", "g"].indexOf(match[2]!.toLowerCase());
  const bytes = Math.round(Number(match[1]) * 1024 ** power);
  if (bytes < journalBytesMin || bytes > journalBytesMax) {
    return { ok: false, message: `"${text}" is out of bounds`, hint };
  }
  return { ok: true, value: bytes };
}

function readEnvironment(reader: YamlReader, value: Value): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { key, value: entry } of reader.openMapping(value, `"environment"`)?.values() ?? []) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key.value)) {
      reader.findings.error(
        key.span,
        "bad-name",
        `"${key.value}" cannot name a variable`,
        "letters, digits and _",
      );
      continue;
    }
    const text = reader.text(entry, `"${key.value}"`);
    if (text !== null) Object.defineProperty(environment, key.value, { value: text, enumerable: true });
  }
  return environment;
}

export function parsePath(text: string): Parsed<string> {
  if (/^\/./.test(text) && !text.includes("\0")) return { ok: true, value: text };
  return { ok: false, message: `"${text}" is not an absolute path`, hint: "begin it with /" };
}

/** What every vip gets unless it says otherwise, and whether IPaddr scripts are used where they exist. */
export function readVipDefaults(
  reader: YamlReader,
  value: Value | undefined,
  auto: number,
): { vip: VipDefaults; nativeVip: boolean } {
  const keys = ["native", "lease", "duplicate-check", "announce-refresh"];
  const entries = value && reader.mapping(value, { what: `"vip"`, keys });
  const [native, lease, check, refresh] = keys.map((key) => entries?.get(key));
  const leaseSeconds = lease && reader.parsed(lease.value, `"lease"`, (text) => parseLease(text, auto));
  return {
    vip: {
      leaseSeconds: leaseSeconds === undefined ? auto : leaseSeconds,
      autoLeaseSeconds: auto,
      duplicateCheckMs: (check && reader.parsed(check.value, `"duplicate-check"`, parseDuplicateCheck)) ??
        vipDefaults.duplicateCheckMs,
      announceRefreshMs:
        (refresh && reader.parsed(refresh.value, `"announce-refresh"`, parseAnnounceRefresh)) ??
          vipDefaults.announceRefreshMs,
    },
    nativeVip: (native && reader.boolean(native.value, `"native"`)) ?? true,
  };
}
