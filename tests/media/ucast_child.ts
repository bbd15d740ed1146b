/**
 * Runs one unicast medium inside a network namespace for `ucast_recovery_test.ts`, under either runtime: sends a
 * packet every 20 ms and prints every change and the first packet after a recovery. `DEVICE PEER PORT`.
 */

import process from "node:process";
import { createMedia } from "../../lib/media/registry.ts";

const [device, peer, port] = process.argv.slice(2) as [string, string, string];
const [medium] = createMedia([{ kind: "ucast", device, peer, port: Number(port), local: null }]);
let isNews = true;

await medium!.open({
  received: (_packet, from) => {
    if (isNews) console.log(`received from ${from}`);
    isNews = false;
  },
  failed: (reason) => {
    console.log(`failed: ${reason}`);
  },
  recovered: () => {
    console.log(`recovered: ${medium!.localAddress}`);
    isNews = true;
  },
});
console.log(`open: ${medium!.localAddress}`);
setInterval(() => medium!.send(Uint8Array.of(1)), 20);
