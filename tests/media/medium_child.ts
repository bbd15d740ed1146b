/**
 * Runs one medium inside a network namespace, under either runtime: sends a packet every 20 ms and prints every
 * change, and every packet of more than one byte as text. The settings are JSON on the command line.
 */

import process from "node:process";
import { createMedia } from "../../lib/media/registry.ts";

const [medium] = createMedia([JSON.parse(process.argv[2]!)]);
await medium!.open({
  received: (packet) => {
    if (packet.length > 1) console.log(`received ${new TextDecoder().decode(packet).trim()}`);
  },
  failed: (reason) => {
    console.log(`failed: ${reason}`);
  },
  recovered: () => {
    console.log(`recovered: ${medium!.localAddress}`);
  },
});
console.log(`open: ${medium!.localAddress}`);
setInterval(() => medium!.send(Uint8Array.of(1)), 20);
