import { ProblemError } from "./api";
import { complaint, sentence } from "./failure";
import { changesOf, membersComplaint, membersOf, tidied, type Members } from "./members";
import type { Item, Tasks } from "./tasks";
import type { Writes } from "./writes";

/** What somebody wants of a task. */
export type Wish =
  | { kind: "edit"; change: Partial<Members> }
  | { kind: "complete"; completed: boolean }
  | { kind: "delete" };

/** A wish not carried out: the task is another version by now than the person has seen. */
export type Conflict = { wish: Wish; now: Item };

/** An open form: the version it is based on, what it showed first, and what is typed. */
export type Draft = {
  seen: Item;
  base: Members;
  typed: Members;
  isTouched: boolean;
  complaint?: string | undefined;
};

type Change = { wish: Wish; seen: Item; draft?: Draft };

const GONE = "This task has been deleted elsewhere.";

/** Changes of tasks: shown at once, sent with If-Match, and taken back should that fail. */
export class Changes {
  readonly drafts = new Map<number, Draft>();
  readonly conflicts = new Map<number, Conflict>();
  /** A version that the person saw has become another one by what they did. */
  onAdvance: (key: number, from: Item, to: Item) => void = () => undefined;
  /** Completing a task has made the next one, which has that id. */
  onNext: (id: number) => void = () => undefined;
  readonly #pending = new Map<number, Change[]>();
  readonly #tasks: Tasks;
  readonly #writes: Writes;
  readonly #tell: (text: string) => void;

  constructor(tasks: Tasks, writes: Writes, tell: (text: string) => void) {
    this.#tasks = tasks;
    this.#writes = writes;
    this.#tell = tell;
  }

  /** A task as it is wished to be. */
  shown(item: Item): Item {
    return this.#changes(item.key).reduce((shown, { wish }) => granted(shown, wish), item);
  }

  /** Whether somebody is at work on it, so that it stays where it is. */
  isHeld(key: number): boolean {
    return this.drafts.has(key) || this.conflicts.has(key);
  }

  /** Whether a change of that kind is on its way. */
  isSending(key: number, kind: Wish["kind"]): boolean {
    return this.#changes(key).some(({ wish }) => wish.kind === kind);
  }

