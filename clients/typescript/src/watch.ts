import { createParser } from "eventsource-parser";
import { ProblemError } from "./problem.js";
import { Alarm, Backoff, type OnError, pause } from "./retry.js";

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
};

/** Opens the stream of events after this one. */
export type Open = (lastEventId: string | undefined, signal: AbortSignal) => Promise<Response>;

/** When to ask for changes: as soon as there are some, and every minute, until the signal is
 * aborted. */
export async function* watch(open: Open, options: WatchOptions = {}): AsyncGenerator<Wake, void> {
  const { signal, pollInterval = POLL_INTERVAL } = options;
  const [alarm, ended] = [new Alarm(), new AbortController()];
  let newest: string | undefined;
  let failure = undefined as { error: unknown } | undefined;
  const wake = (token?: string) => {
    newest = token;
    alarm.ring();
  };
  const end = () => ended.abort();
  signal?.addEventListener("abort", end);
  if (signal?.aborted) end();
  listen(open, wake, { ...options, signal: ended.signal }).catch((error: unknown) => {
    failure = { error };
    alarm.ring();
  });
  try {
    for (;;) {
      await alarm.wait(pollInterval, ended.signal);
      if (ended.signal.aborted) return;
      if (failure) throw failure.error;
      const token = newest;
      newest = undefined;
      yield { token };
    }
  } finally {
    signal?.removeEventListener("abort", end);
    end();
  }
}

type Listening = { since?: string | undefined; signal: AbortSignal; onError?: OnError | undefined };

/** Wakes with each event, over as many streams as it takes. */
async function listen(
  open: Open,
  wake: (token?: string) => void,
  { since, signal, onError }: Listening,
): Promise<void> {
  const backoff = new Backoff();
  let last = since;
  while (!signal.aborted) {
    let [isOpen, reconnect] = [false, MIN_RECONNECT];
    const silence = new Silence(signal);
    try {
      const response = await open(last, silence.signal);
      const chunks = streamed(response).getReader();
      isOpen = true;
      backoff.reset();
      if (last === undefined) wake(); // whatever has happened before
      const parser = createParser({
        onEvent({ event, id }) {
          if (id !== undefined) last = id || undefined;
          if (event === "changed") wake(last);
        },
        onRetry: (milliseconds) => (reconnect = Math.max(milliseconds, MIN_RECONNECT)),
      });
      for (let chunk = await chunks.read(); !chunk.done; chunk = await chunks.read()) {
        silence.broken();
        parser.feed(chunk.value);
      }
      await pause(reconnect, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ProblemError && error.status === 400 && last !== undefined) {
        last = undefined; // it is no token of this person
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

function streamed(response: Response): ReadableStream<string> {
  const type = response.headers.get("Content-Type");
  if (!response.body || !type?.startsWith("text/event-stream"))
    throw new TypeError("Something else than the API has answered.");
  return response.body.pipeThrough(new TextDecoderStream());
}

/** A signal that is aborted when nothing is heard for long: the connection may have died unnoticed. */
class Silence {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  readonly #abort = () => this.#controller.abort(new DOMException("Nothing was heard.", "TimeoutError"));
  #timer = setTimeout(this.#abort, MAX_SILENCE);

  constructor(private readonly until: AbortSignal) {
    until.addEventListener("abort", this.#abort);
  }

  broken(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#abort, MAX_SILENCE);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.until.removeEventListener("abort", this.#abort);
    this.#abort(); // gives the connection back
  }
}
