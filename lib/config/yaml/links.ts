/** The `links` of heartline.yaml. One file serves all nodes: each drops its own address. */

import type { MediumSettings, SerialBaud } from "../../core/settings.ts";
import { parseAddress } from "../text/addresses.ts";
import { parseBaud, parseMulticastGroup, parseTty } from "../text/media_words.ts";
import type { LoadContext } from "../context.ts";
import type { Parsed, Places } from "../problem.ts";
import { suggestion } from "../spelling.ts";
import { addressHint, isInterfaceName } from "../vip_spec.ts";
import type { Entry, Value, YamlReader } from "./reader.ts";

const kinds: readonly MediumSettings["kind"][] = ["ucast", "bcast", "mcast", "serial", "tcp"];
const refused = { ping: `reference addresses go under "arbiters"` };
const peerKeys = ["dev", "peer", "peers", "port", "local"];

/** Heartbeat's usual group, and what it means: one wire, no copy for other programs of this machine. */
const mcastDefaults = { port: 694, ttl: 1, loop: false };

/** Heartbeat's default. */
const defaultBaud: SerialBaud = 19_200;

export function readLinks(
  reader: YamlReader,
  value: Value,
  nodes: readonly string[],
  defaultPort: number,
  context: LoadContext,
  places: Places,
): MediumSettings[] {
  const media: MediumSettings[] = [];
  for (const item of reader.list(value, `"links"`)) {
    const before = reader.findings.problems.length;
    const entries = reader.mapping(item, { what: "a link", keys: kinds, refused });
    if (entries === null) continue;
    const [first, second] = entries.values();
    if (first === undefined) {
      if (reader.findings.problems.length > before) continue;
      const hint = `write one of ${
        kinds.join(", ")
      }, as in "ucast: { dev: eth1, peers: [10.0.1.1, 10.0.1.2] }"`;
      reader.findings.error(item.span, "missing-kind", "the link does not say what it is", hint);
      continue;
    }
    if (second !== undefined) {
      const message = `a link is both "${first.key.value}" and "${second.key.value}"`;
      reader.findings.error(second.key.span, "double-kind", message, "begin a new link with -");
    }
    for (const medium of readLink(reader, first, nodes, defaultPort, context)) {
      places.set(["media", media.length], reader.findings.place(item.span));
      media.push(medium);
    }
  }
  return media;
}

function readLink(
  reader: YamlReader,
  { key, value }: Entry,
  nodes: readonly string[],
  defaultPort: number,
  context: LoadContext,
): MediumSettings[] {
  switch (key.value as MediumSettings["kind"]) {
    case "ucast":
      return readPeers(reader, "ucast", value, nodes, defaultPort, context);
    case "tcp":
      return readPeers(reader, "tcp", value, nodes, defaultPort, context);
    case "bcast":
      return readBcast(reader, value, defaultPort);
    case "mcast":
      return readMcast(reader, value);
    case "serial":
      return readSerial(reader, value);
  }
}

function readBcast(reader: YamlReader, value: Value, defaultPort: number): MediumSettings[] {
  const entries = reader.mapping(value, { what: `"bcast"`, keys: ["dev", "port"], required: ["dev"] });
  const dev = entries?.get("dev");
  const port = entries?.get("port");
  const device = dev && reader.parsed(dev.value, `"dev"`, parseDevice);
  const own = port && reader.integer(port.value, `"port"`, 1, 65_535);
  return device ? [{ kind: "bcast", device, port: own ?? defaultPort }] : [];
}

function readMcast(reader: YamlReader, value: Value): MediumSettings[] {
  const keys = ["dev", "group", "port", "ttl", "loop"];
  const entries = reader.mapping(value, { what: `"mcast"`, keys, required: ["dev", "group"] });
  const [dev, group, port, ttl, loop] = keys.map((key) => entries?.get(key)?.value);
  const device = dev && reader.parsed(dev, `"dev"`, parseDevice);
  const address = group && reader.parsed(group, `"group"`, (text) => parseMulticastGroup(text, null));
  const read = {
    port: port && reader.integer(port, `"port"`, 1, 65_535),
    ttl: ttl && reader.integer(ttl, `"ttl"`, 1, 255),
    loop: loop && reader.boolean(loop, `"loop"`),
  };
  if (!device || !address) return [];
  return [{
    kind: "mcast",
    device,
    group: address,
    port: read.port ?? mcastDefaults.port,
    ttl: read.ttl ?? mcastDefaults.ttl,
    loop: read.loop ?? mcastDefaults.loop,
  }];
}

