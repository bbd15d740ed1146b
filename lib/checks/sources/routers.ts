/**
 * What a keepalived that runs on this machine is told to say, from its file. Needed because one that refuses what it
 * hears can be master without ever speaking (seen with 2.2.7: each refused advertisement starts its timer anew).
 */

import { readFileSync } from "node:fs";
import { parseKeepalivedConf, type VrrpInstance } from "../../config/keepalived_conf.ts";
import type { Evidence } from "../evidence.ts";
import { unseen } from "../gather.ts";
import type { Host } from "../host.ts";
import type { Look } from "../sources.ts";
import { mark } from "../traffic/mark.ts";
import type { VrrpSpeaker } from "../traffic/pieces.ts";
import { localProcesses } from "./processes.ts";

const priorityDefault = 100;
const standardFile = "/etc/keepalived/keepalived.conf";

export function gatherRouters({ host }: Look): Evidence[] {
  const process = localProcesses().find((each) => each.name === "keepalived");
  if (process === undefined) return [];
  const file = fileNamed(process.words) ?? standardFile;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return [
      unseen("configuration", file, `it cannot be read (${(error as { code?: string }).code ?? error})`),
    ];
  }
  const { instances, unread } = parseKeepalivedConf(text);
  return [
    ...unread.map((line) => unseen("configuration", file, `not followed: ${line}`)),
    ...instances.flatMap((instance) => speakerOf(instance, file, host) ?? []),
  ];
}

function speakerOf(instance: VrrpInstance, file: string, host: Host): VrrpSpeaker | null {
  const { name, device, routerId, version, intervalMs, authentication, advertised, peers } = instance;
  if (device === null || routerId === null) return null;
  const index = host.links.find((link) => link.name === device)?.index;
  const from = host.addresses.find((info) => info.index === index)?.address ?? "";
  return {
    ...{ kind: "vrrp", source: "configuration", direction: "out", count: 0, ageMs: 0, hops: 255 },
    ...{ device, routerId, version, intervalMs, from },
    subject: `router ${routerId} ("${name}" in ${file})`,
    priority: instance.priority ?? priorityDefault,
    addresses: advertised,
    family: advertised[0]?.includes(":") === true ? 6 : 4,
    authentication: authentication.kind,
    secretMark: authentication.kind === "password" ? mark(authentication.password) : null,
    checksum: version === 2 ? "plain" : "with-pseudo-header",
    isUnicast: peers.length > 0,
  };
}

function fileNamed(words: readonly string[]): string | null {
  const at = words.findIndex((word) => word === "-f" || word.startsWith("--use-file"));
  if (at < 0) return null;
  const [, value] = words[at]!.split("=");
  return value ?? words[at + 1] ?? null;
}
