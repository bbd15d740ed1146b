/**
 * The network connections that a person at this command sits behind: what a drill must not cut by accident. From the
 * environment of this process and its ancestors (`sudo` hides SSH_CONNECTION from the command, not from its parent),
 * and from the TCP connections that an ancestor holds open. Only looks.
 */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import { addressText, canonicalAddress } from "../system/packets/ip_address.ts";

export interface Connection {
  readonly remote: string;
  /** Interface that was told with a link-local address. */
  readonly zone?: string;
  readonly ports: readonly [local: number, remote: number];
  /** How it was found, for the sentence: `SSH_CONNECTION`, `process 123 (sshd)`. */
  readonly evidence: string;
}

/** Deeper than any real chain of processes; a loop in what we read must end. */
const ancestorsMax = 64;

export function shellConnections(): Connection[] {
  const found = new Map<string, Connection>();
  const sockets = establishedSockets();
  for (const pid of [process.pid, ...ancestors(process.pid)]) {
    for (const connection of [...fromEnvironment(pid), ...fromSockets(pid, sockets)]) {
      const key = `${connection.remote} ${connection.ports.join()}`;
      // The kernel's table has no zones.
      found.set(key, { ...found.get(key), ...connection });
    }
  }
  return [...found.values()];
}

/** `SSH_CONNECTION`: client's address and port, server's address and port (ssh(1)). `null`: something else. */
export function parseSshConnection(text: string, evidence = "SSH_CONNECTION"): Connection | null {
  const [client = "", clientPort, , serverPort] = text.split(" ");
  const [address = "", zone] = client.split("%");
  const remote = canonicalAddress(address);
  const ports = [Number(serverPort), Number(clientPort)] as const;
  if (remote === null || !ports.every((port) => Number.isInteger(port) && port > 0)) return null;
  return { remote: withoutMapping(remote), ...(zone === undefined ? {} : { zone }), ports, evidence };
}

/** Established connections of `/proc/net/tcp` or `tcp6`, by inode of the socket (proc_net_tcp(5)). */
export function parseTcpTable(text: string): Map<string, Omit<Connection, "evidence">> {
  const established = "01";
  const table = new Map<string, Omit<Connection, "evidence">>();
  for (const line of text.split("\n").slice(1)) {
    const [, local = "", remote = "", state, , , , , , inode = ""] = line.trim().split(/\s+/);
    if (state !== established) continue;
    const [address = "", port = ""] = remote.split(":");
    const ports = [parseInt(local.split(":")[1] ?? "", 16), parseInt(port, 16)] as const;
    table.set(inode, { remote: withoutMapping(addressText(kernelBytes(address))), ports });
  }
  return table;
}

/** The kernel prints each group of four bytes as a number of its own byte order: little on all that we know. */
function kernelBytes(hex: string): Uint8Array {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  for (let start = 0; start < bytes.length; start += 4) bytes.subarray(start, start + 4).reverse();
  return bytes;
}

/** `::ffff:192.0.2.1` is an IPv4 connection of an IPv6 socket. */
function withoutMapping(address: string): string {
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address);
  if (mapped === null) return address;
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function fromEnvironment(pid: number): Connection[] {
  const variables = read(`/proc/${pid}/environ`).split("\0");
  const value = variables.find((variable) => variable.startsWith("SSH_CONNECTION="))?.slice(15);
  const connection = value === undefined ? null : parseSshConnection(value);
  return connection === null ? [] : [connection];
}

function fromSockets(pid: number, sockets: ReadonlyMap<string, Omit<Connection, "evidence">>): Connection[] {
  if (pid === process.pid || sockets.size === 0) return [];
  const evidence = `process ${pid} (${read(`/proc/${pid}/comm`).trim()})`;
  return inodesOf(pid).flatMap((inode) => {
    const socket = sockets.get(inode);
    return socket === undefined || socket.remote.startsWith("127.") || socket.remote === "::1"
      ? []
      : [{ ...socket, evidence }];
  });
}

function inodesOf(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  try {
    return readdirSync(directory).flatMap((descriptor) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${directory}/${descriptor}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function establishedSockets(): Map<string, Omit<Connection, "evidence">> {
  return new Map([
    ...parseTcpTable(read("/proc/self/net/tcp")),
    ...parseTcpTable(read("/proc/self/net/tcp6")),
  ]);
}

function ancestors(pid: number): number[] {
  const found: number[] = [];
  for (let current = parentOf(pid); current > 1 && found.length < ancestorsMax; current = parentOf(current)) {
    found.push(current);
  }
  return found;
}

function parentOf(pid: number): number {
  // The name in parentheses may itself hold blanks and parentheses.
  return Number(read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")[1] ?? 0);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
