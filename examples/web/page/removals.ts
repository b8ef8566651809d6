import { canRetry } from "task-api-client";
import type { Changes } from "./changes";
import { sentence } from "./failure";
import type { Item, Tasks } from "./tasks";
import type { Unsent } from "./unsent";
import type { Writes } from "./writes";

/** Tasks that are hidden now, and deleted when that can no longer be undone. */
export type Removal = {
  items: Item[];
  /** Completed tasks, cleared together. */
  isClear: boolean;
  /** Keys of tasks that are not meant: completed since then, or being edited. */
  spared: Set<number>;
};

const UNDO_MS = 6_000;
const CLEAR_UNDO_MS = 10_000; // it is many tasks at once
const PAGE_MAX = 1_000;

/** Deleting, and clearing what is completed: each has its own undo time and its own undo. */
export class Removals {
  /** What can be undone, the latest last. */
  undoable: Removal[] = [];
  #sending: Removal[] = [];
  readonly #timers = new Map<Removal, number>();
  readonly #tasks: Tasks;
  readonly #writes: Writes;
  readonly #unsent: Unsent;
  readonly #changes: Changes;
  readonly #tell: (text: string) => void;

  constructor(
    tasks: Tasks,
    writes: Writes,
    unsent: Unsent,
    changes: Changes,
    tell: (text: string) => void,
  ) {
    this.#tasks = tasks;
    this.#writes = writes;
    this.#unsent = unsent;
    this.#changes = changes;
    this.#tell = tell;
  }

  hides(key: number): boolean {
    const removals = [...this.undoable, ...this.#sending];
    return removals.some(({ items }) => items.some((item) => item.key === key));
  }

  delete(item: Item): void {
    if (this.hides(item.key)) return;
    this.#changes.conflicts.delete(item.key);
    this.#start({ items: [item], isClear: false, spared: new Set() });
  }

  /** Just those that are completed now, also those that are not shown. */
  clear(shown: Item[]): void {
    const items = shown.filter(({ key }) => !this.hides(key));
    const removal = { items, isClear: true, spared: new Set<number>() };
    this.#start(removal);
    void this.#extend(removal);
  }

  completed(key: number): void {
    for (const { spared } of this.undoable) spared.add(key);
  }

  advance(key: number, from: Pick<Item, "version">, to: Item): void {
    for (const removal of [...this.undoable, ...this.#sending])
      removal.items = removal.items.map((item) =>
        item.key === key && item.version === from.version ? to : item,
      );
  }

  undo(removal: Removal): void {
    window.clearTimeout(this.#timers.get(removal));
    this.#timers.delete(removal);
    this.undoable = this.undoable.filter((each) => each !== removal);
    this.#writes.changed();
  }

  /** A task that somebody is at work on is not deleted. */
  spareHeld(): void {
    for (const removal of this.undoable) {
      const held = removal.items.filter(({ key }) => this.#changes.isHeld(key));
      for (const { key } of held) removal.spared.add(key);
      if (held.length > 0) removal.items = removal.items.filter((item) => !held.includes(item));
    }
    this.undoable = this.undoable.filter(({ items }) => items.length > 0);
  }

  /** Undo times stand still while somebody is at the buttons. */
  pause(): void {
    for (const timer of this.#timers.values()) window.clearTimeout(timer);
  }

  resume(): void {
    for (const removal of this.undoable) this.#countDown(removal);
  }

  /** The page is being left: what could still be undone is done now. */
  flush(): void {
    for (const removal of this.undoable) this.#send(removal, true);
  }

  #start(removal: Removal): void {
    this.undoable = [...this.undoable, removal];
    this.#countDown(removal);
    this.#writes.changed();
  }

  #countDown(removal: Removal): void {
    window.clearTimeout(this.#timers.get(removal));
    const time = removal.isClear ? CLEAR_UNDO_MS : UNDO_MS;
    this.#timers.set(
      removal,
      window.setTimeout(() => this.#send(removal, false), time),
    );
  }

  #send(removal: Removal, isLeaving: boolean): void {
    if (!this.undoable.includes(removal)) return; // spared meanwhile
    this.#sending = [...this.#sending, removal]; // still hidden, and no longer to be undone
    this.undo(removal);
    const { items, isClear } = removal;
    const sent = isClear
      ? this.#clear(removal, isLeaving)
      : Promise.all(items.map((item) => this.#changes.delete(item)));
    void sent.then(() => {
      this.#sending = this.#sending.filter((each) => each !== removal);
      this.#writes.changed();
    });
  }

  /** Asks which are completed: more than are shown, and in the versions to be deleted. */
  async #extend(removal: Removal): Promise<void> {
    await this.#writes.settled(); // what is being completed right now is meant, too
    const completed = await this.#completed().catch(() => undefined);
    if (!completed || !this.undoable.includes(removal)) return;
    const mine = new Set(removal.items.map(({ key }) => key));
    removal.items = completed.filter(
      ({ key }) => mine.has(key) || !(removal.spared.has(key) || this.hides(key)),
    );
    this.#writes.changed();
  }

  /**
   * One request, if it deletes just what is meant; else one for each, with If-Match: what has been
   * completed or changed meanwhile, here or elsewhere, is spared. So are they if that has to wait.
   */
  async #clear({ items, spared }: Removal, isLeaving: boolean): Promise<void> {
    const each = () => Promise.all(items.map((item) => this.#changes.delete(item)));
    if (this.#unsent.isNeeded) return void (await each());
    if (isLeaving && spared.size > 0) return; // there is no time to ask, so they stay
    const meant = new Map(items.map((item) => [item.key, item]));
    await this.#writes.attempt(
      async () => {
        const now = isLeaving ? items : await this.#completed();
        if (now.every(({ key, version }) => meant.get(key)?.version === version)) {
          await this.#tasks.client.deleteCompleted();
          for (const { key } of items) this.#tasks.remove(key);
          return;
        }
        for (const { key } of now) {
          const item = meant.get(key);
          if (item) await this.#changes.delete(item);
        }
      },
      (error) => (canRetry(error) ? each() : this.#tell(`Nothing was deleted. ${sentence(error)}`)),
    );
  }

  async #completed(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const { data } of this.#tasks.client.pages({ completed: true, limit: PAGE_MAX }))
      items.push(...data.map((task) => this.#tasks.withKey(task)));
    return items;
  }
}
