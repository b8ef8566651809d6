import type { Failure, NewMembers } from "./additions";
import type { Address } from "./address";
import type { Board } from "./board";
import { $, copyOf, part, say, set } from "./dom";
import { Keys } from "./keys";
import { isBlank, searchComplaint, trimmed } from "./limits";
import { List } from "./list";
import { EVERYTHING, filtered, formatQuery, type Filter, type Query, type Sort } from "./query";
import { QuickAdd, type Line } from "./quickadd";
import { TagList } from "./taglist";
import { Toasts } from "./toasts";
import { keepTyped, readTyped } from "./typed";

const SEARCH_PAUSE_MS = 250;

/** Puts a board on the page, and takes orders. */
export class View {
  readonly #board: Board;
  readonly #address: Address;
  readonly #list: List;
  readonly #toasts: Toasts;
  readonly #quickAdd: QuickAdd;
  readonly #tagList: TagList;
  readonly #failures = new Map<Failure, HTMLElement>();
  #searchTimer: number | undefined;

  constructor(board: Board, address: Address, signOut: () => Promise<void>) {
    this.#board = board;
    this.#address = address;
    this.#list = new List(board, (tag) => this.#showTag(tag));
    this.#tagList = new TagList((tag) => this.#ask({ ...this.#board.query, tag }));
    const { id } = board.person;
    this.#quickAdd = new QuickAdd(
      (line) => this.#list.act(() => void this.#add(line.members, line)),
      readTyped(id).line,
      (line) => keepTyped(id, { line }),
    );
    this.#toasts = new Toasts(board, this.#list, (key) => this.#reveal(key));
    new Keys(
      board,
      this.#list,
      () => this.#toasts.undo(),
      (isCleared) => this.#search(isCleared),
    );
    set($("who"), board.person.email ?? board.person.name);
    $("sign-out").addEventListener("click", () => void signOut());
    this.#listen();
    this.#setControls(board.query);
    this.#quickAdd.update();
    this.update();
    $("board").hidden = false;
    $("new-title").focus();
  }

  update(): void {
    const board = this.#board;
    const items = board.visible();
    const isEmpty = items.length === 0;

    set($("today"), new Date().toLocaleDateString("en", TODAY));
    this.#showFailures(board.additions.failed);
    $("trouble").hidden = board.trouble === undefined;
    set($("trouble-message"), board.trouble ? `${board.trouble} ${waits(board.unsent.waiting.length)}` : "");
    $("loading").hidden = board.settled || !isEmpty || board.trouble !== undefined;

    this.#list.update(items);
    $("tasks").ariaBusy = String(!board.settled);
    $("empty").hidden = !board.settled || !isEmpty;
    $("empty").dataset.kind = board.query.search || board.query.tag ? "search" : board.query.filter;
    this.#tagList.update(board.tags, board.query.tag);
    set($("empty-message"), board.settled && isEmpty ? nothing(board.query) : "");
    $("show-all").hidden = formatQuery({ ...board.query, sort: EVERYTHING.sort }) === "";
    $("more").hidden = !board.more || board.isFull;
    $("full").hidden = !board.isFull;
    $("clear").hidden = !items.some(({ completed }) => completed);
    this.#toasts.update();
  }

  /** Somebody has gone back or forward. */
  show(query: Query): void {
    this.#setControls(query);
    void this.#board.show(query);
  }

  #listen(): void {
    $("filter").addEventListener("change", (event) => {
      const query = filtered(this.#board.query, (event.target as HTMLInputElement).value as Filter);
      $<HTMLSelectElement>("sort").value = query.sort;
      this.#ask(query);
    });
    $("sort").addEventListener("change", (event) => {
      const sort = (event.target as HTMLSelectElement).value as Sort;
      this.#ask({ ...this.#board.query, sort });
    });
    $("search").addEventListener("input", () => {
      window.clearTimeout(this.#searchTimer);
      this.#searchTimer = window.setTimeout(() => this.#search(false), SEARCH_PAUSE_MS);
    });
    $("show-all").addEventListener("click", () => {
      this.#showAll();
      part($("filter"), "[value=all]").focus();
    });
    $("more").addEventListener("click", () => void this.#board.showMore());
    $("retry").addEventListener("click", () => void this.#board.load());
    $("clear").addEventListener("click", () => {
      this.#list.act(() => this.#board.clearCompleted());
      $("desk").focus();
    });
    $("keys").addEventListener("click", () => $<HTMLDialogElement>("help").showModal());
  }

  /** What fails goes back to the line that it was typed in, if that is free. */
  async #add(members: NewMembers, line?: Line): Promise<void> {
    const { sent } = this.#board.add(members);
    set($("said"), `Added “${members.title}”.`);
    const failure = await sent;
    if (!failure) return;
    set($("said"), "");
    const isBack = line && !failure.isEdited && this.#quickAdd.putBack(line, failure.why);
    if (!isBack) this.#board.additions.keep(failure);
  }

  /** What was not added, while something else is typed. */
  #showFailures(failed: Failure[]): void {
    for (const [failure, element] of this.#failures) {
      if (failed.includes(failure)) continue;
      element.remove();
      this.#failures.delete(failure);
    }
    for (const failure of failed) {
      if (this.#failures.has(failure)) continue;
      const element = copyOf("failure");
      const { members, why } = failure;
      const { title } = members;
      set(part(element, ".what"), `“${title}” was not added. ${why}`);
      part(element, ".again").ariaLabel = `Try again: “${title}”`;
      part(element, ".discard").ariaLabel = `Discard: “${title}”`;
      const { additions } = this.#board;
      part(element, ".again").addEventListener("click", () => {
        additions.forget(failure);
        void this.#add(members);
      });
      part(element, ".discard").addEventListener("click", () => additions.forget(failure));
      this.#failures.set(failure, element);
      $("failures").append(element);
    }
  }

  #ask(query: Query, isRefining = false): void {
    if (formatQuery(query) === formatQuery(this.#board.query)) return;
    this.#address.write(query, isRefining);
    void this.#board.show(query);
  }

  #search(isCleared: boolean): void {
    window.clearTimeout(this.#searchTimer);
    const input = $<HTMLInputElement>("search");
    if (isCleared) input.value = "";
    const complaint = searchComplaint(input.value);
    say($("search-message"), complaint);
    if (complaint) return;
    const search = isBlank(input.value) ? "" : trimmed(input.value);
    this.#ask({ ...this.#board.query, search }, !isCleared);
  }

  #showAll(): void {
    const query = { ...filtered(this.#board.query, EVERYTHING.filter), tag: "", search: "" };
    this.#setControls(query);
    this.#ask(query);
  }

  /** All tasks with that tag. The focus is not lost with the row. */
  #showTag(tag: string): void {
    const query = { ...filtered(this.#board.query, EVERYTHING.filter), tag, search: "" };
    this.#setControls(query);
    this.#list.act(() => this.#ask(query));
  }

  /** Shows the task wherever it is: everything, the newest first. */
  async #reveal(key: number): Promise<void> {
    this.#setControls(EVERYTHING);
    this.#address.write(EVERYTHING);
    $("desk").focus();
    await this.#board.show(EVERYTHING);
    if (document.activeElement === $("desk")) this.#list.focusTask(key);
  }

  #setControls({ filter, sort, search }: Query): void {
    part<HTMLInputElement>($("filter"), `[value=${filter}]`).checked = true;
    $<HTMLSelectElement>("sort").value = sort;
    $<HTMLInputElement>("search").value = search;
    window.clearTimeout(this.#searchTimer);
    say($("search-message"), undefined);
  }
}

const TODAY = { weekday: "long", day: "numeric", month: "long" } as const;

function waits(count: number): string {
  if (count === 0) return "What you do is kept, and sent later.";
  return count === 1 ? "1 change waits." : `${count} changes wait.`;
}

function nothing({ filter, tag, search }: Query): string {
  const kind = filter === "open" || filter === "done" ? `${filter} ` : "";
  const dues: Partial<Record<Filter, string>> = {
    today: " that is due today",
    upcoming: " that is due later",
  };
  const due = dues[filter] ?? "";
  if (search) return `No ${kind}task${due} has “${search}” in it.`;
  if (tag) return `No ${kind}task${due} has the tag “${tag}”.`;
  if (filter === "today") return "Nothing is due today. Well done.";
  if (filter === "upcoming") return "Nothing is due later.";
  if (filter === "open") return "Nothing is open. Well done.";
  if (filter === "done") return "Nothing is done yet.";
  return "Nothing here yet. Add your first task above.";
}
