/**
 * What these settings do not protect against, in plain sentences, for `status`, for the start of the daemon and for
 * `config check`. Promises nothing that the kernel lease, the wire's veto, the ping arbiter and fencing do not keep: a
 * group all of whose nodes can be fenced is started elsewhere only after its holder was verified to be off.
 */

import { formatDuration } from "../durations.ts";
import { unfenceable } from "./fencing.ts";
import type { GroupSettings, ResourceSettings, Settings, VipSpec } from "../../core/settings.ts";

/** Empty where nothing is known to be unprotected. */
export function unprotectedSentences(settings: Settings): string[] {
  if (settings.nodes.length < 2) return [];
  const groups = settings.groups.filter((group) => group.nodes.length > 1);
  const unfenced = groups.filter((group) => unfenceable(settings, group.nodes).length > 0);
  const withAddress = unfenced.filter((group) => vips(group).length > 0);
  const withoutAddress = unfenced.filter((group) => vips(group).length === 0);
  const noFencing = settings.fencing === null
    ? "there is no fencing"
    : `no device can fence ${
      unfenceable(settings, [...new Set(unfenced.flatMap(({ nodes }) => nodes))]).join(", ")
    }`;
  const sentences: string[] = [];

  const holdsOn = settings.arbiters.filter((arbiter) => arbiter.onUnreachable.kind === "hold");
  if (withAddress.length > 0) {
    const where = `If nodes lose every heartbeat link and the service network between them, ${
      list(withAddress)
    }`;
    if (settings.arbiters.length === 0) {
      sentences.push(
        `${where} can be held twice until the network heals: there is no arbiter${
          settings.fencing === null ? " and no fencing" : `, and ${noFencing}`
        }.`,
      );
    } else if (holdsOn.length === settings.arbiters.length) {
      sentences.push(`${where} can be held twice: the arbiter's policy is to hold, and ${noFencing}.`);
    } else if (settings.arbiters.every((arbiter) => arbiter.onUnreachable.kind !== "release")) {
      const ms = Math.min(
        ...settings.arbiters.map(({ onUnreachable: policy }) =>
          policy.kind === "hold-for" ? policy.ms : Infinity
        ),
      );
      sentences.push(
        `${where} can be held twice for ${
          formatDuration(ms)
        }: the arbiter's policy is to hold that long, and ${noFencing}.`,
      );
    }
  }
  if (withoutAddress.length > 0) {
    const arbited = settings.arbiters.length > 0 ? " and still reach the arbiter" : "";
    sentences.push(
      `If nodes lose every heartbeat link to each other${arbited}, ${list(withoutAddress)} can run twice: ` +
        `without a virtual address nobody can ask the network who holds it, and ${noFencing}.`,
    );
  }
  const unleased = groups.filter((group) => vips(group).some((vip) => vip.leaseSeconds === null));
  if (unleased.length > 0) {
    sentences.push(
      `If the daemon of a holder is killed or hangs, the addresses of ${list(unleased)} stay on it: ` +
        `they have no lease, and the other nodes wait as long as they still answer.`,
    );
  }
  const scripted = withAddress.filter((group) => group.resources.some(isProcess));
  if (scripted.length > 0) {
    sentences.push(
      `If the daemon of a holder is killed or hangs, or its node is cut off, the services of ${
        list(scripted)
      } can go ` +
        `on running there while another node starts them: only the addresses have a lease, and ${noFencing}.`,
    );
  }
  return sentences;
}

function isProcess(resource: ResourceSettings): boolean {
  return resource.spec.kind !== "vip";
}

function vips(group: GroupSettings): VipSpec[] {
  return group.resources.map((resource) => resource.spec).filter((spec) => spec.kind === "vip");
}

function list(groups: readonly GroupSettings[]): string {
  const names = groups.map((group) => `"${group.name}"`);
  return names.length === 1
    ? `group ${names[0]}`
    : `groups ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
