/** What can happen in a scenario, by the word for it: each reads its value and gives faults with their opposites. */

import type { Value } from "../../config/yaml/reader.ts";
import type { Fault } from "../faults.ts";
import { fenceResults, goodFence } from "../fence_devices.ts";
import { goodScript, type ScriptBehaviour } from "../scripts.ts";
import { goodArbiter } from "../service_network.ts";
import type { Cast } from "./cast.ts";
import { parseDuration } from "../../config/durations.ts";
import type { Parsed } from "../../config/problem.ts";
import { parseShare, parseShift } from "./words.ts";
import { qualityKeys, readQuality } from "./world.ts";

export interface Change {
  readonly fault: Fault;
  /** What ends it; `null`: it is over at once, or lasts until something else happens. */
  readonly undo: Fault | null;
}

/** `more`: keys that the caller reads himself. */
type Action = (cast: Cast, value: Value, more?: readonly string[]) => Change[];

interface Paths {
  readonly from: string | null;
  readonly medium: string | null;
  readonly to: string | null;
}

const pathKeys = ["link", "from", "to", "between"];

export const actions: Readonly<Record<string, Action>> = {
  /** `cut: hb0`, `cut: all`, `cut: [hb0, hb1]`, `cut: {link: hb0, from: n1, to: n2}`, `cut: {between: [n1, n2]}`. */
  cut: (cast, value, more = []) => paths(cast, value, more).map((each) => cutOf(each)),
  /** A rule that drops in one direction; both ends must be named. */
  firewall: (cast, value) => {
    const required = ["from", "to"];
    const shape = { what: `"firewall"`, keys: ["link", "from", "to"], required };
    if (cast.reader.mapping(value, shape) === null) return [];
    return paths(cast, value).map((each) => cutOf(each));
  },
  heal: (cast, value) => {
    const isWord = !cast.reader.isMapping(value) && !cast.reader.isList(value);
    const kinds = isWord ? healed[cast.reader.text(value, `"heal"`) ?? ""] : undefined;
    if (kinds !== undefined) return kinds.map((kind) => lasting({ kind }));
    return paths(cast, value).map((each) => lasting({ kind: "restore-link", ...each }));
  },
  /** Links become worse: the keys of `network` beside `link`, `from` and `to`. */
  degrade: (cast, value) => {
    const entries = cast.reader.mapping(value, { what: `"degrade"`, keys: [...pathKeys, ...qualityKeys] });
    if (entries === null) return [];
    const quality = readQuality(cast, entries);
    return paths(cast, value, qualityKeys).map((each) => ({
      fault: { kind: "link", ...each, quality },
      undo: { kind: "restore-link", ...each },
    }));
  },
  crash: nodes("kill", "start"),
  start: nodes("start", null),
  pause: nodes("pause", "resume"),
  resume: nodes("resume", null),
  freeze: nodes("freeze", "thaw"),
  thaw: nodes("thaw", null),
  "power-off": nodes("power-off", "power-on"),
  "power-on": nodes("power-on", null),
  blind: nodes("blind", null),
  /** `service-network: {n1: left, n2: none}`: who is on which segment; `none` is a pulled cable. */
  "service-network": (cast, value) =>
    [...cast.reader.openMapping(value, `"service-network"`)?.values() ?? []].flatMap((entry) => {
      const node = cast.node(entry.key.value, entry.key.span);
      const name = cast.reader.text(entry.value, "a segment");
      if (node === null || name === null) return [];
      const segment = cast.segment(name);
      return [{
        fault: { kind: "segment", node, segment, name },
        undo: { kind: "segment", node, segment: 0 },
      }];
    }),
  "service-loss": (cast, value) => {
    const lossRate = cast.reader.parsed(value, `"service-loss"`, parseShare(100));
    if (lossRate === null) return [];
    return [{ fault: { kind: "service-loss", lossRate }, undo: { kind: "service-loss", lossRate: 0 } }];
  },
  /**
   * `arbiter: left`: its segment; `none`: it is gone; `everywhere`: each segment has one. With more to say:
   * `arbiter: {segment: left, latency: 300ms, loss: 20%}`.
   */
  arbiter: readArbiter,
  /** `script: {node: n1, resource: db, stop: fails}`; an operation `works`, `fails`, `hangs` or takes a time. */
  script: readScript,
  /** `fencing: {device: ilo1, result: hangs}`, `lies`, `fails`, or `works` with `takes: 5s`; without device: all. */
  fencing: readFenceDevice,
  /** `cut-management: n2`, `{from: n2, to: ilo1}`, `all`: who does not reach which fence device. */
  "cut-management": readManagement,
  /** `reboots: {node: n1, result: fails}`: how the reboots end that a node orders for itself. */
  reboots: (cast, value) => {
    const shape = { what: `"reboots"`, keys: ["node", "result", "takes"], required: ["node"] };
    const entries = cast.reader.mapping(value, shape);
    const [node, result, takes] = shape.keys.map((key) => entries?.get(key)?.value);
    const isVain = result !== undefined &&
      cast.reader.choice(result, `"result"`, ["works", "fails"]) === "fails";
    const afterMs = (takes && cast.reader.duration(takes, `"takes"`, 0)) ?? 0;
    return (node === undefined ? [] : cast.names(node, "a node", "node")).map((name) => ({
      fault: { kind: "reboots", node: name, behaviour: { isVain, afterMs } },
      undo: { kind: "reboots", node: name, behaviour: { isVain: false, afterMs: 0 } },
    }));
  },
  /** `clock: {n1: -1h}`: the wall clock jumps. */
  clock: (cast, value) =>
    [...cast.reader.openMapping(value, `"clock"`)?.values() ?? []].flatMap((entry) => {
      const node = cast.node(entry.key.value, entry.key.span);
      const byMs = cast.reader.parsed(entry.value, "a jump", parseShift);
      return node === null || byMs === null ? [] : [lasting({ kind: "clock", node, byMs })];
    }),
  /** Somebody removes an address by hand. */
  "remove-address": (cast, value) => {
    const entries = cast.reader.mapping(value, {
      what: `"remove-address"`,
      keys: ["node", "group"],
      required: ["node"],
    });
    const node = entries?.get("node");
    if (entries === null || node === undefined) return [];
    const group = cast.groupOf(entries.get("group"), value.span);
    const names = cast.names(node.value, "a node", "node");
    return group === null ? [] : names.map((name) => lasting({ kind: "remove-address", node: name, group }));
  },
  /** Somebody who recorded packets sends one again; `age` from 0% (the latest) to 100% (the oldest that is kept). */
  replay: (cast, value) => {
    const keys = ["to", "age"];
    const entries = cast.reader.mapping(value, { what: `"replay"`, keys, required: keys });
    const [to, age] = keys.map((key) => entries?.get(key)?.value);
    if (to === undefined || age === undefined) return [];
    const share = cast.reader.parsed(age, `"age"`, parseShare(100));
    return share === null
      ? []
      : cast.names(to, "a node", "node").map((name) => lasting({ kind: "replay", to: name, age: share }));
  },
};

