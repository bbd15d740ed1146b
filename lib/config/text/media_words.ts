/** Words of media that ha.cf and heartline.yaml share: groups, devices of serial lines, speeds. */

import type { SerialBaud } from "../../core/settings.ts";
import type { Parsed } from "../problem.ts";
import { parseAddress } from "./addresses.ts";

export const serialBauds: readonly SerialBaud[] = [9600, 19200, 38400, 57600, 115200, 230400, 460800];

/** `family` null: either. */
export function parseMulticastGroup(text: string, family: 4 | 6 | null): Parsed<string> {
  const address = parseAddress(text);
  const range = family === 6 ? `ff00::/8, such as ff12::694` : `224.0.0.0/4, such as 225.0.0.1`;
  const wrong = (message: string) => ({ ok: false as const, message, hint: `write an address of ${range}` });
  if (address === null) return wrong(`"${text}" is not an IP address`);
  const isGroup = address.family === 6
    ? address.text.startsWith("ff")
    : /^2(2[4-9]|3\d)\./.test(address.text);
  if (!isGroup || (family !== null && family !== address.family)) {
    return wrong(`"${text}" is no ${family === null ? "" : `IPv${family} `}multicast address`);
  }
  return { ok: true, value: address.text };
}

export function parseTty(text: string): Parsed<string> {
  if (/^\/[^\s\0]*[^\s\0/]$/.test(text) && text.length <= 128) return { ok: true, value: text };
  return {
    ok: false,
    message: `"${text}" is not the absolute path of a device`,
    hint: "write a path such as /dev/ttyS0",
  };
}

export function parseBaud(text: string): Parsed<SerialBaud> {
  const baud = serialBauds.find((each) => String(each) === text);
  if (baud !== undefined) return { ok: true, value: baud };
  return { ok: false, message: `"${text}" is no speed`, hint: `write one of ${serialBauds.join(", ")}` };
}

export function parseWholeNumber(text: string, what: string, min: number, max: number): Parsed<number> {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (number >= min && number <= max) return { ok: true, value: number };
  return { ok: false, message: `"${text}" is no ${what}`, hint: `write a number from ${min} to ${max}` };
}
