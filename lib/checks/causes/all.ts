/** All finders of causes: one line each here, one file each beside it. Of equal certainty, the earlier goes first. */

import type { CauseFinder } from "../cause.ts";
import { address } from "./address.ts";
import { authentication } from "./authentication.ts";
import { carrier } from "./carrier.ts";
import { contested } from "./contested.ts";
import { deadLink } from "./dead_link.ts";
import { firewall } from "./firewall.ts";
import { multicast } from "./multicast.ts";
import { oneWay } from "./one_way.ts";
import { packetSize } from "./packet_size.ts";
import { routerId } from "./router_id.ts";
import { settings } from "./settings.ts";
import { silentProcess } from "./silent_process.ts";
import { staleAddress } from "./stale_address.ts";
import { stranger } from "./stranger.ts";

export const finders: readonly CauseFinder[] = [
  carrier,
  address,
  firewall,
  authentication,
  routerId,
  settings,
  stranger,
  packetSize,
  oneWay,
  deadLink,
  staleAddress,
  silentProcess,
  multicast,
  contested,
];
