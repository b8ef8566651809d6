import { createTaskClient, idempotencyKey, ProblemError } from "task-api-client";
import type { Task, TaskClient } from "task-api-client";
import { complaint, sentence } from "./failure";
import { SignedOut, tokensOf, type Person } from "./session";

export type { Task };
export type Filter = "all" | "open" | "done";

/** What somebody wants of a task. */
export type Wish =
  | { kind: "edit"; title: string; description: string | null }
  | { kind: "complete"; completed: boolean }
  | { kind: "delete" };

/** A wish not carried out: the task is another one by now than the person has seen. */
export type Conflict = { wish: Wish; now: Task; etag: string | undefined };

/** An edit under way. What is typed is kept by the form. */
export type Draft = { etag: string | undefined; complaint?: string | undefined };

const POLL_MS = 5_000;
const UNDO_MS = 6_000;
const TIMEOUT_MS = 15_000;
const PAGE = 50;
const MOST = 1_000;

/** The task is not the one that was seen. */
class Changed {
  constructor(
    readonly now: Task,
    readonly etag: string | undefined,
  ) {}

  static from(error: unknown): Changed | undefined {
    if (error instanceof Changed) return error;
    if (!(error instanceof ProblemError) || !error.current) return undefined;
    return new Changed(error.current, error.etag);
  }
}

/** A person's tasks as they are shown, and all that can be done to them. It knows no DOM. */
export class Board {
  filter: Filter = "all";
  search = "";
  tasks: Task[] | undefined;
  more = false;
  /** Why the list cannot be had right now. */
  trouble: string | undefined;
  /** Why the new task was not added. */
  complaint: string | undefined;
  /** What has happened, for a while. */
  notice: string | undefined;
  /** What is about to be deleted, unless that is undone. */
  deleting: Task | undefined;
  /** Whether `tasks` are already those asked for. */
  settled = false;
  onChange: () => void = () => undefined;
  readonly drafts = new Map<number, Draft>();
  readonly conflicts = new Map<number, Conflict>();

  readonly #client: TaskClient;
  readonly #versions = new Map<number, { updatedAt: string; etag: string | undefined }>();
  readonly #wishes = new Map<number, Wish>();
  readonly #turns = new Map<number, Promise<void>>();
  #adding: { title: string; key: string } | undefined;
  #limit = PAGE;
  #loads = 0;
  #writing = 0;
  #watching = false;
  #leaving = false;
  #pollTimer: number | undefined;
  #noticeTimer: number | undefined;
  #deleteTimer: number | undefined;

  constructor(readonly person: Person) {
    this.#client = createTaskClient({
      baseUrl: API_ORIGIN,
      token: tokensOf(person),
      fetch: (request) => {
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        return fetch(request, { signal, keepalive: this.#leaving });
      },
    });
  }

