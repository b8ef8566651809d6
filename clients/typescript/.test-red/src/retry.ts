import { ProblemError } from "./problem.js";

const FIRST_DELAY = 1_000; // milliseconds
const MAX_DELAY = 60_000; // milliseconds
const TIMEOUT = 60_000; // milliseconds that one request may take

/** Called with each failure that is tried again. */
export type OnError = (error: unknown) => void;

/** Whether another try may succeed: nobody has answered, or not the API, or it has no time. */
export function canRetry(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return true; // of the network, or of the token provider
  const { status, kind } = error;
  const isLate = kind === "request-in-progress" || kind === "sync-token-expired";
  return kind === "about:blank" || isLate || status === 408 || status === 429 || status >= 500;
}

/** Does it, unless it takes too long. */
export async function inTime<T>(
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new Deadline(TIMEOUT, signal);
  try {
    return await deadline.race(run(deadline.signal));
  } finally {
    deadline.end();
  }
}

/** A signal that is aborted with another one, or when the time is over: a connection may have died
 * unnoticed. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  readonly #expire = () => this.#controller.abort(new DOMException("Nothing came.", "TimeoutError"));
  readonly #abort = () => this.#controller.abort(this.until?.reason);
  #timer: ReturnType<typeof setTimeout>;

  constructor(
    private readonly milliseconds: number,
    private readonly until: AbortSignal | undefined,
  ) {
    this.#timer = setTimeout(this.#expire, milliseconds);
    until?.addEventListener("abort", this.#abort);
    if (until?.aborted) this.#abort();
  }

  /** The time begins anew. */
  extend(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#expire, this.milliseconds);
  }

  /** What comes of it, or the reason of the signal: in Node 20 fetch may miss that it is aborted. */
  race<T>(attempt: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.signal.addEventListener("abort", () => reject(this.signal.reason));
      if (this.signal.aborted) reject(this.signal.reason);
      attempt.then(resolve, reject);
    });
  }

  /** Nothing is waited for any more: the connection is given back. */
  end(): void {
    clearTimeout(this.#timer);
    this.until?.removeEventListener("abort", this.#abort);
    this.#controller.abort();
  }
}

/** How long to wait before another try: longer each time, and not all clients the same. */
export class Backoff {
  #tries = 0;

  reset(): void {
    this.#tries = 0;
  }

  /** Milliseconds, on top of those that the API asks for. */
  after(error: unknown): number {
    const most = Math.min(FIRST_DELAY * 2 ** this.#tries++, MAX_DELAY);
    const asked = error instanceof ProblemError ? (error.retryAfter ?? 0) : 0;
    return asked * 1000 + most * (0.5 + Math.random() / 2);
  }
}

/** Something to wait for. */
export class Alarm {
  #isRung = false;
  #wake = () => {};

  ring(): void {
    this.#isRung = true;
    this.#wake();
  }

  /** Until it rings, or has rung since; or the time is over, the browser is online again, or the
   * signal is aborted. */
  async wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    if (!this.#isRung && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        const wake = (this.#wake = () => {
          clearTimeout(timer);
          resolve();
        });
        signal?.addEventListener("abort", wake);
        globalThis.addEventListener?.("online", wake);
      }).finally(() => {
        signal?.removeEventListener("abort", this.#wake);
        globalThis.removeEventListener?.("online", this.#wake);
      });
    }
    this.#isRung = false;
  }
}

export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Alarm().wait(milliseconds, signal);
}
