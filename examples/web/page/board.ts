import { canRetry } from "task-api-client";
import { Additions, type Addition, type NewMembers } from "./additions";
import { apiOf, type TagCount, type Task } from "./api";
import { Changes } from "./changes";
import { sentence } from "./failure";
import { Kept, tagsOf } from "./kept";
import { Notices, type Notice } from "./notices";
import { isFor, matches, ordered, parameters, place, type Query } from "./query";
import { Removals, type Removal } from "./removals";
import { SignedOut, type Person } from "./session";
import { Tasks, type Item } from "./tasks";
import { keepTyped, readTyped } from "./typed";
import { Unsent } from "./unsent";
import { Wakes } from "./wakes";
import { Writes } from "./writes";

const PAGE = 50;
const LIST_MAX = 1_000;

/** A person's tasks as they are shown, and all that can be done to them. It knows no DOM. */
export class Board {
  more = false;
  /** Why the list cannot be had right now. */
  trouble: string | undefined;
  /** Whether the tasks are already those asked for. */
  settled = false;
  tags: TagCount[] = [];
  onChange: () => void = () => undefined;

  readonly changes: Changes;
  readonly additions: Additions;
  readonly removals: Removals;
  readonly unsent: Unsent;
  readonly #notices = new Notices(() => this.onChange());
  readonly #kept: Kept;
  readonly #wakes: Wakes;
  readonly #tasks: Tasks;
  readonly #writes: Writes;
  readonly #created = new Set<number>(); // and not yet seen in a list
  #tagsOf: string | undefined; // the ETag of the list with which they were read
  #limit = PAGE;
  #loads = 0;
  #isWatching = false;
  #isLeaving = false;

