/**
 * The negotiation by which a haresources pair moves a set of groups (protocol reference 9.5), from this node's view.
 * It decides what a step of the other node, or the end of our own work, leads to; it sends and moves nothing itself.
 * It must never let us say `done` before our groups are stopped, nor let us start before the other said `done`.
 *
 *           ask me ▶                ◀ ask other              all stopped, ask done ▶
 *   idle ───────────▶ offered ─────────────────▶ releasing ─────────────────────────▶ handed ─── ◀ ask done ──▶ idle
 *     │                                                                        we give
 *     │ ◀ ask me, ask other ▶                   ◀ ask done              all started, ask done ▶
 *     └────────────────────────▶ promised ──────────────▶ taking ─────────────────────────────────────────────▶ idle
 *                                                                              we take
 */

export type StandbyState = "idle" | "offered" | "releasing" | "handed" | "promised" | "taking";

export type StandbyInput =
  | "hears-me"
  | "hears-other"
  | "hears-done"
  /** Our groups of the set are stopped. */
  | "released"
  /** Our groups of the set run, or cannot be started. */
  | "taken"
  | "expired"
  /** As giver, the other node has begun to stop the set. */
  | "begins"
  /** Where that cannot be of before: the other node states that it holds the set. */
  | "states-held"
  /** The other node is out of view, gone or restarted. */
  | "partner-gone";

/** What is to be done besides the change of state. */
export type StandbyAct =
  | "nothing"
  /** The step does not fit: said and left, as Heartbeat does. */
  | "ignore"
  | "say-other"
  | "release"
  | "say-done"
  | "take"
  | "finish"
  | "cancel";

export interface StandbyStep {
  readonly to: StandbyState;
  readonly act: StandbyAct;
}

const stay = (to: StandbyState): StandbyStep => ({ to, act: "nothing" });
const ignore = (to: StandbyState): StandbyStep => ({ to, act: "ignore" });
const cancel: StandbyStep = { to: "idle", act: "cancel" };

/**
 * All pairs. `hears-me` in `idle` holds when this node can take the set; whether it can is asked before. `begins` there
 * is of a set whose promise was given up too early.
 *
 * That a daemon states a set as not held, stable or not, ends nothing: it says so too, when something makes it speak,
 * while it starts or stops the set; it counts a set as held only when its own start is through.
 */
export const standbySteps: Readonly<Record<StandbyState, Readonly<Record<StandbyInput, StandbyStep>>>> = {
  idle: {
    "hears-me": { to: "promised", act: "say-other" },
    "hears-other": ignore("idle"),
    "hears-done": ignore("idle"),
    released: stay("idle"),
    taken: stay("idle"),
    expired: stay("idle"),
    begins: { to: "promised", act: "nothing" },
    "states-held": stay("idle"),
    "partner-gone": stay("idle"),
  },
  offered: {
    "hears-me": ignore("offered"),
    "hears-other": { to: "releasing", act: "release" },
    "hears-done": ignore("offered"),
    released: stay("offered"),
    taken: stay("offered"),
    expired: cancel,
    begins: stay("offered"),
    "states-held": stay("offered"),
    "partner-gone": cancel,
  },
  releasing: {
    "hears-me": ignore("releasing"),
    "hears-other": ignore("releasing"),
    "hears-done": ignore("releasing"),
    released: { to: "handed", act: "say-done" },
    taken: stay("releasing"),
    expired: cancel,
    begins: stay("releasing"),
    "states-held": stay("releasing"),
    "partner-gone": cancel,
  },
  handed: {
    "hears-me": ignore("handed"),
    "hears-other": ignore("handed"),
    "hears-done": { to: "idle", act: "finish" },
    released: stay("handed"),
    taken: stay("handed"),
    expired: cancel,
    begins: stay("handed"),
    "states-held": { to: "idle", act: "finish" },
    "partner-gone": cancel,
  },
  promised: {
    "hears-me": ignore("promised"),
    "hears-other": ignore("promised"),
    "hears-done": { to: "taking", act: "take" },
    released: stay("promised"),
    taken: stay("promised"),
    expired: cancel,
    begins: stay("promised"),
    "states-held": cancel,
    "partner-gone": cancel,
  },
  taking: {
    "hears-me": ignore("taking"),
    "hears-other": ignore("taking"),
    "hears-done": ignore("taking"),
    released: stay("taking"),
    taken: { to: "idle", act: "say-done" },
    expired: cancel,
    begins: stay("taking"),
    "states-held": stay("taking"),
    "partner-gone": cancel,
  },
};
