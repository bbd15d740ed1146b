/**
 * keepalived as the daemon of a laboratory's nodes: writes a configuration with one VRRP instance for the standard
 * address, and starts it in the foreground. It judges nothing.
 */

import { VIP, writeNodeFile } from "./config.ts";
import type { LabDaemon } from "./daemon.ts";
import type { Lab } from "./lab.ts";
import { SERVICE_LINK } from "./network.ts";

export const KEEPALIVED_PATH = "/etc/keepalived/keepalived.conf";

export interface KeepalivedOptions {
  /** 2 unless said. */
  readonly version?: 2 | 3;
  readonly routerId?: number;
  readonly priority?: number;
  /** Whole seconds for version 2. */
  readonly intervalSeconds?: number;
  /** Version 2 only: `auth_type PASS`; `null`: none. */
  readonly password?: string | null;
  /** Link that the advertisements go over. */
  readonly link?: string;
  /** Further lines of the instance. */
  readonly extra?: readonly string[];
}

/** Writes the file and starts the daemon; the node with the lower number is preferred unless said. */
export function startKeepalived(lab: Lab, node: string, options: KeepalivedOptions = {}): LabDaemon {
  writeNodeFile(lab, node, KEEPALIVED_PATH, keepalivedConf(lab, node, options), 0o600);
  return lab.launch(node, [
    "keepalived",
    "--dont-fork",
    "--vrrp",
    "--log-console",
    "--log-detail",
    `--use-file=${KEEPALIVED_PATH}`,
  ]);
}

function keepalivedConf(lab: Lab, node: string, options: KeepalivedOptions): string {
  const version = options.version ?? 2;
  const password = options.password === undefined ? "lab-key" : options.password;
  const priority = options.priority ?? 150 - 10 * lab.nodes.indexOf(node);
  // keepalived takes an opening brace only at the end of a line, with something before it.
  return [
    "global_defs {",
    `  router_id ${node}`,
    "}",
    "vrrp_instance lab {",
    `  version ${version}`,
    "  state BACKUP",
    `  interface ${options.link ?? SERVICE_LINK}`,
    `  virtual_router_id ${options.routerId ?? 51}`,
    `  priority ${priority}`,
    `  advert_int ${options.intervalSeconds ?? 1}`,
    ...(version === 2 && password !== null
      ? ["  authentication {", "    auth_type PASS", `    auth_pass ${password}`, "  }"]
      : []),
    ...(options.extra ?? []).map((line) => `  ${line}`),
    "  virtual_ipaddress {",
    `    ${VIP}/24 dev ${SERVICE_LINK}`,
    "  }",
    "}",
    "",
  ].join("\n");
}
