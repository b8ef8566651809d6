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

/** The signal, which is also aborted when a request takes too long. */
export function inTime(signal: AbortSignal | undefined): AbortSignal {
  const late = AbortSignal.timeout(TIMEOUT);
  return signal ? AbortSignal.any([signal, late]) : late;
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
