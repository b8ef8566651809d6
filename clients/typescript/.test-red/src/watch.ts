import { createParser } from "eventsource-parser";
import { ProblemError } from "./problem.js";
import { Alarm, Backoff, Deadline, type OnError, pause } from "./retry.js";

const POLL_INTERVAL = 60_000; // milliseconds
const MAX_SILENCE = 45_000; // milliseconds; the API says something every 15 seconds
const MIN_RECONNECT = 1_000; // milliseconds

/** A reason to ask for changes. `token`: of the newest one, where that is known. */
export type Wake = { token: string | undefined };

export type WatchOptions = {
  /** The token of the changes that are known. Without it the first wake comes at once. */
  since?: string | undefined;
  signal?: AbortSignal | undefined;
  onError?: OnError | undefined;
  /** Milliseconds without a wake until there is one in any case. */
  pollInterval?: number | undefined;
  /** Who watches: the tabs of one browser in which this is the same share one connection. */
  share?: string | undefined;
};

/** Opens the stream of events after this one. */
export type Open = (lastEventId: string | undefined, signal: AbortSignal) => Promise<Response>;

/** When to ask for changes: as soon as there are some, and every minute, until the signal is
 * aborted. */
export async function* watch(open: Open, options: WatchOptions = {}): AsyncGenerator<Wake, void> {
  const { since, signal, onError, pollInterval = POLL_INTERVAL, share } = options;
  const [alarm, ended] = [new Alarm(), new AbortController()];
  const end = () => ended.abort();
  signal?.addEventListener("abort", end);
  if (signal?.aborted) end();
  const watcher = new Watcher(since, alarm);
  watcher.run(open, ended.signal, share, onError).catch((error: unknown) => watcher.fail(error));
  try {
    for (;;) {
      await alarm.wait(pollInterval, ended.signal);
      if (ended.signal.aborted) return;
      yield watcher.wake();
    }
  } finally {
    signal?.removeEventListener("abort", end);
    end();
  }
}

/** Rings with each event, over as many streams as it takes. */
class Watcher {
  #last: string | undefined; // event
  #newest: string | undefined;
  #failure: { error: unknown } | undefined;
  #channel: BroadcastChannel | undefined;

  constructor(
    since: string | undefined,
    private readonly alarm: Alarm,
  ) {
    this.#last = since;
  }

  /** What has rung. */
  wake(): Wake {
    if (this.#failure) throw this.#failure.error;
    const token = this.#newest;
    this.#newest = undefined;
    return { token };
  }

  fail(error: unknown): void {
    this.#failure = { error };
    this.alarm.ring();
  }

  /** Of the tabs that share a stream, the others hear from the one that has it. */
  async run(
    open: Open,
    signal: AbortSignal,
    share: string | undefined,
    onError: OnError | undefined,
  ): Promise<void> {
    const locks = globalThis.navigator?.locks;
    if (share === undefined || !locks) return this.#listen(open, signal, onError);
    const name = `task-api-watch ${share}`;
    const channel = (this.#channel = new BroadcastChannel(name));
    channel.onmessage = ({ data }) => this.#ring(data);
    signal.addEventListener("abort", () => channel.close());
    if (this.#last === undefined) this.#ring();
    await locks
      .request(name, { signal }, () => this.#listen(open, signal, onError))
      .catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
  }

  #ring(token?: string): void {
    this.#last = this.#newest = token;
    this.alarm.ring();
  }

  async #listen(open: Open, signal: AbortSignal, onError: OnError | undefined): Promise<void> {
    const backoff = new Backoff();
    while (!signal.aborted) {
      let [isOpen, reconnect] = [false, MIN_RECONNECT];
      const silence = new Deadline(MAX_SILENCE, signal);
      try {
        const response = await silence.race(open(this.#last, silence.signal));
        const chunks = streamed(response).getReader();
        silence.signal.addEventListener("abort", () => void chunks.cancel().catch(() => {}));
        isOpen = true;
        backoff.reset();
        if (this.#last === undefined) this.#ring(); // whatever has happened before
        const parser = createParser({
          onEvent: ({ event, id }) => {
            if (event !== "changed") return;
            this.#ring(id || undefined);
            this.#channel?.postMessage(this.#last);
          },
          onRetry: (milliseconds) => (reconnect = Math.max(milliseconds, MIN_RECONNECT)),
        });
        for (let chunk = await chunks.read(); !chunk.done; chunk = await chunks.read()) {
          silence.extend(); // what comes may be a mere ping
          parser.feed(chunk.value);
        }
        silence.signal.throwIfAborted();
        await pause(reconnect, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ProblemError && error.status === 400 && this.#last !== undefined) {
          this.#last = undefined; // it is no token of this person
          continue;
        }
        onError?.(error);
        if (error instanceof ProblemError && error.status === 401) throw error;
        await pause(isOpen ? reconnect : backoff.after(error), signal);
      } finally {
        silence.end();
      }
    }
  }
}

function streamed(response: Response): ReadableStream<string> {
  const type = response.headers.get("Content-Type");
  if (!response.body || !type?.startsWith("text/event-stream"))
    throw new TypeError("Something else than the API has answered.");
  return response.body.pipeThrough(new TextDecoderStream());
}
