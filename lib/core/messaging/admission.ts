/**
 * Lets in the messages of configured nodes and refuses the rest: of unknown nodes, of another machine with our name,
 * and replays of earlier runs. An own packet that comes back (broadcast) is neither.
 */

import type { Context } from "../context.ts";
import type { MessageInput } from "../inputs.ts";
import type { Peer } from "../membership/peer.ts";
import type { Roster } from "../membership/roster.ts";
import type { Refusal } from "../../wire/message.ts";
import type { Refusals } from "./refusals.ts";

/** The sender, `null`: the message ends here. */
export function admit(
  context: Context,
  roster: Roster,
  refusals: Refusals,
  input: MessageInput,
): Peer | null {
  const { source, generation, sequence } = input.message;
  const refuse = (reason: Refusal, detail: string) => {
    refusals.note(context, { reason, medium: input.medium, from: source, detail, count: 1 });
    return null;
  };
  if (source === roster.self) {
    if (generation === roster.generation) return null;
    return refuse("own-message", "another machine uses the name of this node");
  }
  const peer = roster.peer(source);
  if (peer === undefined) return refuse("unknown-node", "it is not among the configured nodes");
  const known = peer.tracker.generation;
  // Outside the sequence a generation may be left out (protocol reference 6.2); an earlier one is a replay all the same.
  const isWithout = sequence === null && generation === 0;
  if (known !== null && generation < known && !isWithout) {
    return refuse("old-generation", "a replay from before its last start, or its hb_generation was set back");
  }
  return peer;
}
