/**
 * The daemon's end of the control socket. Decides who is answered and who is dropped, from the limits in
 * `control_protocol.ts`. Must never throw into the daemon, never hold it up (one request a turn of the event loop),
 * and never take the socket from a daemon that is alive.
 */

import { chmodSync, lstatSync, mkdirSync, renameSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { EnvironmentError } from "../errors.ts";
import { ControlConnection } from "./control_connection.ts";
import { controlLimits, type ControlTarget } from "./control_protocol.ts";

/** sun_path holds 108 bytes with its terminating zero; one more goes to the temporary name. */
const pathBytesMax = 106;

export interface ControlServer {
  readonly path: string;
  /** Drops all clients and removes the socket file. Never rejects; a second call does nothing. */
  close(): Promise<void>;
}

/**
 * Listens on a unix socket of mode 0660. Rejects with an environment error when another daemon answers there, when
 * something else is in the way, or when the place cannot be written.
 */
export async function openControlServer(path: string, target: ControlTarget): Promise<ControlServer> {
  if (Buffer.byteLength(path) > pathBytesMax) {
    throw cannotOpen(
      path,
      `its path has ${Buffer.byteLength(path)} bytes; a unix socket takes at most ${pathBytesMax}`,
    );
  }
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw fromSystem(path, cause);
  }
  await refuseOccupied(path);

  const connections = new Set<ControlConnection>();
  const server = createServer((socket) => {
    const connection = new ControlConnection(socket, target, () => connections.delete(connection));
    if (connections.size >= controlLimits.clientsMax) {
      connection.refuse("busy", `${controlLimits.clientsMax} clients are connected already; try again later`);
      return;
    }
    connections.add(connection);
  });
  // Bound under another name and then renamed: nobody ever finds the socket with the wrong mode, and a stale file
  // is replaced in one step.
  const temporary = `${path}~`;
  let inode: number;
  try {
    removeFile(temporary);
    await listen(server, temporary);
    chmodSync(temporary, 0o660);
    inode = lstatSync(temporary).ino;
    renameSync(temporary, path);
  } catch (cause) {
    server.close();
    throw fromSystem(path, cause);
  }
  // Out of descriptors, say: the daemon goes on, the client sees that nobody answers.
  server.on("error", () => {});

  let closing: Promise<void> | null = null;
  const close = () => {
    removeFile(path, inode);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const connection of [...connections]) connection.drop();
    return closed;
  };
  return { path, close: () => closing ??= close() };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function refuseOccupied(path: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return;
    throw fromSystem(path, cause);
  }
  if (!isSocket) {
    throw cannotOpen(path, "something that is no socket is in the way; remove it or name another path");
  }
  const code = await tryConnect(path);
  if (code === "ECONNREFUSED" || code === "ENOENT") return;
  throw cannotOpen(
    path,
    "another daemon listens on it; stop that one first, or give this one a socket of its own",
  );
}

/** Code of the failure to connect, `null` when somebody answered. */
function tryConnect(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket: Socket = connect(path);
    const end = (code: string | null) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(code);
    };
    const timer = setTimeout(() => end("ETIMEDOUT"), 1000);
    socket.once("connect", () => end(null));
    socket.once("error", (cause) => end(codeOf(cause)));
  });
}

/** Removes a file if it is there (and, with `inode`, if it is still the one we made). */
function removeFile(path: string, inode?: number): void {
  try {
    if (inode === undefined || lstatSync(path).ino === inode) unlinkSync(path);
  } catch {
    // It is gone, or what is wrong will show when the place is used.
  }
}

function codeOf(cause: unknown): string {
  return (cause as { code?: string }).code ?? String(cause);
}

function cannotOpen(path: string, rest: string, exitCode: 69 | 77 = 69, cause?: unknown): EnvironmentError {
  return new EnvironmentError(`Cannot open control socket "${path}": ${rest}`, exitCode, { cause });
}

function fromSystem(path: string, cause: unknown): EnvironmentError {
  const code = codeOf(cause);
  if (code === "EACCES" || code === "EPERM") {
    return cannotOpen(
      path,
      "permission denied; run as root, or name a path that this user can write",
      77,
      cause,
    );
  }
  return cannotOpen(path, `${code}; name a path in a directory that exists and can be written`, 69, cause);
}
