import type { Task, TaskClient } from "./api";
import { ProblemError } from "./api";

/** A task on the page. `key` names it here, also before the API has given it an id. */
export type Item = Task & { key: number };

/** The task is another version by now than the person has seen. */
export class Changed {
  constructor(readonly now: Task) {}
}

/** The tasks as the API last sent them, and their versions. */
export class Tasks {
  items: Item[] | undefined;
  readonly #keys = new Map<number, number>(); // by id, of tasks added on this page
  readonly #versions = new Map<number, { updatedAt: string; etag: string | undefined }>();

  constructor(readonly client: TaskClient) {}

  find(key: number): Item | undefined {
    return this.items?.find((item) => item.key === key);
  }

  /** A list as it was just read. What somebody is at work on stays, though it is not in it. */
  take(tasks: Task[], isHeld: (key: number) => boolean): void {
    const fresh = tasks.map((task) => this.withKey(task));
    const keys = new Set(fresh.map(({ key }) => key));
    this.items?.forEach((item, index) => {
      if (isHeld(item.key) && !keys.has(item.key)) fresh.splice(index, 0, item);
    });
    this.items = fresh;
  }

  withKey(task: Task): Item {
    return { ...task, key: this.#keys.get(task.id) ?? task.id };
  }

  /** A task that was added under `key` has its id now. */
  name(key: number, task: Task): Item {
    if (!this.find(task.id)) this.#keys.set(task.id, key); // a repeated request adds nothing new
    return this.withKey(task);
  }

  insert(item: Item, index: number): void {
    this.items ??= [];
    if (!this.find(item.key)) this.items.splice(index, 0, item);
  }

  replace(fresh: Item): void {
    this.items = this.items?.map((item) => (item.key === fresh.key ? fresh : item));
  }

  remove(key: number): void {
    this.items = this.items?.filter((item) => item.key !== key);
  }

  /** Remembers the ETag of a task. A list has none of its tasks. */
  remember(task: Task, etag: string | undefined): void {
    this.#versions.set(task.id, { updatedAt: task.updated_at, etag });
  }

  knows(seen: Task): boolean {
    return this.#versions.get(seen.id)?.updatedAt === seen.updated_at;
  }

  /** The ETag of just the version that the person has seen. Throws `Changed` for another one. */
  async etagOf(seen: Task): Promise<string | undefined> {
    if (!this.knows(seen)) {
      const now = await this.read(seen.id);
      if (now.updated_at !== seen.updated_at) throw new Changed(now);
    }
    return this.#versions.get(seen.id)?.etag;
  }

  async read(id: number): Promise<Task> {
    const { data, etag } = await this.client.get(id);
    this.remember(data, etag);
    return data;
  }

  /** What a refused change says the task is now, or nothing if that is not why. */
  changed(error: unknown): Item | undefined {
    if (error instanceof Changed) return this.withKey(error.now);
    if (!(error instanceof ProblemError) || !error.current) return undefined;
    this.remember(error.current, error.etag);
    return this.withKey(error.current);
  }
}
