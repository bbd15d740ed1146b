/** How the bridges of this machine treat multicast. On a hypervisor, or a node whose links are bridges, that decides. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { BridgeState } from "../circumstances.ts";

const root = "/sys/class/net";

export function gatherBridges(): BridgeState[] {
  return readdirSync(root).filter((name) => existsSync(`${root}/${name}/bridge`)).map((name) => {
    const isSet = (path: string) => readNumber(`${root}/${name}/${path}`) === 1;
    const ports = existsSync(`${root}/${name}/brif`) ? readdirSync(`${root}/${name}/brif`) : [];
    return {
      ...{ kind: "bridge", source: "bridges", subject: name, ageMs: 0 },
      isSnooping: isSet("bridge/multicast_snooping"),
      isQuerier: isSet("bridge/multicast_querier"),
      portsWithoutMulticast: ports.filter((port) =>
        readNumber(`${root}/${port}/brport/multicast_flood`) === 0
      ),
    };
  });
}

function readNumber(path: string): number | null {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
