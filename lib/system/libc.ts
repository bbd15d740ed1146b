/**
 * The one door to native code: a small table of libc functions, over `Deno.dlopen` or `bun:ffi`, whichever runtime
 * this is. Nothing is opened before the first call of `libc()`, so that a command without native calls pays nothing.
 *
 * Calls are synchronous, on the calling thread (`bun:ffi` has no others): nothing here may be used in a way that
 * waits. Sockets are read with MSG_DONTWAIT by a caller with a timer. Struct layouts are those of 64-bit
 * little-endian Linux (x86-64, aarch64, riscv64).
 */

import { EnvironmentError } from "../errors.ts";

type NativeType = "i32" | "u32" | "u64" | "bytes";
type Signature = readonly [parameters: readonly NativeType[], result: "i32" | "u32" | "pointer"];

/**
 * `bytes` is a Uint8Array or null. Results of type ssize_t are read as i32: -1 stays -1, and no buffer of ours comes
 * near 2 GiB; a 64-bit result would allocate a BigInt for each call.
 */
const signatures = {
  __errno_location: [[], "pointer"],
  alarm: [["u32"], "u32"],
  bind: [["i32", "bytes", "u32"], "i32"],
  clock_gettime: [["i32", "bytes"], "i32"],
  close: [["i32"], "i32"],
  connect: [["i32", "bytes", "u32"], "i32"],
  flock: [["i32", "i32"], "i32"],
  ftruncate: [["i32", "u64"], "i32"],
  getpgid: [["i32"], "i32"],
  getsockname: [["i32", "bytes", "bytes"], "i32"],
  getsockopt: [["i32", "i32", "i32", "bytes", "bytes"], "i32"],
  if_nametoindex: [["bytes"], "u32"],
  ioctl: [["i32", "u64", "bytes"], "i32"],
  kill: [["i32", "i32"], "i32"],
  mlockall: [["i32"], "i32"],
  open: [["bytes", "i32", "u32"], "i32"],
  pread: [["i32", "bytes", "u64", "u64"], "i32"],
  pwrite: [["i32", "bytes", "u64", "u64"], "i32"],
  read: [["i32", "bytes", "u64"], "i32"],
  recvfrom: [["i32", "bytes", "u64", "i32", "bytes", "bytes"], "i32"],
  sched_getscheduler: [["i32"], "i32"],
  sched_setscheduler: [["i32", "i32", "bytes"], "i32"],
  sendto: [["i32", "bytes", "u64", "i32", "bytes", "u32"], "i32"],
  setns: [["i32", "i32"], "i32"],
  setsockopt: [["i32", "i32", "i32", "bytes", "u32"], "i32"],
  socket: [["i32", "i32", "i32"], "i32"],
  syscall: [["u64", "u64", "u64", "u64"], "i32"],
  tcflush: [["i32", "i32"], "i32"],
  write: [["i32", "bytes", "u64"], "i32"],
} as const satisfies Record<string, Signature>;

interface ParameterTypes {
  i32: number;
  u32: number;
  u64: number;
  bytes: Uint8Array | null;
}
type Parameters<List extends readonly NativeType[]> = {
  -readonly [Index in keyof List]: ParameterTypes[List[Index]];
};
type Functions = Omit<typeof signatures, "__errno_location">;

/** The functions of the table, typed. A negative result means that `errno()` says why. */
export type Libc = {
  readonly [Name in keyof Functions]: (...values: Parameters<Functions[Name][0]>) => number;
};

interface Native {
  readonly functions: Libc;
  /** This thread's errno, as memory: reading it is no call, so that nothing can change it in between. */
  readonly errno: Int32Array;
  addressOf(bytes: Uint8Array): bigint;
}

/** Only what is used of `bun:ffi`, whose own types exist in Bun alone. */
interface BunFfi {
  dlopen(path: string, symbols: unknown): { symbols: Record<string, (...values: unknown[]) => number> };
  toArrayBuffer(pointer: number, offset: number, length: number): ArrayBuffer;
  ptr(bytes: Uint8Array): number;
}

/** glibc first, then musl under the name its loader knows on every architecture. */
const libraryNames = ["libc.so.6", "libc.so"];

let native: Native | null = null;

function load(): Native {
  const failures: unknown[] = [];
  for (const name of libraryNames) {
    try {
      return typeof Deno !== "undefined" ? loadInDeno(name) : loadInBun(name);
    } catch (cause) {
      failures.push(cause);
    }
  }
  throw new EnvironmentError(
    `Cannot load the C library: none of ${libraryNames.join(", ")} can be opened (${failures[0]}); ` +
      `Heartline needs Linux with glibc or musl, and under Deno the permission --allow-ffi`,
    69,
    { cause: failures[0] },
  );
}

function loadInDeno(name: string): Native {
  const denoTypes = { i32: "i32", u32: "u32", u64: "u64", bytes: "buffer", pointer: "pointer" } as const;
  const symbols: Record<string, Deno.ForeignFunction> = {};
  for (const [symbol, [parameters, result]] of Object.entries<Signature>(signatures)) {
    symbols[symbol] = { parameters: parameters.map((type) => denoTypes[type]), result: denoTypes[result] };
  }
  const functions = Deno.dlopen(name, symbols).symbols as unknown as Libc & {
    __errno_location(): Deno.PointerObject;
  };
  return {
    functions,
    errno: new Int32Array(Deno.UnsafePointerView.getArrayBuffer(functions.__errno_location(), 4)),
    addressOf: (bytes) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>)),
  };
}

function loadInBun(name: string): Native {
  // Not `import("bun:ffi")`: Deno's checker does not know it, and an import would make this function asynchronous.
  const ffi = process.getBuiltinModule("bun:ffi") as unknown as BunFfi | undefined;
  if (ffi === undefined) throw new Error("this runtime has neither Deno.dlopen nor bun:ffi");
  const bunTypes = { i32: "i32", u32: "u32", u64: "u64", bytes: "ptr", pointer: "ptr" } as const;
  const symbols: Record<string, { args: string[]; returns: string }> = {};
  for (const [symbol, [parameters, result]] of Object.entries<Signature>(signatures)) {
    symbols[symbol] = { args: parameters.map((type) => bunTypes[type]), returns: bunTypes[result] };
  }
  const functions = ffi.dlopen(name, symbols).symbols;
  const location = functions["__errno_location"]!();
  return {
    functions: functions as unknown as Libc,
    errno: new Int32Array(ffi.toArrayBuffer(location, 0, 4)),
    addressOf: (bytes) => BigInt(ffi.ptr(bytes)),
  };
}

/** The C library, opened at the first call. Throws an environment error where there is none. */
export function libc(): Libc {
  native ??= load();
  return native.functions;
}

/** Why the last call of this thread failed. Only meaningful straight after a negative result. */
export function errno(): number {
  return native === null ? 0 : native.errno[0]!;
}

/**
 * The address of a buffer, for structs that hold pointers. The caller keeps the buffer referenced until the native
 * call is over, and makes it with `new Uint8Array(new ArrayBuffer(n))`: engines may move small arrays made otherwise.
 */
export function addressOf(bytes: Uint8Array): bigint {
  native ??= load();
  return native.addressOf(bytes);
}

/** A zero-terminated string for a `bytes` parameter. */
export function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}
