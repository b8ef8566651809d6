import { createTaskClient, type TaskClient } from "task-api-client";
import { tokensOf, type Person } from "./session";

export { idempotencyKey, ProblemError } from "task-api-client";
export type { TagCount, Task, TaskClient } from "task-api-client";

const TIMEOUT_MS = 15_000;

/** The task API, asked as that person. `isLeaving` is whether the page is being left. */
export function apiOf(person: Person, isLeaving: () => boolean): TaskClient {
  return createTaskClient({
    baseUrl: API_ORIGIN,
    token: tokensOf(person),
    fetch: (request) => {
      if (request.url.endsWith("/events")) return fetch(request); // it has no end
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      return fetch(request, { signal, keepalive: isLeaving() || outlivesPage(request) });
    },
  });
}

/**
 * Small changes, so that leaving the page does not cancel one on its way. Browsers allow 64 KiB of
 * them at a time: an edit, which may carry a long description, is guarded by `beforeunload`.
 */
function outlivesPage({ method, url }: Request): boolean {
  return method === "POST" || method === "DELETE" || url.endsWith("/complete");
}
