import type { Client } from "openapi-fetch";
import { ProblemError } from "./problem.js";
import { Backoff, canRetry, inTime, pause } from "./retry.js";
import type { components, paths } from "./schema.js";
import type { Wake, WatchOptions } from "./watch.js";

type Task = components["schemas"]["Task"];

/** What has changed. Keep `token` together with the tasks: what is newer is told after it. */
export type Changes = {
  /** The tasks that are new or other than before. */
  changed: Task[];
  /** The ids of tasks that are gone; some may be unknown. */
  deleted: number[];
  token: string;
  /** Whether more follows at once. */
  more: boolean;
  /** A listing of all tasks begins here: forget all that were known, but no unsent write. */
  reset: boolean;
};

/** `limit`: tasks at a time, at most. */
export type SyncOptions = { signal?: AbortSignal | undefined; limit?: number | undefined };

export type LiveOptions = SyncOptions & Omit<WatchOptions, "since">;

/** What has changed since `token`; without one, or when it is not good any more, all tasks. */
export async function* sync(
  api: Client<paths>,
  token: string | undefined,
  { signal, limit }: SyncOptions = {},
): AsyncGenerator<Changes, void> {
  let [since, reset, isAfresh] = [token, token === undefined, token === undefined];
  for (let more = true; more; ) {
    const query = { ...(since !== undefined && { since }), ...(limit !== undefined && { limit }) };
    let page;
    try {
      page = await inTime(signal, async (signal) => {
        return (await api.GET("/api/tasks/changes", { params: { query }, signal })).data;
      });
    } catch (error) {
      if (isAfresh || !isOver(error)) throw error;
      [since, reset, isAfresh] = [undefined, true, true];
      continue;
    }
    if (page === undefined) throw new Error("The API has answered without a body.");
    const { next, ...rest } = page;
    yield { ...rest, token: next, reset };
    [since, reset, more] = [next, false, rest.more];
  }
}

/** The token is expired, or another person's. */
function isOver(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return false;
  const { status, errors } = error;
  return status === 410 || (status === 499 && errors.some(({ parameter }) => parameter === "since"));
}

/** `sync`, and again whenever `watch` says so, until the signal is aborted. */
export async function* live(
  syncSince: (token: string | undefined, options: SyncOptions) => AsyncIterable<Changes>,
  watch: (options: WatchOptions) => AsyncIterable<Wake>,
  token: string | undefined,
  { limit, ...options }: LiveOptions = {},
): AsyncGenerator<Changes, void> {
  const { signal, onError } = options;
  let since = token;

  async function* rest(): AsyncGenerator<Changes, void> {
    for (const backoff = new Backoff(); ; ) {
      try {
        for await (const changes of syncSince(since, { signal, limit })) {
          since = changes.token;
          yield changes;
          backoff.reset();
        }
        return;
      } catch (error) {
        if (signal?.aborted) return;
        if (!canRetry(error)) throw error;
        onError?.(error);
        await pause(backoff.after(error), signal);
      }
    }
  }

  yield* rest();
  for await (const wake of watch({ ...options, since })) {
    if (wake.token === undefined || wake.token !== since) yield* rest();
  }
}
