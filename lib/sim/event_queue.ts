/**
 * What happens next in virtual time: a binary heap, ordered by time and, at the same time, by order of arrival. It is
 * kept in three arrays side by side, so that an event costs no object beyond what is to be done.
 */

/** What is done at its time. Frequent events are objects of their own, so that no closure is made for each. */
export interface Task {
  run(): void;
}

export class EventQueue {
  nowMs = 0;
  /** Events run so far. */
  count = 0;
  #order = 0;
  #size = 0;
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #tasks: Task[] = [];

  at(atMs: number, run: () => void): void {
    this.put(atMs, { run });
  }

  in(delayMs: number, run: () => void): void {
    this.put(this.nowMs + delayMs, { run });
  }

  put(atMs: number, task: Task): void {
    const time = atMs > this.nowMs ? atMs : this.nowMs;
    let child = this.#size++;
    // A new event is the last of its time: it rises only past later ones.
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (this.#times[parent]! <= time) break;
      this.#move(parent, child);
      child = parent;
    }
    this.#set(child, time, this.#order++, task);
  }

  /** Runs all events up to and including an instant; ends early once `isOver` says so. */
  runUntil(untilMs: number, isOver: () => boolean = () => false): void {
    while (this.#size > 0 && this.#times[0]! <= untilMs) {
      this.nowMs = this.#times[0]!;
      const task = this.#tasks[0]!;
      this.#removeFirst();
      this.count++;
      task.run();
      if (isOver()) return;
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** The last entry sinks from the top, past all that come before it. */
  #removeFirst(): void {
    const size = --this.#size;
    const time = this.#times[size]!;
    const order = this.#orders[size]!;
    const task = this.#tasks[size]!;
    let hole = 0;
    while (true) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(child + 1, this.#times[child]!, this.#orders[child]!)) child++;
      if (!this.#isBefore(child, time, order)) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#set(hole, time, order, task);
  }

  #isBefore(index: number, time: number, order: number): boolean {
    const at = this.#times[index]!;
    return at < time || (at === time && this.#orders[index]! < order);
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from]!;
    this.#orders[to] = this.#orders[from]!;
    this.#tasks[to] = this.#tasks[from]!;
  }

  #set(index: number, time: number, order: number, task: Task): void {
    this.#times[index] = time;
    this.#orders[index] = order;
    this.#tasks[index] = task;
  }
}
