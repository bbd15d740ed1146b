/**
 * When an IPv4 address goes, by hand or because its lease ran out, the kernel throws away all other addresses of its
 * subnet that were added after it, unless `promote_secondaries` is set. The machine's own address can come after a
 * virtual one (its interface was set down and up again); losing the virtual one must never take it along.
 *
 * Sets the switch for one interface, as systemd does for all on most machines. Does nothing where it is set.
 */

import { readFileSync, writeFileSync } from "node:fs";

const settingOf = (device: string) => `/proc/sys/net/ipv4/conf/${device}/promote_secondaries`;

/** Throws nothing: on a machine that does not allow it the address is still worth having. */
export function keepSecondaries(device: string): void {
  try {
    if ([settingOf("all"), settingOf(device)].some((file) => readFileSync(file, "utf8").trim() !== "0")) {
      return;
    }
    writeFileSync(settingOf(device), "1\n");
  } catch {
    // A read-only /proc, as in some containers.
  }
}
