import type { Changes, TaskClient } from "task-api-client";
import { indexedDBStorage } from "task-api-client";
import type { TagCount, Task } from "./api";
import { journalOf } from "./unsent";

const PREFIX = "task-api-page ";
const OUTBOX_PREFIX = indexedDBStorage({ user: "" }).name;
const JOURNAL_PREFIX = journalOf("");
const TOKEN = "token";

/** All tasks of a person as they were last seen, kept in this browser. */
export class Kept {
  readonly #name: string;
  #opened: Promise<IDBDatabase> | undefined;
  #isCatchingUp = false;
  #isBehind = false;

  constructor(userId: string) {
    this.#name = PREFIX + userId;
  }

  /** Nothing, if they were never seen. */
  async tasks(): Promise<Task[] | undefined> {
    const transaction = (await this.#open()).transaction(["tasks", "state"]);
    const [token, tasks] = await Promise.all([
      asked(transaction.objectStore("state").get(TOKEN)),
      asked<Task[]>(transaction.objectStore("tasks").getAll()),
    ]);
    return token === undefined ? undefined : tasks;
  }

  /** Asks what has changed since. If that fails, the next time will do. */
  async catchUp(client: TaskClient): Promise<void> {
    this.#isBehind = true;
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    try {
      while (this.#isBehind) {
        this.#isBehind = false; // until somebody says so meanwhile
        const state = (await this.#open()).transaction("state").objectStore("state");
        const token = await asked<string | undefined>(state.get(TOKEN));
        for await (const changes of client.sync(token)) await this.#store(changes);
      }
    } catch {
      this.#isBehind = false;
    } finally {
      this.#isCatchingUp = false;
    }
  }

  /** A task as the API has just answered, or that it is gone: known before it is told as a change. */
  async take(id: number, task: Task | undefined): Promise<void> {
    const database = await this.#open().catch(() => undefined);
    const tasks = database?.transaction("tasks", "readwrite").objectStore("tasks");
    if (!tasks) return; // what is not kept is read again
    if (!task) return void tasks.delete(id);
    const known = await asked<Task | undefined>(tasks.get(id)).catch(() => undefined);
    if (!known || known.version <= task.version) tasks.put(task);
  }

  /** The tasks and the token together, or none of them. */
  async #store({ reset, changed, deleted, token }: Changes): Promise<void> {
    const transaction = (await this.#open()).transaction(["tasks", "state"], "readwrite");
    const tasks = transaction.objectStore("tasks");
    if (reset) tasks.clear();
    for (const task of changed) tasks.put(task);
    for (const id of deleted) tasks.delete(id);
    transaction.objectStore("state").put(token, TOKEN);
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  }

  #open(): Promise<IDBDatabase> {
    return (this.#opened ??= new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open(this.#name, 1);
      opening.onupgradeneeded = () => {
        opening.result.createObjectStore("tasks", { keyPath: "id" });
        opening.result.createObjectStore("state");
      };
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const database = opening.result;
        database.onclose = () => (this.#opened = undefined);
        database.onversionchange = () => {
          this.#opened = undefined;
          database.close();
        };
        resolve(database);
      };
    }).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    }));
  }
}

/**
 * Deletes what this browser keeps of people, but of that one. Without one, what has not been sent
 * stays: it is theirs, and sent when they sign in again.
 */
export async function forgetAllBut(userId: string | undefined): Promise<void> {
  const isOthers = (name: string, prefix: string) =>
    name.startsWith(prefix) && name !== prefix + userId;
  const prefixes = userId === undefined ? [PREFIX] : [PREFIX, OUTBOX_PREFIX];
  const names = (await indexedDB.databases()).map(({ name = "" }) => name);
  const gone = names.filter((name) => prefixes.some((prefix) => isOthers(name, prefix)));
  if (userId !== undefined)
    for (const name of Object.keys(localStorage))
      if (isOthers(name, JOURNAL_PREFIX)) localStorage.removeItem(name);
  await Promise.all(gone.map(deleted));
}

/** They have signed out: nothing of them stays. */
export async function forget(userId: string): Promise<void> {
  localStorage.removeItem(journalOf(userId));
  await Promise.all([deleted(PREFIX + userId), deleted(OUTBOX_PREFIX + userId)]);
}

/** It is deleted as soon as no tab has it open, which is not waited for. */
function deleted(name: string): Promise<void> {
  return new Promise((resolve) => {
    const deleting = indexedDB.deleteDatabase(name);
    deleting.onsuccess = deleting.onerror = deleting.onblocked = () => resolve();
  });
}

/** The tags of tasks, while the API cannot be asked. */
export function tagsOf(tasks: readonly Task[]): TagCount[] {
  const counts = new Map<string, TagCount>();
  for (const { tags, completed } of tasks)
    for (const tag of tags) {
      const count = counts.get(tag.toLowerCase()) ?? { tag, open: 0 };
      counts.set(tag.toLowerCase(), { ...count, open: count.open + (completed ? 0 : 1) });
    }
  return [...counts.values()].sort((one, other) => one.tag.localeCompare(other.tag));
}

function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
