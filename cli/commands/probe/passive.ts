/**
 * What the daemon of this machine heard of the others' heartbeats while we measured: the difference between two of
 * its views. The only sight of links that belong to the daemons alone. A daemon that does not run is no error.
 */

import type { LinkView, NodeView } from "../../../lib/core/view.ts";
import { EnvironmentError } from "../../../lib/errors.ts";
import { type Estimate, wilson } from "../../../lib/measure/interval.ts";
import { withDaemon } from "../../control.ts";

export interface PassiveLink {
  readonly peer: string;
  readonly link: string;
  readonly state: LinkView["state"];
  readonly heard: number;
  readonly lost: number;
  readonly loss: Estimate;
}

const limitMs = 2_000;

/** `null`: there is none. */
export async function viewOfDaemon(socket: string): Promise<NodeView | null> {
  try {
    return (await withDaemon(socket, limitMs, (client) => client.status())).result;
  } catch (error) {
    if (error instanceof EnvironmentError) return null;
    throw error;
  }
}

/** What was chosen; all where nothing was. */
export interface Chosen {
  readonly link?: readonly string[] | undefined;
  readonly peer?: string | undefined;
}

export function passiveLinks(
  before: NodeView | null,
  after: NodeView | null,
  chosen: Chosen,
): PassiveLink[] | null {
  if (before === null || after === null || before.generation !== after.generation) return null;
  const peers = after.peers.filter(({ node }) => (chosen.peer?.toLowerCase() ?? node) === node);
  return peers.flatMap(({ node: peer, links }) =>
    links.filter(({ medium }) => chosen.link?.includes(medium) ?? true).map((link): PassiveLink => {
      const earlier = before.peers.find(({ node }) => node === peer)?.links
        .find(({ medium }) => medium === link.medium);
      const heard = link.received - (earlier?.received ?? 0);
      const lost = link.lost - (earlier?.lost ?? 0);
      return { peer, link: link.medium, state: link.state, heard, lost, loss: wilson(lost, heard + lost) };
    })
  );
}
