/**
 * A serial line as bytes: raw, 8N1, hardware flow control, modem lines ignored. Nothing here ever waits: what cannot
 * be read or written now is tried again by a caller with a timer. The settings go through the kernel's own TCSETS,
 * because libc's `cfsetspeed` takes different numbers in glibc 2.42, in earlier ones and in musl.
 */

import { Errno, succeed, SystemError } from "./errno.ts";
import { cString, errno, libc } from "./libc.ts";

const openFlags = 0o2 | 0o400 | 0o4000 | 0o2000000; // read and write, no controlling tty, non-blocking, close on exec
const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TIOCOUTQ = 0x5411;
const queue = { input: 0, output: 1, both: 2 } as const;

/** struct termios of the kernel: four words of flags, the line discipline, 19 control characters. */
const termiosBytes = 36;
const at = { input: 0, output: 4, control: 8, local: 12, discipline: 16, characters: 17 } as const;
const character = { time: 5, min: 6 } as const;
const ignoreBreak = 0o1;
const control = { size8: 0o60, read: 0o200, hangUp: 0o2000, local: 0o4000, rtsCts: 0o20000000000 } as const;

/** Bits of the control word. */
const speeds: Readonly<Record<number, number>> = {
  9600: 0o15,
  19200: 0o16,
  38400: 0o17,
  57600: 0o10001,
  115200: 0o10002,
  230400: 0o10003,
  460800: 0o10004,
};

export class Tty {
  #descriptor: number;

  private constructor(readonly path: string, descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Throws a SystemError: EACCES, ENOENT, ENOTTY… What came in before is thrown away. */
  static open(path: string, baud: number): Tty {
    const speed = speeds[baud];
    if (speed === undefined) {
      throw new SystemError(`set "${path}" to ${baud} baud`, "tcsetattr", Errno.EINVAL);
    }
    const purpose = `open serial line "${path}"`;
    const tty = new Tty(path, succeed(libc().open(cString(path), openFlags, 0), purpose, "open"));
    try {
      const termios = new Uint8Array(new ArrayBuffer(termiosBytes));
      const view = new DataView(termios.buffer);
      succeed(libc().ioctl(tty.#descriptor, TCGETS, termios), purpose, "tcgetattr");
      view.setUint32(at.input, ignoreBreak, true);
      view.setUint32(at.output, 0, true);
      const { size8, read, hangUp, local, rtsCts } = control;
      view.setUint32(at.control, (size8 | read | hangUp | local | rtsCts | speed) >>> 0, true);
      view.setUint32(at.local, 0, true);
      termios[at.discipline] = 0;
      // Reads come back at once, with what there is.
      termios[at.characters + character.time] = 0;
      termios[at.characters + character.min] = 0;
      succeed(libc().ioctl(tty.#descriptor, TCSETS, termios), purpose, "tcsetattr");
      succeed(libc().tcflush(tty.#descriptor, queue.both), purpose, "tcflush");
      return tty;
    } catch (error) {
      tty.close();
      throw error;
    }
  }

  /** Bytes read into the buffer, 0: none are there. Throws a SystemError when the line is gone. */
  read(buffer: Uint8Array): number {
    return this.#counted(libc().read(this.#descriptor, buffer, buffer.length), "read");
  }

  /** Bytes taken, 0: none now. Throws a SystemError when the line is gone. */
  write(bytes: Uint8Array): number {
    return this.#counted(libc().write(this.#descriptor, bytes, bytes.length), "write");
  }

  /** Bytes written that have not left yet. */
  outputBytes(): number {
    const count = new Uint8Array(new ArrayBuffer(4));
    if (libc().ioctl(this.#descriptor, TIOCOUTQ, count) !== 0) return 0;
    return new DataView(count.buffer).getInt32(0, true);
  }

  /** Throws away what has not left yet. */
  flushOutput(): void {
    libc().tcflush(this.#descriptor, queue.output);
  }

  /** Idempotent. Output that has not left is thrown away, because the kernel would wait for it. */
  close(): void {
    if (this.#descriptor < 0) return;
    this.flushOutput();
    libc().close(this.#descriptor);
    this.#descriptor = -1;
  }

  #counted(result: number, call: string): number {
    if (result >= 0) return result;
    const code = errno();
    if (code === Errno.EAGAIN || code === Errno.EINTR) return 0;
    throw new SystemError(`use serial line "${this.path}"`, call, code);
  }
}
