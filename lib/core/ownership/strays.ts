/**
 * Addresses of groups that are on this machine though the groups do not run here: put on by hand, or by another program.
 * Who holds such a group has a rival then, so it is always worth an alarm. They are not taken off: not ours, and somebody
 * may have put them on because nobody else would.
 */

import type { Context } from "../context.ts";
import type { Input } from "../inputs.ts";
import type { Keeper } from "./keeper.ts";

export class Strays {
  readonly #there = new Map<string, Extract<Input, { kind: "stray" }>>();

  note(context: Context, stray: Extract<Input, { kind: "stray" }>): void {
    const subject = `${stray.group} ${stray.address}`;
    if (stray.device !== null) {
      this.#there.set(subject, stray);
    } else {
      this.#there.delete(subject);
      context.clear("stray-address", subject, `${stray.address} is no longer on this machine`);
    }
  }

  /** While a group starts or stops its addresses are where they are to be. */
  watch(context: Context, keepers: readonly Keeper[]): void {
    for (const [subject, { group, address, device }] of this.#there) {
      const state = keepers.find(({ name }) => name === group)?.machine.state;
      if (state === "stopped") {
        const sentence =
          `${address} is on ${device} of this machine although ${group} does not run here: two machines ` +
          "may have it; if nobody meant that, take it off: heartline detect tells where else it is";
        context.raise("stray-address", subject, sentence, { group, address });
      } else context.clear("stray-address", subject, `${group} is ${state} here`);
    }
  }
}
