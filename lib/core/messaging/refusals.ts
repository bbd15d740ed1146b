/**
 * Counts what was refused, by reason, and says so once per burst: what strangers send must not fill the log. What
 * a peer sends is never an error.
 */

import type { Context } from "../context.ts";
import type { Input } from "../inputs.ts";
import { after, type Instant } from "../instant.ts";
import { refusalReportMs } from "../limits.ts";
import type { Refusal } from "../../wire/message.ts";

export type Refused = Omit<Extract<Input, { kind: "refused" }>, "kind">;

export class Refusals {
  readonly counts: Partial<Record<Refusal, number>> = {};
  /** The same, by medium. */
  readonly byMedium = new Map<string, Partial<Record<Refusal, number>>>();
  readonly #reportedAt = new Map<Refusal, Instant>();

  note(context: Context, refused: Refused): void {
    const { reason, medium, from, detail } = refused;
    const count = (this.counts[reason] ?? 0) + refused.count;
    this.counts[reason] = count;
    const ofMedium = this.byMedium.get(medium) ?? {};
    ofMedium[reason] = (ofMedium[reason] ?? 0) + refused.count;
    this.byMedium.set(medium, ofMedium);
    const last = this.#reportedAt.get(reason);
    if (last !== undefined && context.now < after(last, refusalReportMs)) return;
    this.#reportedAt.set(reason, context.now);
    const sentence =
      `refused ${
        reason === "bad-dead-time" ? "a field of a" : "a"
      } packet on ${medium} from ${from}: ${reason}${detail === "" ? "" : `, ${detail}`}; ` +
      `${count} so far, more of this kind are only counted for a while`;
    context.report("warning", "refused", sentence, { reason, medium, from, count });
  }
}
