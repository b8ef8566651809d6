import { Additions, type Addition, type NewMembers } from "./additions";
import { apiOf, type TagCount } from "./api";
import { Changes } from "./changes";
import { dueWords, inSentence } from "./due";
import { sentence } from "./failure";
import { isFor, matches, parameters, place, type Query } from "./query";
import { Removals, type Removal } from "./removals";
import { SignedOut, type Person } from "./session";
import { Tasks, type Item } from "./tasks";
import { Writes } from "./writes";

const POLL_MS = 60_000;
const DEAF_POLL_MS = 5_000; // while the API cannot say that something has changed
const NOTICE_MS = 8_000;
const PAGE = 50;
const LIST_MAX = 1_000;

/** What has happened, said for a while; `key` is of a task that can be shown. */
export type Notice = { text: string; key?: number | undefined };

/** Why a new task is not among those that are shown. */
const ONLY = {
  all: "it is further down",
  open: "only open tasks are shown",
  done: "only done tasks are shown",
  today: "only what is due today is shown",
  upcoming: "only what is due later is shown",
};

/** A person's tasks as they are shown, and all that can be done to them. It knows no DOM. */
export class Board {
  more = false;
  /** Why the list cannot be had right now. */
  trouble: string | undefined;
  notice: Notice | undefined;
  /** Whether the tasks are already those asked for. */
  settled = false;
  tags: TagCount[] = [];
  onChange: () => void = () => undefined;

  readonly changes: Changes;
  readonly additions: Additions;
  readonly removals: Removals;
  readonly #tasks: Tasks;
  readonly #writes: Writes;
  readonly #created = new Set<number>(); // and not yet seen in a list
  #tagsOf: string | undefined; // the ETag of the list with which they were read
  #limit = PAGE;
  #loads = 0;
  #isWatching = false;
  #hearing: AbortController | undefined;
  #isDeaf = true;
  #isLeaving = false;
  #pollTimer: number | undefined;
  #noticeTimer: number | undefined;

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
    this.changes = new Changes(this.#tasks, this.#writes, tell);
    this.additions = new Additions(this.#tasks, this.#writes, person.id);
    this.removals = new Removals(this.#tasks, this.#writes, this.changes, tell);
    this.changes.onAdvance = (...change) => this.removals.advance(...change);
    this.changes.onNext = (id) => void this.#showNext(id);
  }

  get isLoaded(): boolean {
    return this.#tasks.items !== undefined;
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
        if (this.removals.hides(key) || this.changes.isSending(key, "delete")) return false;
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
    this.#hearing?.abort();
    this.#hearing = undefined;
    window.clearTimeout(this.#pollTimer);
  }

  /** The page is left: what waits, or could still be undone, is sent now. */
  leave(): Promise<void> {
    this.rest();
    this.#isLeaving = true;
    this.additions.hurry();
    this.removals.flush();
    return this.#writes.settled();
  }

  async load(): Promise<void> {
    window.clearTimeout(this.#pollTimer);
    const load = ++this.#loads;
    const isCurrent = () => load === this.#loads && !this.#writes.busy;
    try {
      const limit = this.#limit;
      const page = await this.#tasks.client.list({ limit, ...parameters(this.query) });
      if (!isCurrent()) return; // another load follows
      this.#tasks.take(page.data, (key) => this.changes.isHeld(key));
      this.changes.refresh();
      this.more = page.links.next !== undefined;
      this.settled = true;
      this.trouble = undefined;
      this.#tellOfHidden();
      this.#dropNotice();
      void this.#loadTags(page.etag);
    } catch (error) {
      if (!isCurrent() || error instanceof SignedOut) return;
      this.trouble = sentence(error);
    }
    this.onChange();
    if (!this.#isWatching) return;
    if (!this.#hearing) void this.#hear((this.#hearing = new AbortController()).signal);
    const patience = this.#isDeaf || this.trouble ? DEAF_POLL_MS : POLL_MS;
    this.#pollTimer = window.setTimeout(() => void this.load(), patience);
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
    return this.load();
  }

  add(members: NewMembers): Addition {
    const addition = this.additions.add(members, (item) => {
      if (this.#find(item.key)) return;
      this.changes.advance(item.key, addition.item, item);
      this.#created.add(item.key);
      this.#insert(item);
    });
    const { item, sent } = addition;
    if (!matches(this.query, item)) this.#tellWhere(item);
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
    window.clearTimeout(this.#noticeTimer);
    this.notice = notice;
    this.onChange();
    if (notice) this.#noticeTimer = window.setTimeout(() => this.tell(undefined), NOTICE_MS);
  }

  /** Until the signal: what another device does is here at once. The tabs share one stream. */
  async #hear(signal: AbortSignal): Promise<void> {
    const onError = () => {
      if (this.#isDeaf) return; // it asks in a few seconds anyway
      this.#isDeaf = true;
      void this.load();
    };
    try {
      for await (const _ of this.#tasks.client.watch({ share: this.person.id, signal, onError })) {
        this.#isDeaf = false;
        void this.load();
      }
    } catch {
      this.#isDeaf = true; // refused for good: whoever asks for the list is told why
    }
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
    const isHidden = !matches(this.query, next);
    const text = `“${next.title}” comes again, due ${inSentence(dueWords(next))}.`;
    this.tell({ text, key: isHidden ? next.key : undefined });
  }

  /** Puts a new task where the query has it, if it does. */
  #insert(item: Item): void {
    const items = this.#tasks.items ?? [];
    if (matches(this.query, item)) this.#tasks.insert(item, place(this.query, items, item));
  }

  #changed(): void {
    this.removals.spareHeld();
    this.onChange();
  }

  #find(key: number): Item | undefined {
    return this.#tasks.find(key) ?? this.additions.find(key);
  }

  /** A new task that the API's list does not have in it. */
  #tellOfHidden(): void {
    for (const key of this.#created)
      if (!this.#find(key) && this.notice?.key !== key) this.#tellWhere({ key });
    this.#created.clear();
  }

  /** What it says is hidden is shown. */
  #dropNotice(): void {
    const key = this.notice?.key;
    if (key !== undefined && this.visible().some((item) => item.key === key)) this.tell(undefined);
  }

  #tellWhere({ key, title }: { key: number; title?: string }): void {
    const { filter, tag, search } = this.query;
    const what = title === undefined ? "Your new task" : `“${title}”`;
    const why = search
      ? `only tasks with “${search}” are shown`
      : tag
        ? `only tasks with the tag “${tag}” are shown`
        : ONLY[filter];
    this.tell({ text: `${what} is added, but hidden: ${why}.`, key });
  }
}
