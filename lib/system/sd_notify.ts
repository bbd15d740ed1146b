/**
 * Tells systemd how the daemon is (sd_notify(3)): READY=1, STATUS=…, WATCHDOG=1, STOPPING=1. Without a service manager
 * that listens it does nothing. It never throws: the daemon's work does not depend on being watched.
 */

import { AF, NativeSocket, SOCK } from "./socket.ts";

/** sun_path has 108 bytes. */
const pathBytesMax = 107;

/**
 * Sends assignments, separated by newlines. `true` when they were handed over, `false` when nobody listens.
 * The variable NOTIFY_SOCKET must not be passed on to children.
 */
export function notifySystemd(state: string, path = process.env["NOTIFY_SOCKET"]): boolean {
  if (path === undefined || !/^[/@]./.test(path)) return false;
  const pathBytes = new TextEncoder().encode(path);
  if (pathBytes.length > pathBytesMax) return false;
  const isAbstract = path.startsWith("@");
  if (isAbstract) pathBytes[0] = 0;
  // A name in the file system ends with a zero; an abstract one ends where the length says.
  const address = new Uint8Array(2 + pathBytes.length + (isAbstract ? 0 : 1));
  address[0] = AF.UNIX;
  address.set(pathBytes, 2);
  try {
    const socket = NativeSocket.open(AF.UNIX, SOCK.DGRAM, 0, "notify systemd");
    const result = socket.trySend(new TextEncoder().encode(state), address);
    socket.close();
    return result === 0;
  } catch {
    return false;
  }
}

/** Half of the interval within which systemd wants WATCHDOG=1; `null` when it does not watch this process. */
export function watchdogIntervalMs(environment: NodeJS.ProcessEnv = process.env): number | null {
  const limitUs = Number(environment["WATCHDOG_USEC"] ?? NaN);
  const pid = environment["WATCHDOG_PID"];
  if (!Number.isInteger(limitUs) || limitUs <= 0) return null;
  if (pid !== undefined && Number(pid) !== process.pid) return null;
  return Math.floor(limitUs / 2000);
}
