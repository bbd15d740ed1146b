/**
 * The commands' end of the control socket. Turns what can go wrong into errors that name the path and the next step:
 * 69 nobody listens, 77 no permission, 124 no answer in time. Must never wait without a limit, and never take an
 * answer of another schema for one it understands.
 */

import { connect, type Socket } from "node:net";
import { EnvironmentError, UsageError } from "../errors.ts";
import type { NodeView } from "../core/view.ts";
import {
  type CommandResult,
  type ControlAnswer,
  type ControlCommand,
  type ControlRequest,
  controlSchema,
  type ProbeResult,
} from "./control_protocol.ts";
import type { ProbeQuestion } from "../wire/probe_message.ts";
import type { ClusterLine, ReportLine } from "./report_line.ts";

export interface Aged<Result> {
  /** Milliseconds since the daemon took this snapshot. */
  readonly ageMs: number;
  readonly result: Result;
}

const hungUp = "it hung up; see what its log says";

export class ControlClient {
  #buffer = "";
  #nextId = 1;
  #failure: Error | null = null;
  readonly #waiting = new Map<number, { resolve(answer: ControlAnswer): void; reject(cause: Error): void }>();

  private constructor(
    readonly path: string,
    private readonly socket: Socket,
    private readonly timeoutMs: number,
  ) {
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => this.#receive(String(chunk)));
    socket.on("error", (cause) => this.#fail(fromSystem(path, cause)));
    socket.on("close", () => this.#fail(cannotAsk(path, hungUp)));
  }

  /** Connects, or rejects with an environment error. */
  static connect(path: string, timeoutMs: number): Promise<ControlClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      const fail = (error: EnvironmentError) => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const onError = (cause: Error) => fail(fromSystem(path, cause));
      const timer = setTimeout(() => fail(tooLate(path, timeoutMs)), timeoutMs);
      socket.once("error", onError);
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.off("error", onError);
        resolve(new ControlClient(path, socket, timeoutMs));
      });
    });
  }

  status(): Promise<Aged<NodeView>> {
    return this.#ask<NodeView>({ request: "status" }, this.timeoutMs);
  }

  history(): Promise<Aged<readonly ReportLine[]>> {
    return this.#ask<readonly ReportLine[]>({ request: "history", scope: "node" }, this.timeoutMs);
  }

  /** The events of all nodes, in the order that all agree on. */
  clusterHistory(): Promise<Aged<readonly ClusterLine[]>> {
    return this.#ask<readonly ClusterLine[]>({ request: "history", scope: "cluster" }, this.timeoutMs);
  }

  /** Hands a command over; `waitMs` bounds the daemon's answer, not the move that follows. */
  command(command: ControlCommand, waitMs: number): Promise<Aged<CommandResult>> {
    return this.#ask<CommandResult>({ request: "command", command, waitMs }, waitMs + 1000);
  }

  /** One question over a link of the daemon; `null`: no answer within the wait. */
  probe(link: string, question: ProbeQuestion, waitMs: number): Promise<Aged<ProbeResult | null>> {
    return this.#ask<ProbeResult | null>(
      { request: "probe", link, question, waitMs },
      waitMs + this.timeoutMs,
    );
  }

  /** A view at once and another every `intervalMs`; ends with an error when the daemon goes away or falls silent. */
  async *watch(intervalMs: number): AsyncGenerator<Aged<NodeView>> {
    const request = { request: "watch", intervalMs } as const;
    let answer = this.#expect(this.#send(request), this.timeoutMs);
    while (true) {
      const { id, ageMs, result } = await answer;
      answer = this.#expect(id, intervalMs + this.timeoutMs);
      // Left behind when the caller stops; its failure is then of no interest.
      answer.catch(() => {});
      yield { ageMs, result: result as NodeView };
    }
  }

  close(): void {
    this.#fail(cannotAsk(this.path, "this connection was closed"));
    this.socket.destroy();
  }

  async #ask<Result>(request: ControlRequest, timeoutMs: number): Promise<Aged<Result>> {
    const { ageMs, result } = await this.#expect(this.#send(request), timeoutMs);
    return { ageMs, result: result as Result };
  }

  #send(request: ControlRequest): number {
    const id = this.#nextId++;
    if (this.#failure === null) this.socket.write(JSON.stringify({ id, ...request }) + "\n");
    return id;
  }

  #expect(id: number, timeoutMs: number): Promise<{ id: number; ageMs: number; result: unknown }> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure);
      const timer = setTimeout(() => settle(() => reject(tooLate(this.path, timeoutMs))), timeoutMs);
      const settle = (then: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        then();
      };
      this.#waiting.set(id, {
        reject: (cause) => settle(() => reject(cause)),
        resolve: (answer) =>
          settle(() => {
            if (answer.schema !== controlSchema) {
              reject(
                cannotAsk(
                  this.path,
                  `it speaks schema ${answer.schema}, this command ${controlSchema}; use the same version of both`,
                ),
              );
            } else if (!answer.ok) reject(fromAnswer(this.path, answer.error));
            else resolve({ id, ageMs: answer.ageMs, result: answer.result });
          }),
      });
    });
  }

  #receive(chunk: string): void {
    this.#buffer += chunk;
    for (let end = this.#buffer.indexOf("\n"); end >= 0; end = this.#buffer.indexOf("\n")) {
      const line = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + 1);
      this.#take(line);
    }
  }

  #take(line: string): void {
    let answer: ControlAnswer;
    try {
      answer = JSON.parse(line);
    } catch {
      this.#fail(
        cannotAsk(this.path, "its answer cannot be read; is this the socket of a Heartline daemon?"),
      );
      this.socket.destroy();
      return;
    }
    // An answer without id refuses the connection itself.
    if (answer.id === null && !answer.ok) this.#fail(fromAnswer(this.path, answer.error));
    else this.#waiting.get(Number(answer.id))?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiting of [...this.#waiting.values()]) waiting.reject(this.#failure);
  }
}

function fromAnswer(path: string, error: { code: string; message: string }): Error {
  if (error.code === "malformed" || error.code === "too-long") return new UsageError([error.message]);
  return cannotAsk(path, error.message, error.code === "timeout" ? 124 : 69);
}

function tooLate(path: string, timeoutMs: number): EnvironmentError {
  return cannotAsk(
    path,
    `no answer within ${timeoutMs} ms; give it more time with --timeout, or see its log`,
    124,
  );
}

function fromSystem(path: string, cause: Error): EnvironmentError {
  const code = (cause as { code?: string }).code;
  switch (code) {
    case "ENOENT":
      return cannotAsk(
        path,
        "no daemon runs there; start it (systemctl start heartline) or name its socket with --socket",
      );
    case "ECONNREFUSED":
      return cannotAsk(
        path,
        "its daemon is gone; start it again (systemctl start heartline) and see why in its log",
      );
    case "EACCES":
    case "EPERM":
      return cannotAsk(
        path,
        "permission denied; run as root or join the group that owns the socket",
        77,
        cause,
      );
    case "EPIPE":
    case "ECONNRESET":
      return cannotAsk(path, hungUp);
    case "ENOTSOCK":
      return cannotAsk(path, "this is no socket; name the daemon's socket with --socket");
    default:
      return cannotAsk(
        path,
        `${code ?? cause.message}; see whether the daemon runs (systemctl status heartline)`,
        69,
        cause,
      );
  }
}

function cannotAsk(
  path: string,
  rest: string,
  exitCode: 69 | 77 | 124 = 69,
  cause?: unknown,
): EnvironmentError {
  return new EnvironmentError(`Cannot ask the daemon at "${path}": ${rest}`, exitCode, { cause });
}