  /** The tasks to show: as they are wished to be, without what is to be deleted. */
  visible(): Task[] {
    return (this.tasks ?? [])
      .map((task) => ({ ...task, ...this.#wishes.get(task.id) }))
      .filter(({ id, completed }) => {
        if (this.#held(id)) return true;
        if (id === this.deleting?.id || this.#wishes.get(id)?.kind === "delete") return false;
        return this.filter === "all" || completed === (this.filter === "done");
      });
  }

  /** Whether the list is at the API's limit, so that only a search finds the rest. */
  get full(): boolean {
    return this.more && this.#limit === MOST;
  }

  /** Keeps the list fresh. The browser asks with If-None-Match: mostly the answer is a 304. */
  watch(): void {
    this.#watching = true;
    this.#leaving = false;
    void this.load();
  }

  rest(): void {
    this.#watching = false;
    window.clearTimeout(this.#pollTimer);
  }

  /** The page is left: what could still be undone is done now. */
  leave(): Promise<void> {
    this.rest();
    this.#leaving = true;
    return this.#delete();
  }

  async load(): Promise<void> {
    window.clearTimeout(this.#pollTimer);
    const load = ++this.#loads;
    const current = () => load === this.#loads && this.#writing === 0;
    try {
      const page = await this.#client.list({
        limit: this.#limit,
        ...(this.filter !== "all" && { completed: this.filter === "done" }),
        ...(this.search && { q: this.search }),
      });
      if (!current()) return; // another load follows
      this.tasks = this.#withHeld(page.data);
      this.more = page.links.next !== undefined;
      this.settled = true;
      this.trouble = undefined;
    } catch (error) {
      if (!current() || error instanceof SignedOut) return;
      this.trouble = sentence(error);
    }
    this.onChange();
    if (this.#watching) this.#pollTimer = window.setTimeout(() => void this.load(), POLL_MS);
  }

  show({ filter = this.filter, search = this.search }): Promise<void> {
    this.filter = filter;
    this.search = search.trim();
    this.#limit = PAGE;
    this.settled = false;
    this.onChange();
    return this.load();
  }

  showMore(): Promise<void> {
    this.#limit = Math.min(this.#limit + PAGE, MOST);
    return this.load();
  }

  /** Whether it was added. To try again with the same title adds it once. */
  async add(title: string): Promise<boolean> {
    const { key } = (this.#adding =
      this.#adding?.title === title ? this.#adding : { title, key: idempotencyKey() });
    this.complaint = undefined;
    return this.#attempt(
      async () => {
        const { data, etag } = await this.#client.create({ title }, { key });
        this.#adding = undefined;
        this.#keep(data, etag);
        if (!this.search) this.tasks = [data, ...(this.tasks ?? [])];
      },
      (error) => (this.complaint = complaint(error) ?? `Not added. ${sentence(error)}`),
    );
  }

  complete(id: number, completed: boolean): Promise<boolean> {
    return this.#carryOut(id, { kind: "complete", completed });
  }

  /** Reads the task first: its ETag, and what it is now. */
  edit(id: number): Promise<boolean> {
    return this.#inTurn(id, () =>
      this.#attempt(
        async () => {
          const { data, etag } = await this.#client.get(id);
          this.#keep(data, etag);
          this.#replace(data);
          this.drafts.set(id, { etag });
        },
        (error) => this.#refused(id, undefined, error),
      ),
    );
  }

  cancelEdit(id: number): void {
    this.drafts.delete(id);
    this.onChange();
  }

  async save(id: number, title: string, description: string | null): Promise<boolean> {
    const draft = this.drafts.get(id);
    if (!draft || this.#wishes.has(id)) return false;
    draft.complaint = undefined;
    const saved = await this.#carryOut(id, { kind: "edit", title, description }, draft);
    if (saved) this.cancelEdit(id);
    return saved;
  }

  /** Once the person has seen what it is now: their wish again, or not. */
  async resolve(id: number, insist: boolean): Promise<void> {
    const conflict = this.conflicts.get(id);
    this.conflicts.delete(id);
    if (!conflict) return;
    const done = !insist || (await this.#carryOut(id, conflict.wish, conflict));
    if (done) this.drafts.delete(id);
    this.onChange();
  }

  /** Hidden at once; sent when it can no longer be undone. */
  delete(id: number): void {
    void this.#delete();
    const task = this.#find(id);
    if (!task) return;
    this.deleting = task;
    this.#deleteTimer = window.setTimeout(() => void this.#delete(), UNDO_MS);
    this.#etagOf(task).catch(() => undefined); // to be known should the page be left
    this.onChange();
  }

  undo(): void {
    window.clearTimeout(this.#deleteTimer);
    this.deleting = undefined;
    this.onChange();
  }

  clearCompleted(): Promise<boolean> {
    return this.#attempt(
      async () => {
        await Promise.all(this.#turns.values()); // what is being completed right now is meant, too
        const { data } = await this.#client.deleteCompleted();
        this.tasks = this.tasks?.filter(({ completed }) => !completed);
        this.tell(data.deleted === 1 ? "1 task deleted." : `${data.deleted} tasks deleted.`);
      },
      (error) => this.tell(`Nothing was deleted. ${sentence(error)}`),
    );
  }

  tell(what: string): void {
    window.clearTimeout(this.#noticeTimer);
    this.notice = what;
    this.onChange();
    this.#noticeTimer = window.setTimeout(() => {
      this.notice = undefined;
      this.onChange();
    }, UNDO_MS);
  }

  async #delete(): Promise<void> {
    const task = this.deleting;
    if (!task) return;
    this.undo();
    await this.#carryOut(task.id, { kind: "delete" }, { seen: task });
  }

  /** Shows the wish fulfilled, and takes it back should it not be. */
  async #carryOut(
    id: number,
    wish: Wish,
    given: { etag?: string | undefined; seen?: Task } = {},
  ): Promise<boolean> {
    this.#wishes.set(id, wish);
    const done = await this.#inTurn(id, () =>
      this.#attempt(
        async () => {
          const seen = given.seen ?? this.#find(id);
          if (!seen) return;
          const etag = "etag" in given ? given.etag : await this.#etagOf(seen);
          await this.#send(id, wish, etag);
        },
        (error) => this.#refused(id, wish, error),
      ),
    );
    if (this.#wishes.get(id) === wish) this.#wishes.delete(id);
    this.onChange();
    return done;
  }

  async #send(id: number, wish: Wish, ifMatch: string | undefined): Promise<void> {
    if (wish.kind === "delete") {
      await this.#client.delete(id, { ifMatch });
      this.tasks = this.tasks?.filter((task) => task.id !== id);
      return;
    }
    const { data, etag } =
      wish.kind === "complete"
        ? await this.#client.complete(id, { completed: wish.completed, ifMatch })
        : await this.#client.update(
            id,
            { title: wish.title, description: wish.description },
            { ifMatch },
          );
    this.#keep(data, etag);
    this.#replace(data);
  }

  #refused(id: number, wish: Wish | undefined, error: unknown): void {
    const draft = wish?.kind === "edit" ? this.drafts.get(id) : undefined;
    const changed = Changed.from(error);
    if (changed && wish) {
      const { now, etag } = changed;
      this.#keep(now, etag);
      this.#replace(now);
      const fulfilled = wish.kind === "complete" && wish.completed === now.completed;
      if (!fulfilled) this.conflicts.set(id, { wish, now, etag });
    } else if (error instanceof ProblemError && error.status === 404) {
      if (draft) draft.complaint = "This task has been deleted elsewhere.";
      else if (wish?.kind !== "delete") this.tell("This task has been deleted elsewhere.");
    } else if (draft) {
      draft.complaint = complaint(error) ?? `Not saved. ${sentence(error)}`;
    } else {
      this.tell(
        `It was not ${wish?.kind === "delete" ? "deleted" : "changed"}. ${sentence(error)}`,
      );
    }
  }

