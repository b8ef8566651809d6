import { Board, type Filter } from "./board";
import { $, say, set } from "./dom";
import { List } from "./list";

const SEARCH_PAUSE_MS = 250;

/** Puts a board on the page, and takes orders. */
export class View {
  readonly #board: Board;
  readonly #list: List;
  #searchTimer: number | undefined;

  constructor(board: Board, signOut: () => Promise<void>) {
    this.#board = board;
    this.#list = new List(board);
    set($("who"), board.person.email);
    $("sign-out").addEventListener("click", () => void signOut());
    this.#listen();
    this.update();
    $("board").hidden = false;
    $("new-title").focus();
  }

  update(): void {
    const board = this.#board;
    const tasks = board.visible();
    const empty = board.settled && tasks.length === 0;
    const narrowed = board.filter !== "all" || board.search !== "";

    $("loading").hidden = board.tasks !== undefined || board.trouble !== undefined;
    $("trouble").hidden = board.trouble === undefined;
    set($("trouble-message"), board.trouble ? `${board.trouble} ${KEPT}` : "");
    say($("add-message"), board.complaint);

    this.#list.update(tasks);
    $("tasks").ariaBusy = String(!board.settled);
    $("empty").hidden = !empty;
    set($("empty-message"), empty ? nothing(board) : "");
    $("show-all").hidden = !narrowed;
    $("more").hidden = !board.more || board.full;
    $("full").hidden = !board.full;
    $("clear").hidden = !tasks.some(({ completed }) => completed);

    $("undo-toast").hidden = !board.deleting;
    set($("undo-message"), board.deleting ? `Deleted “${board.deleting.title}”.` : "");
    say($("notice"), board.notice);
  }

  #listen(): void {
    $("add").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#add();
    });
    $("filter").addEventListener("change", (event) => {
      void this.#board.show({ filter: (event.target as HTMLInputElement).value as Filter });
    });
    $("search").addEventListener("input", () => {
      window.clearTimeout(this.#searchTimer);
      this.#searchTimer = window.setTimeout(() => this.#search(), SEARCH_PAUSE_MS);
    });
    $("show-all").addEventListener("click", () => this.#showAll());
    $("more").addEventListener("click", () => void this.#board.showMore());
    $("retry").addEventListener("click", () => void this.#board.load());
    $("undo").addEventListener("click", () => this.#undo());
    $("clear").addEventListener("click", () => $<HTMLDialogElement>("confirm").showModal());
    $("confirm").addEventListener("close", () => {
      const dialog = $<HTMLDialogElement>("confirm");
      if (dialog.returnValue === "clear") void this.#board.clearCompleted();
      dialog.returnValue = "";
    });
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  async #add(): Promise<void> {
    const form = $<HTMLFormElement>("add");
    const input = $<HTMLInputElement>("new-title");
    const title = input.value;
    if (!title.trim() || form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    const added = await this.#board.add(title);
    form.ariaBusy = "false";
    if (!added) return;
    if (input.value === title) input.value = "";
    set($("said"), `Added “${title}”.`);
  }

  #search(): void {
    window.clearTimeout(this.#searchTimer);
    void this.#board.show({ search: $<HTMLInputElement>("search").value });
  }

  #showAll(): void {
    $<HTMLInputElement>("search").value = "";
    const all = document.querySelector<HTMLInputElement>("#filter [value=all]")!;
    all.checked = true;
    all.focus();
    void this.#board.show({ filter: "all", search: "" });
  }

  #undo(): void {
    const task = this.#board.deleting;
    this.#board.undo();
    if (task) this.#list.focusTask(task.id);
  }

  /** Keys that count anywhere but where text is typed. */
  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (target.closest("dialog, .draft")) return;
    const typing = target.matches("#new-title, #search");
    const act = {
      "/": typing ? undefined : () => $("search").focus(),
      u: typing ? undefined : () => this.#undo(),
      ArrowDown: typing ? () => this.#list.focus(0) : undefined,
      Escape: target.matches("#search") ? () => this.#leaveSearch() : undefined,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #leaveSearch(): void {
    $<HTMLInputElement>("search").value = "";
    this.#search();
    this.#list.focus(0);
  }
}

const KEPT = "What you have typed is kept, and it is tried again every few seconds.";

function nothing({ filter, search }: Board): string {
  const kind = filter === "all" ? "" : `${filter} `;
  if (search) return `No ${kind}task has “${search}” in it.`;
  if (filter === "open") return "Nothing is open. Well done.";
  if (filter === "done") return "Nothing is done yet.";
  return "Nothing here yet. Add your first task above.";
}
