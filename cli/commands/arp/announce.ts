/**
 * `heartline arp announce`: tells the neighbours, a few times and then, if asked to, for ever. It announces what it is
 * told to; that the address is not here is said, but it is the operator's matter.
 */

import { EnvironmentError } from "../../../lib/errors.ts";
import { IFA_F } from "../../../lib/system/netlink.ts";
import { hardwareText } from "../../../lib/system/packets/ip_address.ts";
import type { AnnounceRequest } from "./options.ts";
import { findPlace, openSockets, pause, type Place, untilInterrupted } from "./place.ts";

/** Answers the exit code. */
export async function announce(request: AnnounceRequest): Promise<number> {
  const { vip } = request;
  const place = findPlace(request.device, vip.text);
  refuseUnready(request, place);
  const isHere = place.ownAddresses.some((own) => own.address === vip.text);
  if (!isHere) {
    console.error(
      `Note: ${vip.text} is not on this machine; neighbours will send its traffic here all the same`,
    );
  }
  // IPv6 has one form: a second packet would say the same.
  const forms = vip.family === 6 ? ["reply" as const] : request.forms;
  const { signal, stopListening } = untilInterrupted();
  const [socket] = openSockets(place.link, [vip.family]);
  let sent = 0;
  try {
    while (!signal.aborted) {
      for (const form of forms) socket!.announce(vip.text, form);
      sent++;
      const pauseMs = sent < request.count ? request.intervalMs : request.refreshMs;
      if (pauseMs === null || !await pause(pauseMs, signal)) break;
    }
  } finally {
    socket!.close();
    stopListening();
  }
  report(request, place, sent, isHere);
  return 0;
}

/** An IPv6 address whose duplicate address detection goes on, or found a duplicate, is nobody's to announce. */
function refuseUnready({ vip }: AnnounceRequest, { link, ownAddresses }: Place): void {
  const own = ownAddresses.find((info) => info.address === vip.text);
  if (own === undefined) return;
  if ((own.flags & IFA_F.DADFAILED) !== 0) {
    throw new EnvironmentError(
      `Cannot announce ${vip.text}: the kernel found that another machine has it (dadfailed); ` +
        `"heartline arp probe --vip ${vip.text} --dev ${link.name}" shows who`,
    );
  }
  if ((own.flags & IFA_F.TENTATIVE) !== 0) {
    throw new EnvironmentError(
      `Cannot announce ${vip.text}: the kernel still checks that nobody else has it (tentative); try again in 2 s`,
    );
  }
}

function report(request: AnnounceRequest, { link }: Place, sent: number, isHere: boolean): void {
  const address = request.vip.text;
  const hardware = hardwareText(link.hardware);
  const forms = request.vip.family === 6 ? ["advertisement"] : request.forms;
  if (request.isJson) {
    console.log(JSON.stringify({ schema: 1, address, device: link.name, hardware, forms, sent, isHere }));
    return;
  }
  const times = sent === 1 ? "once" : `${sent} times`;
  console.log(`Announced ${address} at ${hardware} on ${link.name} ${times} (${forms.join(" and ")})`);
}