  /** Then the list is read anew: what is being read meanwhile may be out of date. */
  async #attempt(send: () => Promise<void>, failed: (error: unknown) => void): Promise<boolean> {
    this.#writing++;
    this.onChange();
    try {
      await send();
      return true;
    } catch (error) {
      if (!(error instanceof SignedOut)) failed(error);
      return false;
    } finally {
      this.#writing--;
      this.onChange();
      if (this.#writing === 0) void this.load();
    }
  }

  /** One after another for each task: the next one needs the ETag of the one before. */
  #inTurn(id: number, act: () => Promise<boolean>): Promise<boolean> {
    const before = this.#turns.get(id);
    const mine = before ? before.then(act) : act();
    this.#turns.set(
      id,
      mine.then(() => undefined),
    );
    return mine;
  }

  /** The ETag of just what the person has seen. A list has none of its tasks. */
  async #etagOf(seen: Task): Promise<string | undefined> {
    const known = this.#versions.get(seen.id);
    if (known?.updatedAt === seen.updated_at) return known.etag;
    const { data, etag } = await this.#client.get(seen.id);
    this.#keep(data, etag);
    if (data.updated_at !== seen.updated_at) throw new Changed(data, etag);
    return etag;
  }

  #keep(task: Task, etag: string | undefined): void {
    this.#versions.set(task.id, { updatedAt: task.updated_at, etag });
  }

  #find(id: number): Task | undefined {
    return this.tasks?.find((task) => task.id === id);
  }

  #replace(fresh: Task): void {
    this.tasks = this.tasks?.map((task) => (task.id === fresh.id ? fresh : task));
  }

  /** Somebody is at work on it, so it stays where it is. */
  #held(id: number): boolean {
    return this.drafts.has(id) || this.conflicts.has(id);
  }

  #withHeld(fresh: Task[]): Task[] {
    const ids = new Set(fresh.map(({ id }) => id));
    const tasks = [...fresh];
    this.tasks?.forEach((task, index) => {
      if (this.#held(task.id) && !ids.has(task.id)) tasks.splice(index, 0, task);
    });
    return tasks;
  }
}
