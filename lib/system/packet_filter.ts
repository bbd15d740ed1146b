/**
 * Programs that the kernel runs on each packet before it is put into a socket (classic BPF, socket(7)), so that
 * traffic nobody asked for costs nothing. Written with named jumps and assembled here; it knows no protocol.
 */

import { InvariantError } from "../errors.ts";
import { addressOf } from "./libc.ts";
import { type NativeSocket, SO, SOL_SOCKET } from "./socket.ts";

export const filterCode = {
  /** Load a byte, a half word, a word at a fixed place. */
  loadByte: 0x30,
  loadHalf: 0x28,
  loadWord: 0x20,
  /** Load a byte, a half word at a place behind an IPv4 header, whose length is in the index register. */
  loadByteIndexed: 0x50,
  loadHalfIndexed: 0x48,
  /** Index register = length of the IPv4 header that begins at the operand. */
  loadHeaderLength: 0xb1,
  jumpIfEqual: 0x15,
  jumpIfAnyBit: 0x45,
  answer: 0x06,
} as const;

/** Place of the packet's Ethernet type, which a socket without link-layer header does not see otherwise. */
export const filterEthernetType = 0xfffff000;

export interface FilterStep {
  /** Where others may jump to. */
  readonly name?: string;
  readonly code: number;
  readonly operand: number;
  /** Jumps: the step to go to; left out: the next one. */
  readonly ifTrue?: string;
  readonly ifFalse?: string;
}

export const keepPacket: FilterStep = { name: "keep", code: filterCode.answer, operand: 0x40000 };
export const dropPacket: FilterStep = { name: "drop", code: filterCode.answer, operand: 0 };

/** Throws a SystemError when the kernel refuses. `purpose` completes "Cannot …". */
export function attachFilter(socket: NativeSocket, steps: readonly FilterStep[], purpose: string): void {
  const program = assemble(steps);
  const header = new Uint8Array(16); // struct sock_fprog: length and pointer
  const view = new DataView(header.buffer);
  view.setUint16(0, steps.length, true);
  view.setBigUint64(8, addressOf(program), true);
  socket.setOption(SOL_SOCKET, SO.ATTACH_FILTER, header, purpose);
  // Read again after the call, so that no engine frees the program while the kernel copies it.
  if (program.length === 0) throw new InvariantError("a packet filter is empty");
}

/** struct sock_filter for each step: code, jump if true, jump if false, operand. */
export function assemble(steps: readonly FilterStep[]): Uint8Array {
  const program = new Uint8Array(new ArrayBuffer(steps.length * 8));
  const view = new DataView(program.buffer);
  const distance = (from: number, name: string | undefined) => {
    if (name === undefined) return 0;
    const skipped = steps.findIndex((step) => step.name === name) - from - 1;
    if (skipped < 0 || skipped > 255) throw new InvariantError(`a packet filter cannot jump to "${name}"`);
    return skipped;
  };
  steps.forEach(({ code, operand, ifTrue, ifFalse }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, distance(index, ifTrue));
    view.setUint8(index * 8 + 3, distance(index, ifFalse));
    view.setUint32(index * 8 + 4, operand, true);
  });
  return program;
}
