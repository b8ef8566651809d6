import type { TaskClient } from "./api";

const POLL_MS = 60_000;
const DEAF_POLL_MS = 5_000; // while the API cannot say that something has changed

/** When to ask again: as soon as the API says that something has changed, and every so often. */
export class Wakes {
  #hearing: AbortController | undefined;
  #isDeaf = true;
  #timer: number | undefined;

  constructor(
    private readonly client: TaskClient,
    private readonly userId: string,
    private readonly wake: () => void,
  ) {}

  /** Soon again, if something is not as it should be. */
  next(isSoon: boolean): void {
    window.clearTimeout(this.#timer);
    if (!this.#hearing) void this.#hear((this.#hearing = new AbortController()).signal);
    this.#timer = window.setTimeout(this.wake, isSoon || this.#isDeaf ? DEAF_POLL_MS : POLL_MS);
  }

  /** It is being asked for now. */
  pause(): void {
    window.clearTimeout(this.#timer);
  }

  stop(): void {
    this.pause();
    this.#hearing?.abort();
    this.#hearing = undefined;
  }

  /** Until the signal: what another device does is here at once. The tabs share one stream. */
  async #hear(signal: AbortSignal): Promise<void> {
    const onError = () => {
      if (this.#isDeaf) return; // it asks in a few seconds anyway
      this.#isDeaf = true;
      this.wake();
    };
    try {
      for await (const _ of this.client.watch({ share: this.userId, signal, onError })) {
        this.#isDeaf = false;
        this.wake();
      }
    } catch {
      this.#isDeaf = true; // refused for good: whoever asks for the list is told why
    }
  }
}
