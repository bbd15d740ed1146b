/**
 * Asks a machine's kernel whether anybody there listens on a UDP port, or for VRRP: it says so by ICMP when nobody
 * does. A packet without meaning, which every receiver drops. It never waits, and silence proves nothing: a firewall, or
 * a program that listens, looks alike.
 */

import { Errno } from "./errno.ts";
import { libc } from "./libc.ts";
import { ipProtocol } from "./packets/ip_packet.ts";
import { AF, internetSocketAddress, NativeSocket, SOCK } from "./socket.ts";

/** The kernel attributes an ICMP error to us only when it quotes eight bytes of ours. As VRRP it is of version 0. */
const meaningless = new Uint8Array(new ArrayBuffer(8));

export class KnockSocket {
  readonly #socket: NativeSocket;

  private constructor(socket: NativeSocket) {
    this.#socket = socket;
  }

  /** `port` `null`: VRRP. Throws a SystemError: no permission for a raw socket, or no route. */
  static open(address: string, port: number | null): KnockSocket {
    const purpose = `ask whether anybody listens at "${address}"`;
    const domain = address.includes(":") ? AF.INET6 : AF.INET;
    const [type, protocol] = port === null ? [SOCK.RAW, ipProtocol.vrrp] : [SOCK.DGRAM, 0];
    const socket = NativeSocket.open(domain, type, protocol, purpose);
    // Connected, so that the kernel hands us the error that comes back. A failure to connect shows when it is sent.
    const to = internetSocketAddress(address, port ?? 0);
    libc().connect(socket.descriptor, to, to.length);
    return new KnockSocket(socket);
  }

  knock(): void {
    this.#socket.trySend(meaningless, null);
  }

  /** Whether the far kernel has said that nobody listens. */
  isClosed(): boolean {
    const result = this.#socket.tryReceive();
    return result === Errno.ECONNREFUSED || result === Errno.ENOPROTOOPT;
  }

  close(): void {
    this.#socket.close();
  }
}
