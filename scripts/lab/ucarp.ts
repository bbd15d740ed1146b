/**
 * ucarp as the daemon of a laboratory's nodes: writes the two scripts that it calls, and starts it in the foreground.
 * It judges nothing.
 */

import { VIP, writeNodeFile } from "./config.ts";
import type { LabDaemon } from "./daemon.ts";
import type { Lab } from "./lab.ts";
import { SERVICE_LINK } from "./network.ts";

const UP_PATH = "/etc/ucarp/up";
const DOWN_PATH = "/etc/ucarp/down";

export interface UcarpOptions {
  readonly hostId?: number;
  readonly password?: string;
  readonly skew?: number;
}

/** Starts the daemon; the node with the lower number is preferred unless said. */
export function startUcarp(lab: Lab, node: string, options: UcarpOptions = {}): LabDaemon {
  writeNodeFile(lab, node, UP_PATH, `#!/bin/sh\nip addr add "$2/24" dev "$1"\n`, 0o755);
  writeNodeFile(lab, node, DOWN_PATH, `#!/bin/sh\nip addr del "$2/24" dev "$1"\n`, 0o755);
  return lab.launch(node, [
    "ucarp",
    `--interface=${SERVICE_LINK}`,
    `--srcip=${lab.network.address(node, SERVICE_LINK)}`,
    `--vhid=${options.hostId ?? 7}`,
    `--pass=${options.password ?? "lab-key"}`,
    `--addr=${VIP}`,
    `--advskew=${options.skew ?? 10 * lab.nodes.indexOf(node)}`,
    `--upscript=${UP_PATH}`,
    `--downscript=${DOWN_PATH}`,
    "--neutral",
    "--shutdown",
  ]);
}