type Heal = "heal-links" | "heal-service" | "heal-scripts" | "heal-fencing";

/** What `heal` takes beside links. */
const healed: Readonly<Record<string, readonly Heal[]>> = {
  everything: ["heal-links", "heal-service", "heal-scripts", "heal-fencing"],
  service: ["heal-service"],
  scripts: ["heal-scripts"],
  fencing: ["heal-fencing"],
};

function readFenceDevice(cast: Cast, value: Value): Change[] {
  const { reader } = cast;
  const shape = { what: `"fencing"`, keys: ["device", "result", "takes"] };
  const entries = reader.mapping(value, shape);
  const [device, result, takes] = shape.keys.map((key) => entries?.get(key)?.value);
  const devices = allOr(cast, device, "device");
  const chosen = result && reader.choice(result, `"result"`, fenceResults);
  const takesMs = (takes && reader.duration(takes, `"takes"`, 1)) ?? null;
  const behaviour = takesMs === null && (chosen ?? "works") === "works"
    ? null
    : { result: chosen ?? "works", takesMs: takesMs ?? goodFence.takesMs };
  return devices.length === 0 ? [] : [{
    fault: { kind: "fence-device", devices, behaviour },
    undo: { kind: "fence-device", devices, behaviour: null },
  }];
}

function readManagement(cast: Cast, value: Value): Change[] {
  const { reader } = cast;
  const shape = { what: `"cut-management"`, keys: ["from", "to"] };
  const entries = reader.isMapping(value) ? reader.mapping(value, shape) : null;
  const nodes = allOr(cast, reader.isMapping(value) ? entries?.get("from")?.value : value, "node");
  const devices = allOr(cast, entries?.get("to")?.value, "device");
  const change = (isCut: boolean): Fault => ({ kind: "management", nodes, devices, isCut });
  return [{ fault: change(true), undo: change(false) }];
}

/** A name or a list of them; `all`, or nothing said, is every one. */
function allOr(cast: Cast, value: Value | undefined, known: "node" | "device"): readonly string[] {
  const all = known === "node" ? cast.nodes : cast.devices;
  if (value === undefined) return all;
  const isAll = !cast.reader.isList(value) && cast.reader.text(value, `a ${known}`) === "all";
  return isAll ? all : cast.names(value, `a ${known}`, known);
}

