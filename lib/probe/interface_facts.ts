/** What the kernel says of an interface, from /sys/class/net: is there a carrier, and how fast is it. */

import { readFile } from "node:fs/promises";

export interface InterfaceFacts {
  readonly name: string;
  /** `null`: the interface is down, or there is none of that name. */
  readonly hasCarrier: boolean | null;
  /** `null`: not known, as of most virtual interfaces. */
  readonly speedMbit: number | null;
  readonly duplex: "full" | "half" | null;
  readonly mtuBytes: number | null;
  /** Times that the carrier went away, since the interface was made. */
  readonly carrierLosses: number | null;
}

export async function interfaceFacts(name: string): Promise<InterfaceFacts> {
  const read = async (file: string) =>
    (await readFile(`/sys/class/net/${name}/${file}`, "utf8").catch(() => "")).trim();
  const [carrier, speed, duplex, mtu, losses] = await Promise.all(
    ["carrier", "speed", "duplex", "mtu", "carrier_down_count"].map(read) as [
      Promise<string>,
      Promise<string>,
      Promise<string>,
      Promise<string>,
      Promise<string>,
    ],
  );
  const positive = (text: string) => /^\d+$/.test(text) ? Number(text) : null;
  return {
    name,
    hasCarrier: carrier === "1" ? true : carrier === "0" ? false : null,
    speedMbit: positive(speed),
    duplex: duplex === "full" || duplex === "half" ? duplex : null,
    mtuBytes: positive(mtu),
    carrierLosses: positive(losses),
  };
}
