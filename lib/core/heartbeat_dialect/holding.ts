/**
 * What a node of a haresources pair holds, in the words of Heartbeat (protocol reference 9.1): its own groups
 * (`local`), those of the other node (`foreign`), both or neither. A daemon of Heartbeat knows no parts of these sets.
 */

export type Holding = "none" | "local" | "foreign" | "all";
/** Sets that a negotiation can be about. */
export type GroupSet = Exclude<Holding, "none">;
/** One of the two sets that every group of the pair belongs to. */
export type Side = "local" | "foreign";
export const sides: readonly Side[] = ["local", "foreign"];

export function holding(hasLocal: boolean, hasForeign: boolean): Holding {
  if (hasLocal) return hasForeign ? "all" : "local";
  return hasForeign ? "foreign" : "none";
}

export function covers(holding: Holding, side: Side): boolean {
  return holding === "all" || holding === side;
}

/** The same groups in the words of the other node. */
export function seenByOther(side: Side): Side {
  return side === "local" ? "foreign" : "local";
}

export function swapped(of: GroupSet): GroupSet;
export function swapped(of: Holding): Holding;
export function swapped(of: Holding): Holding {
  return holding(covers(of, "foreign"), covers(of, "local"));
}

export function without(of: Holding, less: Holding): Holding {
  return holding(
    covers(of, "local") && !covers(less, "local"),
    covers(of, "foreign") && !covers(less, "foreign"),
  );
}

export function together(a: Holding, b: Holding): Holding {
  return holding(
    covers(a, "local") || covers(b, "local"),
    covers(a, "foreign") || covers(b, "foreign"),
  );
}

/** `null`: not a word of the protocol. */
export function readHolding(text: string | undefined): Holding | null {
  return text === "none" || text === "local" || text === "foreign" || text === "all" ? text : null;
}