function readSerial(reader: YamlReader, value: Value): MediumSettings[] {
  const entries = reader.mapping(value, { what: `"serial"`, keys: ["tty", "baud"], required: ["tty"] });
  const [tty, baud] = [entries?.get("tty"), entries?.get("baud")];
  const path = tty && reader.parsed(tty.value, `"tty"`, parseTty);
  const speed = baud && reader.parsed(baud.value, `"baud"`, parseBaud);
  return path ? [{ kind: "serial", tty: path, baud: speed ?? defaultBaud }] : [];
}

function readPeers(
  reader: YamlReader,
  kind: "ucast" | "tcp",
  value: Value,
  nodes: readonly string[],
  defaultPort: number,
  context: LoadContext,
): MediumSettings[] {
  const entries = reader.mapping(value, { what: `"${kind}"`, keys: peerKeys, required: ["dev"] });
  if (entries === null) return [];
  const [dev, peer, peers, port, local] = peerKeys.map((key) => entries.get(key));
  const device = dev && reader.parsed(dev.value, `"dev"`, parseDevice);
  const ownPort = port && reader.integer(port.value, `"port"`, 1, 65_535);
  const ownLocal = local && reader.parsed(local.value, `"local"`, parsePeer);
  if (peer !== undefined && peers !== undefined) {
    reader.findings.error(peers.key.span, "double-peer", `a link has both "peer" and "peers"`, "keep one");
  }
  const named = peer ?? peers;
  if (named === undefined) {
    reader.findings.error(
      value.span,
      "missing-key",
      `"${kind}" has no "peer"`,
      `add "peer: ADDRESS" or "peers: [ADDRESS, ADDRESS]"`,
    );
    return [];
  }
  const found = reader.isMapping(named.value)
    ? addressesByNode(reader, named, nodes, context)
    : addressesOf(reader, named, typeof ownLocal === "string" ? new Set([ownLocal]) : context.ownAddresses);
  if (!device) return [];
  return found.peers.map((address) => ({
    kind,
    device,
    peer: address,
    port: ownPort ?? defaultPort,
    local: ownLocal ?? found.own,
  }));
}

interface Ends {
  readonly peers: string[];
  readonly own: string | null;
}

/** `{node1: 10.0.1.1, node2: 10.0.1.2}` */
function addressesByNode(
  reader: YamlReader,
  peer: Entry,
  nodes: readonly string[],
  context: LoadContext,
): Ends {
  const peers: string[] = [];
  const seen = new Set<string>();
  let own: string | null = null;
  for (const { key, value } of reader.openMapping(peer.value, `"${peer.key.value}"`)?.values() ?? []) {
    const node = key.value.toLowerCase();
    if (!nodes.includes(node)) {
      reader.findings.error(
        key.span,
        "unknown-node",
        `"${key.value}" is not one of the nodes`,
        suggestion(node, nodes),
      );
    }
    seen.add(node);
    const address = reader.parsed(value, `the address of "${key.value}"`, parsePeer);
    if (address === null) continue;
    if (node === context.nodeName) own = address;
    else peers.push(address);
  }
  const missing = nodes.filter((node) => !seen.has(node));
  if (missing.length > 0 && seen.size > 0) {
    const hint = `add it, or give the peer's address alone where the file is for one node`;
    reader.findings.error(
      peer.key.span,
      "missing-peer",
      `the link has no address for "${missing.join(`", "`)}"`,
      hint,
    );
  }
  return { peers, own };
}

/** `10.0.0.2` or `[10.0.0.1, 10.0.0.2]` */
function addressesOf(reader: YamlReader, peer: Entry, ownAddresses: ReadonlySet<string>): Ends {
  const values = reader.isList(peer.value) ? reader.list(peer.value, `"${peer.key.value}"`) : [peer.value];
  const peers: string[] = [];
  let own: string | null = null;
  for (const value of values) {
    const address = reader.parsed(value, "the address of a peer", parsePeer);
    if (address === null) continue;
    if (peers.includes(address)) {
      reader.findings.error(value.span, "duplicate-peer", `the peer "${address}" stands twice`, "keep one");
    } else if (ownAddresses.has(address)) own = address;
    else peers.push(address);
  }
  if (values.length === 0) {
    reader.findings.error(
      peer.value.span,
      "missing-peer",
      "the link has no peer",
      "write at least one address",
    );
  }
  return { peers, own };
}

function parsePeer(text: string): Parsed<string> {
  const address = parseAddress(text);
  if (address !== null) return { ok: true, value: address.text };
  return { ok: false, message: `"${text}" is not an IP address`, hint: addressHint(text) };
}

function parseDevice(text: string): Parsed<string> {
  if (isInterfaceName(text)) return { ok: true, value: text };
  return {
    ok: false,
    message: `"${text}" is not an interface name`,
    hint: "at most 15 bytes, no blank, slash or colon",
  };
}