  constructor(
    readonly person: Person,
    public query: Query,
  ) {
    const tell = (text: string) => this.tell({ text });
    this.#tasks = new Tasks(apiOf(person, () => this.#isLeaving));
    this.#writes = new Writes(
      () => this.#changed(),
      () => {
        this.#tagsOf = undefined;
        void this.load();
      },
    );
    const unsent = (this.unsent = new Unsent(this.#tasks.client, person.id));
    this.#kept = new Kept(person.id);
    this.#wakes = new Wakes(this.#tasks.client, person.id, () => void this.load());
    this.changes = new Changes(this.#tasks, this.#writes, unsent, tell);
    this.additions = new Additions(this.#tasks, this.#writes, unsent, person.id);
    this.removals = new Removals(this.#tasks, this.#writes, unsent, this.changes, tell);
    Object.assign(unsent, { ofCreations: this.additions, ofChanges: this.changes });
    this.#tasks.onAnswer = (id, task) => void this.#kept.take(id, task);
    this.additions.onAdded = (item) => this.#isAdded(item);
    this.changes.onAdvance = (...change) => this.removals.advance(...change);
    this.changes.onNext = (id) => void this.#showNext(id);
    readTyped(person.id).drafts?.forEach((draft) => this.changes.reopen(draft));
  }

  get notice(): Notice | undefined {
    return this.#notices.current;
  }

  /** Whether the list is at the API's limit, so that only a search finds the rest. */
  get isFull(): boolean {
    return this.more && this.#limit === LIST_MAX;
  }

  /** The tasks to show: as they are wished to be, without what is to be deleted. */
  visible(): Item[] {
    const items = [...(this.#tasks.items ?? [])];
    for (const item of this.additions.pending)
      if (matches(this.query, item)) items.splice(place(this.query, items, item), 0, item);
    return items
      .map((item) => this.changes.shown(item))
      .filter((item) => {
        const { key } = item;
        if (this.changes.isHeld(key)) return true;
        if (this.removals.hides(key) || this.changes.isDeleting(item)) return false;
        if (this.changes.isSending(key, "edit")) return true; // it may open again
        return isFor(this.query.filter, item);
      });
  }

  /** Keeps the list fresh: it is read again whenever the API says that something has changed. */
  watch(): void {
    this.#isWatching = true;
    this.#isLeaving = false;
    void this.load();
  }

  rest(): void {
    this.#isWatching = false;
    this.#wakes.stop();
  }

  /** The page is left: what waits, or could still be undone, is sent now. */
  leave(): Promise<void> {
    this.rest();
    this.#isLeaving = true;
    this.additions.hurry();
    this.removals.flush();
    return this.#writes.settled();
  }

  /** The page is gone before it knows what came of what is on its way: the next one asks. */
  journal(): void {
    this.unsent.leave([...this.additions.operations, ...this.changes.operations]);
  }

  async load(): Promise<void> {
    this.#wakes.pause();
    if (!this.#tasks.items) void this.#showKept();
    const load = ++this.#loads;
    const isCurrent = () => load === this.#loads && !this.#writes.busy;
    try {
      const limit = this.#limit;
      const page = await this.#tasks.client.list({ limit, ...parameters(this.query) });
      await this.unsent.read().catch(() => undefined);
      if (!isCurrent()) return; // another load follows
      this.unsent.isCutOff = false;
      this.#take(page.data);
      this.changes.refresh();
      this.more = page.links.next !== undefined;
      this.settled = true;
      if (this.unsent.waiting.length === 0) this.trouble = undefined;
      this.#tellOfHidden();
      this.#dropNotice();
      void this.#loadTags(page.etag);
      void this.#kept.catchUp(this.#tasks.client);
    } catch (error) {
      if (!isCurrent() || error instanceof SignedOut) return;
      this.trouble = sentence(error);
      this.unsent.isCutOff = canRetry(error);
      if (!this.settled) await this.#showKept();
    }
    this.onChange();
    if (this.unsent.isReady)
      void this.#writes.attempt(
        () => this.unsent.flush(),
        (error) => (this.trouble = sentence(error)),
      );
    const isBehind = this.trouble !== undefined || this.unsent.waiting.length > 0;
    if (this.#isWatching) this.#wakes.next(isBehind);
  }

  show(change: Partial<Query>): Promise<void> {
    this.query = { ...this.query, ...change };
    this.#limit = PAGE;
    this.settled = false;
    this.#dropNotice();
    this.onChange();
    return this.load();
  }

  showMore(): Promise<void> {
    this.#limit = Math.min(this.#limit + PAGE, LIST_MAX);
    this.settled = false;
    return this.load();
  }

  add(members: NewMembers): Addition {
    const addition = this.additions.add(members);
    const { item, sent } = addition;
    if (!matches(this.query, item)) this.#notices.tellWhere(item, this.query);
    void sent.then((failure) => {
      if (!failure) return;
      const draft = this.changes.drafts.get(item.key);
      if (draft?.isTouched) {
        failure.members = { ...failure.members, ...draft.typed };
        failure.isEdited = true;
      }
      this.changes.cancel(item.key);
      if (this.notice?.key === item.key) this.tell(undefined);
    });
    return addition;
  }

  edit(key: number): void {
    const item = this.#find(key);
    if (item) this.changes.open(item);
  }

  complete(key: number, completed: boolean): void {
    const item = this.#find(key);
    if (!item) return;
    if (completed) this.removals.completed(key);
    void this.changes.complete(item, completed);
  }

  delete(key: number): void {
    const item = this.#find(key);
    if (item) this.removals.delete(item);
  }

  clearCompleted(): void {
    const all = [...(this.#tasks.items ?? []), ...this.additions.pending];
    this.removals.clear(all.filter((item) => this.changes.shown(item).completed));
  }

  undo(removal: Removal | undefined = this.removals.undoable.at(-1)): Item | undefined {
    if (removal) this.removals.undo(removal);
    return removal?.items[0];
  }

  tell(notice: Notice | undefined): void {
    this.#notices.tell(notice);
  }

  /** The tasks as they were last seen, until the API says what they are. */
  async #showKept(): Promise<void> {
    await this.unsent.read().catch(() => undefined);
    const tasks = await this.#kept.tasks().catch(() => undefined);
    if (!tasks || this.settled) return;
    const items = tasks.map((task) => this.#tasks.withKey(task)).sort(ordered(this.query));
    const found = items.filter((item) => matches(this.query, this.changes.shown(item)));
    this.#take(found.slice(0, this.#limit));
    this.more = found.length > this.#limit;
    this.settled = this.unsent.isCutOff;
    if (this.tags.length === 0) this.tags = tagsOf(items);
    this.onChange();
  }

  /** What somebody is at work on stays, also when it is gone: they are to be told. */
  #take(tasks: Task[]): void {
    const isWished = (item: Item) =>
      this.unsent.of(item).length > 0 && matches(this.query, this.changes.shown(item));
    this.#tasks.take(tasks, (item) => this.changes.isHeld(item.key) || isWished(item));
    for (const { seen } of this.changes.drafts.values())
      if (seen.id > 0) this.#tasks.insert(seen, 0);
  }

  #isAdded(item: Item): void {
    if (this.#tasks.find(item.key)) return;
    this.changes.advance(item.key, { version: 0 }, item);
    this.#created.add(item.key);
    this.#insert(item);
  }

  /** Read again only if something may have changed. They are not worth a word if that fails. */
  async #loadTags(etag: string | undefined): Promise<void> {
    if (etag !== undefined && etag === this.#tagsOf) return;
    this.#tagsOf = etag;
    const answer = await this.#tasks.client.tags().catch(() => undefined);
    if (answer) this.tags = answer.data;
    else this.#tagsOf = undefined;
    this.onChange();
  }

  /** The task that follows one that was completed is there at once, or said to be elsewhere. */
  async #showNext(id: number): Promise<void> {
    const next = await this.#tasks.read(id).catch(() => undefined); // it may be deleted by now
    if (!next) return;
    this.#insert(next);
    this.#notices.tellNext(next, !matches(this.query, next));
  }

  /** Puts a new task where the query has it, if it does. */
  #insert(item: Item): void {
    this.#tasks.replace(item);
    const items = this.#tasks.items ?? [];
    if (matches(this.query, item)) this.#tasks.insert(item, place(this.query, items, item));
  }

  #changed(): void {
    this.removals.spareHeld();
    keepTyped(this.person.id, { drafts: this.changes.touched });
    this.onChange();
  }

  #find(key: number): Item | undefined {
    return this.#tasks.find(key) ?? this.additions.find(key);
  }

  /** A new task that the API's list does not have in it. */
  #tellOfHidden(): void {
    for (const key of this.#created)
      if (!this.#find(key) && this.notice?.key !== key) this.#notices.tellWhere({ key }, this.query);
    this.#created.clear();
  }

  /** What it says is hidden is shown. */
  #dropNotice(): void {
    const key = this.notice?.key;
    if (key !== undefined && this.visible().some((item) => item.key === key)) this.tell(undefined);
  }
}
