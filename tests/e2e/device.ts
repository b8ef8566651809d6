import {
  type Changes,
  createTaskClient,
  indexedDBStorage,
  Outbox,
  type Task,
} from "../../clients/typescript/src/index";

// Runs in the browser: what a page has that is made of the client alone.

declare const API_ORIGIN: string;

const tasks = createTaskClient({
  baseUrl: API_ORIGIN,
  async token() {
    const answer = await fetch("/api/auth/token");
    if (!answer.ok) throw new Error("signed out");
    return ((await answer.json()) as { token: string }).token;
  },
});

/** The tasks that the page knows, as they come. */
const known = new Map<number, Task>();

function apply({ changed, deleted, reset }: Changes): void {
  if (reset) known.clear();
  for (const task of changed) known.set(task.id, task);
  for (const id of deleted) known.delete(id);
}

const device = {
  known,
  outbox: (user: string) => new Outbox({ tasks, storage: indexedDBStorage({ user }) }),
  async follow(share?: string) {
    for await (const changes of tasks.live(undefined, { share })) apply(changes);
  },
};

export type Device = typeof device;
Object.assign(globalThis, { device });
