/**
 * One client of the control socket. Decides, from what it sends and how fast it reads, whether it is served or
 * dropped. Must never throw, never keep more than the limits allow, and never serve two of its requests in one turn
 * of the event loop: heartbeats go first.
 */

import type { Socket } from "node:net";
import {
  type ControlErrorCode,
  controlLimits,
  type ControlRequest,
  controlSchema,
  type ControlTarget,
  parseRequest,
  type RequestId,
} from "./control_protocol.ts";

export class ControlConnection {
  #buffer = "";
  #isScheduled = false;
  #isEnding = false;
  #isGone = false;
  #commands = 0;
  #probes = 0;
  #watch: ReturnType<typeof setInterval> | null = null;

  constructor(
    private readonly socket: Socket,
    private readonly target: ControlTarget,
    private readonly gone: () => void,
  ) {
    socket.setEncoding("utf8");
    // A reset client is an ordinary client; "close" follows.
    socket.on("error", () => {});
    socket.on("close", () => this.drop());
    socket.on("data", (chunk) => this.#receive(String(chunk)));
    socket.setTimeout(controlLimits.idleMsMax, () => {
      // Who waits for us is not idle; our answer starts the clock again.
      if (this.#commands + this.#probes === 0) this.drop();
    });
  }

  /** Says why, and hangs up. */
  refuse(code: ControlErrorCode, message: string): void {
    this.#fail(null, code, message);
    this.#hangUp();
  }

  drop(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (this.#watch !== null) clearInterval(this.#watch);
    this.socket.destroy();
    this.gone();
  }

  #hangUp(): void {
    this.#isEnding = true;
    this.#buffer = "";
    this.socket.end(() => this.drop());
  }

  #receive(chunk: string): void {
    if (this.#isEnding || this.#isGone) return;
    this.#buffer += chunk;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isEnding || this.#isGone) return;
    const end = this.#buffer.indexOf("\n");
    const { lineBytesMax } = controlLimits;
    if (end > lineBytesMax || (end < 0 && this.#buffer.length > lineBytesMax)) {
      this.refuse("too-long", `this line is too long; at most ${lineBytesMax} bytes are taken`);
      return;
    }
    if (end < 0) {
      this.socket.resume();
      return;
    }
    this.socket.pause();
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#isEnding || this.#isGone) return;
      const line = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + 1);
      if (line.trim() !== "") this.#serve(line);
      this.#schedule();
    });
  }

  #serve(line: string): void {
    const parsed = parseRequest(line);
    if (!parsed.ok) {
      this.#fail(parsed.id, "malformed", parsed.message);
      return;
    }
    try {
      this.#dispatch(parsed.id, parsed.request);
    } catch (cause) {
      this.#fail(parsed.id, "internal", `BUG: ${messageOf(cause)}`);
    }
  }

  #dispatch(id: RequestId, request: ControlRequest): void {
    switch (request.request) {
      case "status":
        return this.#sendView(id);
      case "history":
        return this.#succeed(id, 0, this.target.history(request.scope));
      case "watch": {
        if (this.#watch !== null) clearInterval(this.#watch);
        // Who watches is not idle while it reads, which `#write` sees to.
        this.socket.setTimeout(0);
        this.#sendView(id);
        this.#watch = setInterval(() => this.#tick(id), request.intervalMs);
        return;
      }
      case "command":
        void this.#command(id, request);
        return;
      case "probe":
        void this.#probe(id, request);
        return;
    }
  }

  #tick(id: RequestId): void {
    try {
      this.#sendView(id);
    } catch (cause) {
      this.#fail(id, "internal", `BUG: ${messageOf(cause)}`);
    }
  }

  async #command(id: RequestId, request: Extract<ControlRequest, { request: "command" }>): Promise<void> {
    if (this.#commands >= controlLimits.commandsMax) {
      this.#fail(id, "busy", `${this.#commands} commands of this client are unanswered; wait for them`);
      return;
    }
    this.#commands++;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), request.waitMs));
    try {
      const result = await Promise.race([this.target.command(request.command), timeout]);
      if (result !== null) this.#succeed(id, 0, result);
      else this.#fail(id, "timeout", `no answer within ${request.waitMs} ms; see "heartline status"`);
    } catch (cause) {
      this.#fail(id, "internal", `BUG: ${messageOf(cause)}`);
    } finally {
      clearTimeout(timer);
      this.#commands--;
    }
  }

  async #probe(id: RequestId, request: Extract<ControlRequest, { request: "probe" }>): Promise<void> {
    if (this.#probes >= controlLimits.probesMax) {
      this.#fail(id, "busy", `${this.#probes} questions of this client are unanswered; ask less often`);
      return;
    }
    this.#probes++;
    try {
      this.#succeed(id, 0, await this.target.probe(request.link, request.question, request.waitMs));
    } catch (cause) {
      this.#fail(id, "busy", messageOf(cause));
    } finally {
      this.#probes--;
    }
  }

  #sendView(id: RequestId): void {
    const { view, ageMs } = this.target.view();
    this.#succeed(id, ageMs, view);
  }

  #succeed(id: RequestId, ageMs: number, result: unknown): void {
    this.#write({ id, schema: controlSchema, ok: true, ageMs, result });
  }

  #fail(id: RequestId, code: ControlErrorCode, message: string): void {
    this.#write({ id, schema: controlSchema, ok: false, error: { code, message } });
  }

  #write(answer: unknown): void {
    if (this.#isEnding || this.#isGone) return;
    this.socket.write(JSON.stringify(answer) + "\n");
    if (this.socket.writableLength > controlLimits.unreadBytesMax) this.drop();
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
