/**
 * What is left of a group whose stop is slow, or has failed: its addresses must not wait for that when another node
 * may take them, or has. Each of the two is told once.
 */

import type { Surroundings } from "./surroundings.ts";

export class Remains {
  #wasCutOff = false;
  #wasTaken = false;

  /** The group is held: what was told before is over. */
  reset(): void {
    this.#wasCutOff = false;
    this.#wasTaken = false;
  }

  /** Whether we have just been cut off, so that others are about to take over. */
  isNewlyCutOff({ isIsolated, mayKeep }: Surroundings): boolean {
    const was = this.#wasCutOff;
    this.#wasCutOff = isIsolated && !mayKeep;
    return this.#wasCutOff && !was;
  }

  /** Whether it is news that another node holds the group. */
  isNewlyTaken(isTaken: boolean): boolean {
    const was = this.#wasTaken;
    this.#wasTaken = isTaken;
    return isTaken && !was;
  }
}
