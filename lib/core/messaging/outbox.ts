/**
 * Numbers what this node sends (protocol reference 6.1): one counter per run of the daemon, shared by all types and
 * destinations; the `NS_` types have none. It keeps no packets: those are with the driver, which can send them again.
 */

import type { Context } from "../context.ts";
import type { Statement } from "../../wire/statement.ts";

export interface Draft {
  readonly type: string;
  /** String fields in wire order, after `t` and `dest`. */
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>;
  /** Node that the message is for; for everyone where it is left out. */
  readonly destination?: string;
  /** Only of a heartbeat. */
  readonly statement?: Statement;
}

export class Outbox {
  #last = 0;
  /** Messages sent on every medium, those outside the sequence too; what was sent again is not among them. */
  count = 0;

  /** Number of the latest message; 0: none yet. */
  get last(): number {
    return this.#last;
  }

  /** Sends a message within the sequence. Returns its number. */
  send(context: Context, draft: Draft): number {
    this.#emit(context, draft, ++this.#last);
    return this.#last;
  }

  /** Sends a message outside the sequence, of an `NS_` type: it is never sent again. */
  sendUnnumbered(context: Context, draft: Draft): void {
    this.#emit(context, draft, null);
  }

  #emit(context: Context, draft: Draft, sequence: number | null): void {
    this.count++;
    context.emit({
      kind: "send",
      type: draft.type,
      sequence,
      destination: draft.destination ?? null,
      fields: draft.fields,
      statement: draft.statement ?? null,
    });
  }
}
