import type { Operation, Refusal } from "task-api-client";
import { ProblemError, type Task } from "./api";
import { complaint, sentence } from "./failure";
import { changesOf, membersComplaint, membersOf, tidied, type Members } from "./members";
import type { Item, Tasks } from "./tasks";
import { names, type Unsent } from "./unsent";
import { granted, isFulfilled, operationOf, wishOf, type Wish } from "./wishes";
import type { Writes } from "./writes";

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

type Change = { wish: Wish; seen: Item; draft?: Draft | undefined };

const GONE = "This task has been deleted elsewhere.";

/** Changes of tasks: shown at once, sent with If-Match, and taken back should they be refused. */
export class Changes {
  readonly drafts = new Map<number, Draft>();
  readonly conflicts = new Map<number, Conflict>();
  /** A version that the person saw has become another one by what they did. */
  onAdvance: (key: number, from: Pick<Item, "version">, to: Item) => void = () => undefined;
  /** Completing a task has made the next one, which has that id. */
  onNext: (id: number) => void = () => undefined;
  readonly #pending = new Map<number, Change[]>();
  readonly #tasks: Tasks;
  readonly #writes: Writes;
  readonly #unsent: Unsent;
  readonly #tell: (text: string) => void;

  constructor(tasks: Tasks, writes: Writes, unsent: Unsent, tell: (text: string) => void) {
    this.#tasks = tasks;
    this.#writes = writes;
    this.#unsent = unsent;
    this.#tell = tell;
  }

  /** A task as it is wished to be. */
  shown(item: Item): Item {
    const wishes = this.#changes(item.key).map(({ wish }) => wish);
    return [...this.#unsent.of(item).map(wishOf), ...wishes].reduce(granted, item);
  }

  /** Whether it is to be deleted, now or later. */
  isDeleting(item: Item): boolean {
    const waits = this.#unsent.of(item).some(({ op }) => op === "delete");
    return waits || this.isSending(item.key, "delete");
  }

  /** What is on its way, for a page that cannot wait for what comes of it. */
  get operations(): Operation[] {
    return [...this.#pending.values()].flat().map(operationOf);
  }

  /** Whether somebody is at work on it, so that it stays where it is. */
  isHeld(key: number): boolean {
    return this.drafts.has(key) || this.conflicts.has(key);
  }

  /** Whether a change of that kind is on its way. */
  isSending(key: number, kind: Wish["kind"]): boolean {
    return this.#changes(key).some(({ wish }) => wish.kind === kind);
  }

  /** The forms in which something is typed. */
  get touched(): Draft[] {
    return [...this.drafts.values()].filter(({ isTouched }) => isTouched);
  }

  /** Whether closing the page now would lose something typed or done. */
  get isUnsaved(): boolean {
    const waits = ([first, second]: Change[]) => second || first?.wish.kind === "edit";
    return this.touched.length > 0 || [...this.#pending.values()].some(waits);
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

  /** What was typed before the page was loaded anew. */
  reopen(draft: Draft): void {
    const { id, uid, key } = draft.seen;
    const seen = { ...draft.seen, key: id > 0 || uid === null ? key : this.#tasks.keyOf(uid) };
    this.drafts.set(seen.key, { ...draft, seen });
  }

  type(key: number, typed: Members): void {
    const draft = this.drafts.get(key);
    if (!draft) return;
    Object.assign(draft, { typed, isTouched: true, complaint: undefined });
    this.#writes.changed();
  }

  cancel(key: number): void {
    if (this.drafts.get(key)?.complaint === GONE) this.#tasks.remove(key);
    this.drafts.delete(key);
    if (this.conflicts.get(key)?.wish.kind === "edit") this.conflicts.delete(key);
    this.#letGo();
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
    const seen = draft.seen.id > 0 ? draft.seen : (this.#tasks.find(key) ?? draft.seen);
    return this.#carryOut({ wish: { kind: "edit", change }, seen, draft });
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
    this.#letGo();
  }

  /** What was held may not belong to the list any more. */
  #letGo(): void {
    this.#writes.changed();
    if (!this.#writes.busy) this.#writes.idle();
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
  advance(key: number, from: Pick<Item, "version">, to: Item): void {
    const changes = this.#changes(key);
    for (const each of [...changes, ...changes.map(({ draft }) => draft), this.drafts.get(key)])
      if (each?.seen.version === from.version) each.seen = to;
    this.onAdvance(key, from, to);
  }

  /** What waited is done. */
  doneLater(operation: Operation, task: Task | undefined): void {
    const before = this.#tasks.items?.find((item) => names(operation, item));
    if (!task) return before && this.#tasks.remove(before.key);
    const now = this.#tasks.withKey(task);
    const seen = "if_version" in operation ? operation.if_version : before?.version;
    this.#tasks.replace(now);
    this.advance(now.key, { version: seen ?? 0 }, now);
    if (now.next_id !== null && before && now.next_id !== before.next_id) this.onNext(now.next_id);
  }

  /** What waited is refused. The form is made anew of what it was to change. */
  refusedLater({ operation, ...problem }: Refusal): void {
    const error = new ProblemError(problem, { ...problem, errors: [...problem.errors] });
    const wish = wishOf(operation);
    const seen =
      this.#tasks.changed(error) ?? this.#tasks.items?.find((item) => names(operation, item));
    if (!seen) return isGone(error) ? this.#tell(GONE) : this.#tell(notDone(wish, error));
    const base = membersOf(seen);
    const draft =
      wish.kind === "edit"
        ? { seen, base, typed: { ...base, ...wish.change }, isTouched: true }
        : undefined;
    const version = "if_version" in operation ? operation.if_version : undefined;
    this.#refused({ wish, seen: { ...seen, version: version ?? seen.version }, draft }, error);
  }

  #changes(key: number): Change[] {
    return this.#pending.get(key) ?? [];
  }

  async #carryOut(change: Change): Promise<boolean> {
    const { key } = change.seen;
    this.#pending.set(key, [...this.#changes(key), change]);
    const sent = this.#writes.inTurn(key, () =>
      this.#writes.attempt(
        () => this.#unsent.orLater(operationOf(change), () => this.#send(change)),
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
    if (now) {
      this.#tasks.insert(now, 0);
      this.conflicts.set(key, { wish, now });
    } else if (draft || (isGone(error) && wish.kind === "delete")) return;
    else if (isGone(error)) this.#tell(GONE);
    else this.#tell(notDone(wish, error));
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

function notDone(wish: Wish, error: unknown): string {
  return `It was not ${wish.kind === "delete" ? "deleted" : "changed"}. ${sentence(error)}`;
}

function isGone(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 404;
}

function notSaved(error: unknown): string {
  return `Not saved. ${sentence(error)}`;
}
