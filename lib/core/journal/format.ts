/**
 * What a journal holds: everything that a run of the core depends on, so that the run can be had again. Pure.
 *
 * A file is lines of JSON. A run begins with a header; then each step of the core is one line, in order:
 *
 *     {"journal":1,"version":…,"identity":…,"seed":…,"settings":…,"now":…,"at":…,"part":0}
 *     [3]                        a wake, 3 ms after the step before, which had no effects
 *     [0,0,1234567]              the same with effects, and their digest
 *     [12,["eth1",0,[4,"1f"]],99]  a message: medium, which kind, and the fields that changed since the last of it
 *     [1,{"kind":"outcome",…},98]  any other input, as it is
 *     [0,0,97,[{"kind":"report",…}]]  those effects that are decisions or questions are written out
 *     {"lost":17,"now":…}        that many steps could not be written in time: what follows cannot be replayed exactly
 *
 * No secret gets into it: keys, passwords of agents and the environment of scripts are left out of the settings; the
 * core never looks at them.
 */

import type { Effect } from "../effects.ts";
import type { ResourceSpec, Settings } from "../settings.ts";
import type { Input } from "../inputs.ts";
import type { Identity } from "../node.ts";

/** Raised when a reader of the former format would misread the new one. */
export const journalFormat = 1;

export interface JournalHeader {
  /** Format. */
  readonly journal: number;
  /** Of the program that wrote it. Another one may decide differently. */
  readonly version: string;
  readonly identity: Identity;
  /** Of the core's generator of chance. */
  readonly seed: number;
  readonly settings: Settings;
  /** Monotonic milliseconds, to which the first step's time is relative. */
  readonly now: number;
  /** The same moment by the clock on the wall, for people (ISO 8601). */
  readonly at: string;
  /** 0: the run begins here; else the run goes on from a file that was rotated away. */
  readonly part: number;
  /** Of a later part: how things stood, so that something can be had again even without the beginning. */
  readonly resume?: Resume;
}

/** What of a node's state can be told in a few words. */
export interface Resume {
  /** The latest news of each medium. */
  readonly media: ReadonlyArray<Extract<Input, { kind: "medium" }>>;
  readonly groups: ReadonlyArray<
    { readonly group: string; readonly isHeld: boolean; readonly epoch: number }
  >;
}

/** One step of the core, as it was. */
export interface JournalStep {
  readonly now: number;
  readonly input: Input;
  /** Of the effects (`digestOf`). */
  readonly digest: number;
  /** Those that are of note. */
  readonly noted: readonly Effect[];
}

/** Decisions, and questions that have an outcome. The rest goes on all the time and is told by the digest. */
export function isOfNote({ kind }: Effect): boolean {
  return kind !== "send" && kind !== "resend" && kind !== "renew" && kind !== "announce" &&
    kind !== "keep-epoch" && kind !== "answer";
}

export type JournalEntry =
  | { readonly kind: "header"; readonly header: JournalHeader }
  | { readonly kind: "step"; readonly step: JournalStep }
  | { readonly kind: "lost"; readonly count: number; readonly now: number }
  | { readonly kind: "unreadable"; readonly reason: string };

/** The settings without anything secret. */
export function withoutSecrets(settings: Settings): Settings {
  const { authentication, groups, fencing, process } = settings;
  return {
    ...settings,
    authentication: { ...authentication, keys: authentication.keys.map((key) => ({ ...key, secret: "" })) },
    groups: groups.map((group) => ({
      ...group,
      resources: group.resources.map((resource) => ({ ...resource, spec: plainSpec(resource.spec) })),
    })),
    fencing: fencing &&
      { ...fencing, devices: fencing.devices.map((device) => ({ ...device, options: {} })) },
    process: { ...process, environment: {} },
  };
}

function plainSpec(spec: ResourceSpec): ResourceSpec {
  switch (spec.kind) {
    case "ocf":
      return { ...spec, parameters: {} };
    case "ha":
    case "exec":
      return { ...spec, args: [] };
    default:
      return spec;
  }
}
