/**
 * The section `network` of a scenario and its neighbours: how good links are when nothing is wrong, which addresses
 * nodes have, how fast the service network is, when nodes start.
 */

import type { Value } from "../../config/yaml/reader.ts";
import { parseAddress } from "../../config/text/addresses.ts";
import { goodLink, jitterShapes, type LinkQuality } from "../link_quality.ts";
import { type FenceBehaviour, type FencePlace, goodFence } from "../fence_devices.ts";
import type { LinkAddresses } from "../wiring.ts";
import type { Cast } from "./cast.ts";
import { parseShare, parseSpeed } from "./words.ts";

export interface World {
  /** By link; one that is not named is good. */
  readonly links: Readonly<Record<string, LinkQuality>>;
  readonly addresses: LinkAddresses;
  readonly serviceLatencyMs: number;
  readonly serviceLossRate: number;
  /** By name; a fence device that is not named is good, on a network of its own. */
  readonly fenceDevices: Readonly<Record<string, FenceBehaviour & FencePlace>>;
  /** A node that is not named starts at 0. */
  readonly startAtMs: Readonly<Record<string, number>>;
}

/** Between two stations; a question's window is at least 10 ms. */
const serviceLatencyMs = 0.4;

export const plainWorld: World = {
  links: {},
  addresses: {},
  serviceLatencyMs,
  serviceLossRate: 0,
  fenceDevices: {},
  startAtMs: {},
};

export const qualityKeys = ["latency", "jitter", "loss", "burst", "duplicate", "reorder", "bandwidth"];

/** Sections of a scenario that make the world. */
export const worldKeys = ["network", "service-network", "fencing", "start"];

export function readWorld(cast: Cast, sections: ReadonlyMap<string, { readonly value: Value }>): World {
  const { reader } = cast;
  const network = sections.get("network");
  const service = sections.get("service-network");
  const links: Record<string, LinkQuality> = {};
  const addresses: Record<string, Record<string, string>> = {};
  for (
    const { key, value } of (network && reader.openMapping(network.value, `"network"`))?.values() ?? []
  ) {
    const names = key.value === "all"
      ? cast.links
      : [cast.link(key.value, key.span)].filter((name) => name !== null);
    const entries = reader.mapping(value, {
      what: `link "${key.value}"`,
      keys: [...qualityKeys, "addresses"],
    });
    const quality = { ...goodLink, ...readQuality(cast, entries ?? new Map()) };
    const own = entries?.get("addresses");
    for (const name of names) {
      links[name] = quality;
      if (own !== undefined) addresses[name] = readAddresses(cast, own.value);
    }
  }
  const entries = service &&
    reader.mapping(service.value, { what: `"service-network"`, keys: ["latency", "loss"] });
  const latency = entries?.get("latency");
  const loss = entries?.get("loss");
  return {
    links,
    addresses,
    serviceLatencyMs: (latency && reader.duration(latency.value, `"latency"`, 0)) ?? serviceLatencyMs,
    serviceLossRate: (loss && reader.parsed(loss.value, `"loss"`, parseShare(100))) ?? 0,
    fenceDevices: readFenceDevices(cast, sections.get("fencing")?.value),
    startAtMs: readStart(cast, sections.get("start")?.value),
  };
}

/** What is not said stays as it is. */
export function readQuality(
  { reader }: Cast,
  entries: ReadonlyMap<string, { readonly value: Value }>,
): Partial<LinkQuality> {
  const [latency, jitter, loss, burst, duplicate, reorder, bandwidth] = qualityKeys.map((key) =>
    entries.get(key)?.value
  );
  const share = (value: Value, what: string) => reader.parsed(value, what, parseShare(100)) ?? 0;
  return {
    ...(latency && { latencyMs: reader.duration(latency, `"latency"`, 0) ?? 0 }),
    ...(jitter && readJitter(reader, jitter)),
    ...(loss && { lossRate: share(loss, `"loss"`) }),
    ...(burst && { burst: readBurst(reader, burst) }),
    ...(duplicate && { copyRate: share(duplicate, `"duplicate"`) }),
    ...(reorder && { holdBack: readHoldBack(reader, reorder) }),
    ...(bandwidth && { bitsPerSecond: reader.parsed(bandwidth, `"bandwidth"`, parseSpeed) }),
  };
}

