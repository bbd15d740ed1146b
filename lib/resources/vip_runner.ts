/**
 * The virtual address as one resource among others, for callers that come and go, such as `heartline resource`. The
 * daemon does not use this: it keeps a `VipHolder` and an `Announcer` for as long as it holds the group.
 *
 * Who comes and goes cannot renew a lease, so the address is put there without one, and the outcome says so. An
 * address that has a lease belongs to a running daemon: it is left exactly as it is, because taking its lease away
 * would take away the safety that rests on it.
 */

import type { ResourceOutcome } from "../core/inputs.ts";
import type { VipSpec } from "../core/settings.ts";
import { askWire } from "../system/ask_wire.ts";
import { monotonicMs } from "../system/clock.ts";
import { Netlink } from "../system/netlink.ts";
import { hardwareText } from "../system/packets/ip_address.ts";
import { ANNOUNCE_AT_MS, type Announcer, openAnnouncer } from "./announcer.ts";
import { keepSecondaries } from "./keep_secondaries.ts";
import type { Operation, OperationContext, ResourceRunner } from "./resource.ts";
import { VipHolder, type VipParts } from "./vip.ts";

const GENERIC = 1;

/** The parts of a holder on this machine. */
export function systemVipParts(table: Netlink): VipParts {
  return { table, now: monotonicMs, keepSecondaries };
}

export class VipRunner implements ResourceRunner<VipSpec> {
  readonly #announcements: Promise<void>[] = [];

  async run(spec: VipSpec, operation: Operation, context: OperationContext): Promise<ResourceOutcome> {
    let table: Netlink | null = null;
    try {
      table = Netlink.open();
      const holder = new VipHolder({ ...spec, leaseSeconds: null }, systemVipParts(table));
      if (operation === "monitor") return holder.monitor();
      if (operation === "stop") return holder.drop();
      return await this.#start(spec, holder, context);
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error));
    } finally {
      table?.close();
    }
  }

  describe(spec: VipSpec, operation: Operation): string {
    const device = spec.device ?? "(the interface of its subnet)";
    const address = spec.prefix === null ? spec.address : `${spec.address}/${spec.prefix}`;
    switch (operation) {
      case "start": {
        const question = spec.duplicateCheckMs > 0
          ? `ask for ${spec.duplicateCheckMs} ms who has ${spec.address}, `
          : "";
        return `${question}add ${address} to ${device} without a lease, announce it ${ANNOUNCE_AT_MS.length} times`;
      }
      case "stop":
        return `remove ${spec.address} from ${device}`;
      case "monitor":
        return `look for ${spec.address} on ${device}`;
    }
  }

  /** Resolves when the announcements of all starts are out; until then the process should live. */
  async finish(): Promise<void> {
    await Promise.all(this.#announcements);
  }

  async #start(spec: VipSpec, holder: VipHolder, context: OperationContext): Promise<ResourceOutcome> {
    const startedMs = monotonicMs();
    const before = holder.instance();
    if (before !== null && before.validSeconds !== null) {
      const reason =
        `was there already, with a lease of a running daemon (${before.validSeconds} s left); left as it is`;
      return { ...holder.monitor(), reason };
    }
    const refusal = before === null ? await this.#askForRivals(spec, holder, context) : null;
    if (refusal !== null) return { ...failed(refusal), durationMs: Math.round(monotonicMs() - startedMs) };
    const outcome = holder.start();
    if (outcome.result !== "running") return outcome;
    const note = this.#announce(spec, holder, context);
    return {
      ...outcome,
      reason: `${outcome.reason}; without a lease, which only a running daemon can renew${note}`,
      durationMs: Math.round(monotonicMs() - startedMs),
    };
  }

  /** Why the address must not be taken; `null`: nobody answered for it, or nobody is to be asked. */
  async #askForRivals(spec: VipSpec, holder: VipHolder, context: OperationContext): Promise<string | null> {
    const place = holder.findPlace();
    // What is wrong with the place is told by the start itself.
    if (typeof place === "string" || spec.duplicateCheckMs <= 0 || !place.link.hasNeighbours) return null;
    const verdict = await askWire({
      addresses: [{ address: spec.address, device: place.link.name }],
      windowMs: Math.min(spec.duplicateCheckMs, context.limitMs),
      ignore: context.ignoreAnswersFrom ?? [],
    });
    const cannot = `Cannot start address "${spec.address}":`;
    switch (verdict.kind) {
      case "silent":
        return null;
      case "answered":
        return `${cannot} ${verdict.hardware} answers for it on ${place.link.name}; stop it there first`;
      case "contended":
        return `${cannot} ${verdict.hardware} is about to take it on ${place.link.name}; see what runs there`;
      case "blind":
        return `${cannot} nobody could be asked whether it is taken: ${verdict.reason}; ` +
          `with duplicate-check=off it is taken unasked`;
    }
  }

  /** Announces from now on in the background; answers a remark where that cannot be. */
  #announce(spec: VipSpec, holder: VipHolder, context: OperationContext): string {
    const place = holder.place;
    if (place === null) return "";
    const table = Netlink.open();
    try {
      const own = new VipHolder(holder.spec, systemVipParts(table));
      const ignore = [
        ...table.links().map((link) => hardwareText(link.hardware)),
        ...(context.ignoreAnswersFrom ?? []),
      ];
      const announcer = openAnnouncer({ ...spec, announceRefreshMs: 0 }, place.link, {
        isHeld: () => own.isPresent(),
        ignore,
      });
      if (announcer === null) {
        table.close();
        return "";
      }
      announcer.start();
      this.#announcements.push(burst(announcer, table));
      return "";
    } catch (error) {
      table.close();
      return `; not announced: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}

async function burst(announcer: Announcer, table: Netlink): Promise<void> {
  const lastMs = ANNOUNCE_AT_MS.at(-1) ?? 0;
  await new Promise((resolve) => setTimeout(resolve, lastMs + 20));
  announcer.close();
  table.close();
}

function failed(reason: string): ResourceOutcome {
  return { kind: "resource", result: "failed", code: GENERIC, reason, output: [], durationMs: 0 };
}
