/**
 * Names and texts of the errors that the kernel gives, and the error that carries one to a person.
 *
 * The texts are the ones that `strerror` gives, so that operators can search for them.
 */

import { EnvironmentError } from "../errors.ts";
import { errno } from "./libc.ts";

/** Numbers of Linux on x86-64, aarch64 and riscv64. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  ENOSPC: 28,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
  EHOSTDOWN: 112,
  EHOSTUNREACH: 113,
} as const;

export type ErrnoName = keyof typeof Errno;

const texts: Record<ErrnoName, string> = {
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  ESRCH: "no such process",
  EINTR: "interrupted system call",
  EIO: "input/output error",
  ENXIO: "no such device or address",
  EBADF: "bad file descriptor",
  EAGAIN: "resource temporarily unavailable",
  ENOMEM: "cannot allocate memory",
  EACCES: "permission denied",
  EBUSY: "device or resource busy",
  EEXIST: "file exists",
  ENODEV: "no such device",
  EINVAL: "invalid argument",
  EMFILE: "too many open files",
  ENOTTY: "inappropriate ioctl for device",
  ENOSPC: "no space left on device",
  EMSGSIZE: "message too long",
  ENOPROTOOPT: "protocol not available",
  EPROTONOSUPPORT: "protocol not supported",
  EOPNOTSUPP: "operation not supported",
  EAFNOSUPPORT: "address family not supported by protocol",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  ENETDOWN: "network is down",
  ENETUNREACH: "network is unreachable",
  ECONNRESET: "connection reset by peer",
  ENOBUFS: "no buffer space available",
  ECONNREFUSED: "connection refused",
  EHOSTDOWN: "host is down",
  EHOSTUNREACH: "no route to host",
};

const names = new Map<number, ErrnoName>(
  (Object.keys(Errno) as ErrnoName[]).map((name) => [Errno[name], name]),
);

/** `EPERM`; a number that is not in the table as `errno 200`. */
export function errnoName(code: number): string {
  return names.get(code) ?? `errno ${code}`;
}

/** `operation not permitted`; a number that is not in the table as `errno 200`. */
export function errnoText(code: number): string {
  const name = names.get(code);
  return name === undefined ? `errno ${code}` : texts[name];
}

/** A system call was refused. Exit code 77 where a permission is missing, else 69. */
export class SystemError extends EnvironmentError {
  /** `EPERM`… */
  readonly errno: string;

  /**
   * @param action what was to be done, after "Cannot": `open an ARP socket on "eth0"`
   * @param call the function that failed, with the number it gave
   * @param next what would be accepted, or the next step
   */
  constructor(action: string, readonly call: string, readonly code: number, next?: string) {
    const cause = errnoText(code) === errnoName(code)
      ? `${call} gave ${errnoName(code)}`
      : `${errnoText(code)} (${call}: ${errnoName(code)})`;
    super(
      `Cannot ${action}: ${cause}${next === undefined ? "" : `; ${next}`}`,
      code === Errno.EPERM || code === Errno.EACCES ? 77 : 69,
    );
    this.errno = errnoName(code);
  }
}

/** Passes a result of 0 or more on; throws what errno says of a negative one. */
export function succeed(result: number, action: string, call: string, next?: string): number {
  if (result < 0) throw new SystemError(action, call, errno(), next);
  return result;
}