function readArbiter(cast: Cast, value: Value): Change[] {
  const { reader } = cast;
  const keys = ["segment", "latency", "loss"];
  const entries = reader.isMapping(value) ? reader.mapping(value, { what: `"arbiter"`, keys }) : null;
  const [segment, latency, loss] = keys.map((key) => entries?.get(key)?.value);
  const changes: Change[] = [];
  const place = reader.isMapping(value) ? segment : value;
  const name = place === undefined ? null : reader.text(place, `"arbiter"`);
  if (name !== null) {
    const segment = name === "everywhere" ? "all" : cast.segment(name);
    changes.push({
      fault: { kind: "arbiter-segment", segment, name },
      undo: { kind: "arbiter-segment", segment: 0 },
    });
  }
  if (latency !== undefined || loss !== undefined) {
    const latencyMs = (latency && reader.duration(latency, `"latency"`, 0)) ?? goodArbiter.latencyMs;
    const lossRate = (loss && reader.parsed(loss, `"loss"`, parseShare(100))) ?? 0;
    changes.push({
      fault: { kind: "arbiter-quality", quality: { latencyMs, lossRate } },
      undo: { kind: "arbiter-quality", quality: goodArbiter },
    });
  }
  return changes;
}

function lasting(fault: Fault): Change {
  return { fault, undo: null };
}

function cutOf(each: Paths): Change {
  return {
    fault: { kind: "link", ...each, quality: { isCut: true } },
    undo: { kind: "restore-link", ...each },
  };
}

function nodes(
  kind: "kill" | "start" | "pause" | "resume" | "freeze" | "thaw" | "power-off" | "power-on" | "blind",
  undo: "start" | "resume" | "thaw" | "power-on" | null,
): Action {
  return (cast, value) =>
    cast.names(value, "a node", "node").map((node) => ({
      fault: { kind, node },
      undo: undo === null ? null : { kind: undo, node },
    }));
}

/** The directed paths that an event is about. */
function paths(cast: Cast, value: Value, more: readonly string[] = []): Paths[] {
  const { reader } = cast;
  if (!reader.isMapping(value)) return links(cast, value).map((medium) => ({ from: null, medium, to: null }));
  const entries = reader.mapping(value, { what: "the choice of links", keys: [...pathKeys, ...more] });
  const [link, from, to, between] = pathKeys.map((key) => entries?.get(key)?.value);
  const media = link === undefined ? [null] : links(cast, link);
  const one = (end: Value | undefined) => end === undefined ? [null] : cast.names(end, "a node", "node");
  const ends: [string | null, string | null][] = [];
  if (between === undefined) {
    for (const sender of one(from)) for (const receiver of one(to)) ends.push([sender, receiver]);
  } else {
    const names = cast.names(between, "a node", "node");
    for (const sender of names) {
      for (const receiver of names) if (sender !== receiver) ends.push([sender, receiver]);
    }
  }
  return media.flatMap((medium) =>
    ends.map(([sender, receiver]) => ({ from: sender, medium, to: receiver }))
  );
}

/** Names of links; `all` is every one. */
function links(cast: Cast, value: Value): (string | null)[] {
  const isAll = !cast.reader.isList(value) && cast.reader.text(value, "a link") === "all";
  return isAll ? [null] : cast.names(value, "a link", "link");
}

const operations = ["start", "stop", "monitor"] as const;

function readScript(cast: Cast, value: Value): Change[] {
  const { reader } = cast;
  const keys = ["node", "group", "resource", ...operations];
  const entries = reader.mapping(value, { what: `"script"`, keys, required: ["resource"] });
  const resource = entries?.get("resource");
  if (entries === null || resource === undefined) return [];
  const group = cast.groupOf(entries.get("group"), value.span);
  const node = entries.get("node");
  const names = node === undefined ? cast.nodes : cast.names(node.value, "a node", "node");
  const id = reader.text(resource.value, `"resource"`);
  const index = group === null || id === null ? null : cast.resource(group, id, resource.value.span);
  if (group === null || index === null) return [];
  let behaviour: ScriptBehaviour = goodScript;
  for (const operation of operations) {
    const entry = entries.get(operation);
    const found = entry && reader.parsed(entry.value, `"${operation}"`, parseBehaviour);
    if (found === "fails") behaviour = { ...behaviour, fails: [...behaviour.fails, operation] };
    else if (found === "hangs") behaviour = { ...behaviour, hangs: [...behaviour.hangs, operation] };
    else if (typeof found === "number") behaviour = { ...behaviour, [`${operation}Ms`]: found };
  }
  return names.map((name) => ({
    fault: { kind: "script", node: name, group, resource: index, behaviour },
    undo: { kind: "script", node: name, group, resource: index, behaviour: goodScript },
  }));
}

function parseBehaviour(text: string): Parsed<"works" | "fails" | "hangs" | number> {
  if (text === "works" || text === "fails" || text === "hangs") return { ok: true, value: text };
  const parsed = parseDuration(text, "yaml");
  if (parsed.ok) return parsed;
  return {
    ok: false,
    message: `"${text}" is neither an end nor a length of time`,
    hint: "write works, fails, hangs or 3s",
  };
}
