import type { Task, TaskClient } from "./api";
import { ProblemError } from "./api";

/** A task on the page. `key` names it here, also before the API has given it an id. */
export type Item = Task & { key: number };

/** The tasks as the API last sent them. */
export class Tasks {
  items: Item[] | undefined;
  /** The answer to a change: the task as it is now, or that it is gone. */
  onAnswer: (id: number, task: Task | undefined) => void = () => undefined;
  readonly #keys = new Map<string, number>(); // by uid, of tasks added on this page

  constructor(readonly client: TaskClient) {}

  find(key: number): Item | undefined {
    return this.items?.find((item) => item.key === key);
  }

  /** A list as it was just read. What somebody is at work on stays, though it is not in it. */
  take(tasks: Task[], isHeld: (item: Item) => boolean): void {
    const fresh = tasks.map((task) => this.withKey(task));
    const keys = new Set(fresh.map(({ key }) => key));
    this.items?.forEach((item, index) => {
      if (isHeld(item) && !keys.has(item.key)) fresh.splice(index, 0, item);
    });
    this.items = fresh;
  }

  withKey(task: Task): Item {
    return { ...task, key: this.#keys.get(task.uid ?? "") ?? task.id };
  }

  /** The key of a task that has no id yet. Ids are positive. */
  keyOf(uid: string): number {
    const key = this.#keys.get(uid) ?? -1 - this.#keys.size;
    this.#keys.set(uid, key);
    return key;
  }

  insert(item: Item, index: number): void {
    this.items ??= [];
    if (!this.find(item.key)) this.items.splice(index, 0, item);
  }

  replace(fresh: Item): void {
    const { key: _, ...task } = fresh;
    this.onAnswer(task.id, task);
    this.items = this.items?.map((item) => (item.key === fresh.key ? fresh : item));
  }

  remove(key: number): void {
    const gone = this.find(key);
    if (gone) this.onAnswer(gone.id, undefined);
    this.items = this.items?.filter((item) => item.key !== key);
  }

  async read(id: number): Promise<Item> {
    return this.withKey((await this.client.get(id)).data);
  }

  /** What a refused change says the task is now, or nothing if that is not why. */
  changed(error: unknown): Item | undefined {
    if (!(error instanceof ProblemError) || !error.current) return undefined;
    return this.withKey(error.current);
  }
}