type Reader = Cast["reader"];

/** `2ms` (uniform) or `{normal: 2ms}`. */
function readJitter(
  reader: Reader,
  value: Value,
): Pick<LinkQuality, "jitterMs"> & Partial<Pick<LinkQuality, "jitterShape">> {
  if (!reader.isMapping(value)) return { jitterMs: reader.duration(value, `"jitter"`, 0) ?? 0 };
  const entries = reader.mapping(value, { what: `"jitter"`, keys: jitterShapes });
  const [first] = entries?.values() ?? [];
  if (first === undefined) return { jitterMs: 0 };
  const jitterShape = jitterShapes.find((shape) => shape === first.key.value) ?? "uniform";
  return { jitterMs: reader.duration(first.value, `"${jitterShape}"`, 0) ?? 0, jitterShape };
}

/** `{loss: 1%, packets: 5}`. */
function readBurst(reader: Reader, value: Value): LinkQuality["burst"] & object | null {
  const what = `"burst"`;
  const entries = reader.mapping(value, { what, keys: ["loss", "packets"], required: ["loss", "packets"] });
  const loss = entries?.get("loss");
  const packets = entries?.get("packets");
  if (loss === undefined || packets === undefined) return null;
  const lossRate = reader.parsed(loss.value, `"loss"`, parseShare(95));
  const meanPackets = reader.integer(packets.value, `"packets"`, 1, 100_000);
  return lossRate === null || meanPackets === null ? null : { lossRate, meanPackets };
}

/** `{share: 5%, by: 50ms}`. */
function readHoldBack(reader: Reader, value: Value): LinkQuality["holdBack"] & object | null {
  const what = `"reorder"`;
  const entries = reader.mapping(value, { what, keys: ["share", "by"], required: ["share", "by"] });
  const share = entries?.get("share");
  const by = entries?.get("by");
  if (share === undefined || by === undefined) return null;
  const rate = reader.parsed(share.value, `"share"`, parseShare(100));
  const ms = reader.duration(by.value, `"by"`, 0);
  return rate === null || ms === null ? null : { rate, ms };
}

/** `fencing: {ilo1: {takes: 2s, network: service, power: n1}}`: a board controller off when its machine has no mains. */
function readFenceDevices(cast: Cast, value: Value | undefined): World["fenceDevices"] {
  const { reader } = cast;
  const devices: Record<string, FenceBehaviour & FencePlace> = {};
  for (const { key, value: own } of (value && reader.openMapping(value, `"fencing"`))?.values() ?? []) {
    const name = cast.device(key.value, key.span);
    const shape = { what: `fence device "${key.value}"`, keys: ["takes", "network", "power"] };
    const entries = reader.mapping(own, shape);
    const [takes, network, power] = shape.keys.map((each) => entries?.get(each)?.value);
    if (name === null) continue;
    devices[name] = {
      ...goodFence,
      ...(takes && { takesMs: reader.duration(takes, `"takes"`, 1) ?? goodFence.takesMs }),
      network: (network && reader.choice(network, `"network"`, ["management", "service"])) ?? "management",
      powerOf: power === undefined ? null : cast.names(power, "a node", "node")[0] ?? null,
    };
  }
  return devices;
}

function readAddresses(cast: Cast, value: Value): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { key, value: item } of cast.reader.openMapping(value, `"addresses"`)?.values() ?? []) {
    const node = cast.node(key.value, key.span);
    const address = cast.reader.parsed(item, "an address", (text) => {
      const parsed = parseAddress(text);
      if (parsed !== null) return { ok: true, value: parsed.text };
      return { ok: false, message: `"${text}" is not an IP address`, hint: "write it as 10.0.0.1" };
    });
    if (node !== null && address !== null) found[node] = address;
  }
  return found;
}

function readStart(cast: Cast, value: Value | undefined): Record<string, number> {
  const found: Record<string, number> = {};
  if (value === undefined) return found;
  for (const { key, value: item } of cast.reader.openMapping(value, `"start"`)?.values() ?? []) {
    const node = cast.node(key.value, key.span);
    const atMs = cast.reader.duration(item, "a time of start", 0);
    if (node !== null && atMs !== null) found[node] = atMs;
  }
  return found;
}