  /** Whether closing the page now would lose something typed or done. */
  get isUnsaved(): boolean {
    const isTyped = [...this.drafts.values()].some(({ isTouched }) => isTouched);
    const waits = ([first, second]: Change[]) => second || first?.wish.kind === "edit";
    return isTyped || [...this.#pending.values()].some(waits);
  }

  complete(item: Item, completed: boolean): Promise<boolean> {
    return this.#carryOut({ wish: { kind: "complete", completed }, seen: item });
  }

  delete(item: Item): Promise<boolean> {
    return this.#carryOut({ wish: { kind: "delete" }, seen: item });
  }

  /** Opens the form at once with what is shown; then asks whether that is the newest version. */
  open(item: Item): void {
    if (this.drafts.has(item.key)) return;
    this.conflicts.delete(item.key);
    const base = membersOf(this.shown(item));
    const draft = { seen: item, base, typed: base, isTouched: false };
    this.drafts.set(item.key, draft);
    this.#writes.changed();
    void this.#freshen(item);
  }

  type(key: number, typed: Members): void {
    const draft = this.drafts.get(key);
    if (!draft) return;
    Object.assign(draft, { typed, isTouched: true, complaint: undefined });
    this.#writes.changed();
  }

  cancel(key: number): void {
    this.drafts.delete(key);
    if (this.conflicts.get(key)?.wish.kind === "edit") this.conflicts.delete(key);
    this.#writes.changed();
  }

  /** Closes the form at once. It opens again, with what was typed, should that not be saved. */
  async save(key: number): Promise<boolean> {
    const draft = this.drafts.get(key);
    if (!draft || this.conflicts.has(key)) return false;
    draft.complaint = membersComplaint(draft.typed);
    if (draft.complaint) {
      this.#writes.changed();
      return false;
    }
    this.drafts.delete(key);
    const change = changesOf(draft.base, tidied(draft.typed));
    if (Object.keys(change).length === 0) {
      this.#writes.changed();
      return true;
    }
    return this.#carryOut({ wish: { kind: "edit", change }, seen: draft.seen, draft });
  }

  /** Once the person has seen what it is now: their wish again, or not. */
  async resolve(key: number, insists: boolean): Promise<void> {
    const conflict = this.conflicts.get(key);
    this.conflicts.delete(key);
    const draft = conflict?.wish.kind === "edit" ? this.drafts.get(key) : undefined;
    if (conflict && draft && insists) {
      draft.seen = conflict.now;
      await this.save(key);
    } else if (draft) {
      this.drafts.delete(key);
    } else if (conflict && insists) {
      await this.#carryOut({ wish: conflict.wish, seen: conflict.now });
    }
    this.#writes.changed();
  }

  /** Where nothing has been typed, a form shows the newest version, which is the one it changes. */
  refresh(): void {
    for (const [key, draft] of this.drafts) {
      const now = this.#tasks.find(key);
      if (!now || draft.isTouched || this.#pending.has(key)) continue;
      if (now.version <= draft.seen.version) continue;
      Object.assign(draft, { seen: now, base: membersOf(now), typed: membersOf(now) });
    }
  }

  /** A change that is the person's own is no conflict for what they asked for after it. */
  advance(key: number, from: Item, to: Item): void {
    const changes = this.#changes(key);
    for (const each of [...changes, ...changes.map(({ draft }) => draft), this.drafts.get(key)])
      if (each?.seen.version === from.version) each.seen = to;
    this.onAdvance(key, from, to);
  }

  #changes(key: number): Change[] {
    return this.#pending.get(key) ?? [];
  }

  async #carryOut(change: Change): Promise<boolean> {
    const { key } = change.seen;
    this.#pending.set(key, [...this.#changes(key), change]);
    const sent = this.#writes.inTurn(key, () =>
      this.#writes.attempt(
        () => this.#send(change),
        (error) => this.#refused(change, error),
      ),
    );
    this.#writes.changed();
    const done = await sent;
    const rest = this.#changes(key).filter((each) => each !== change);
    if (rest.length > 0) this.#pending.set(key, rest);
    else this.#pending.delete(key);
    this.#writes.changed();
    return done;
  }

  async #send({ wish, seen }: Change): Promise<void> {
    const { key, id } = seen;
    if (id < 0) return; // it was not added, as the person has been told
    const { client } = this.#tasks;
    if (wish.kind === "delete") {
      await client.delete(id, { ifMatch: seen });
      this.#tasks.remove(key);
      return;
    }
    const { data } =
      wish.kind === "complete"
        ? await client.complete(id, { completed: wish.completed, ifMatch: seen })
        : await client.update(id, wish.change, { ifMatch: seen });
    const now = { ...data, key };
    this.#tasks.replace(now);
    this.advance(key, seen, now);
    if (now.next_id !== null && now.next_id !== seen.next_id) this.onNext(now.next_id);
  }

  #refused({ wish, seen, draft }: Change, error: unknown): void {
    const { key } = seen;
    const now = this.#tasks.changed(error);
    if (now) this.#tasks.replace(now);
    if (now && isFulfilled(wish, now)) {
      this.advance(key, seen, now);
      return;
    }
    if (draft) {
      const open = this.drafts.get(key) ?? draft; // they may have opened it again
      open.base = draft.base; // what was not saved is still to be
      this.drafts.set(key, open);
      this.#tasks.insert(now ?? seen, 0);
      open.isTouched = true;
      if (!now) open.complaint = isGone(error) ? GONE : (complaint(error) ?? notSaved(error));
    }
    if (now) this.conflicts.set(key, { wish, now });
    else if (draft || (isGone(error) && wish.kind === "delete")) return;
    else if (isGone(error)) this.#tell(GONE);
    else {
      const what = wish.kind === "delete" ? "deleted" : "changed";
      this.#tell(`It was not ${what}. ${sentence(error)}`);
    }
  }

  async #freshen(item: Item): Promise<void> {
    if (item.id < 0 || this.#pending.has(item.key)) return;
    const now = await this.#tasks.read(item.id).catch(() => undefined); // saving will tell
    const isCurrent = this.#tasks.find(item.key)?.version === item.version;
    if (!now || !isCurrent || this.#pending.has(item.key)) return;
    this.#tasks.replace(now);
    this.refresh();
    this.#writes.changed();
  }
}

function isFulfilled(wish: Wish, now: Item): boolean {
  if (wish.kind === "complete") return wish.completed === now.completed;
  if (wish.kind === "delete") return false;
  return Object.keys(changesOf(now, { ...now, ...wish.change })).length === 0;
}

/** The task as it would be. */
function granted(task: Item, wish: Wish): Item {
  if (wish.kind === "edit") return { ...task, ...wish.change };
  return wish.kind === "complete" ? { ...task, completed: wish.completed } : task;
}

function isGone(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 404;
}

function notSaved(error: unknown): string {
  return `Not saved. ${sentence(error)}`;
}
