import type { Board, Conflict, Task, Wish } from "./board";
import { say, set } from "./dom";

/** One task in the list. It is made once and updated, so focus and what is typed stay. */
export class Row {
  readonly element: HTMLElement;
  readonly #board: Board;
  readonly #id: number;
  readonly #check: HTMLInputElement;
  readonly #form: HTMLFormElement;
  readonly #title: HTMLInputElement;
  readonly #description: HTMLTextAreaElement;

  constructor(board: Board, task: Task) {
    const template = document.querySelector<HTMLTemplateElement>("#row")!;
    this.element = template.content.firstElementChild!.cloneNode(true) as HTMLElement;
    this.#board = board;
    this.#id = task.id;
    this.#check = this.#part(".check");
    this.#form = this.#part(".draft");
    this.#title = this.#part(".draft [name=title]");
    this.#description = this.#part(".draft [name=description]");
    this.#listen();
  }

  focus(): void {
    const places = [this.#part(".conflict"), this.#title, this.#check];
    places.find(({ offsetParent }) => offsetParent)?.focus();
  }

  /** After an answer: the person may be typing elsewhere by now. */
  #focusAgain(): void {
    const { activeElement, body } = document;
    if (activeElement === body || this.element.contains(activeElement)) this.focus();
  }

  update(task: Task): void {
    const draft = this.#board.drafts.get(task.id);
    const conflict = this.#board.conflicts.get(task.id);
    const opened = draft && this.#form.hidden;

    this.element.classList.toggle("completed", task.completed);
    this.#part(".shown").hidden = Boolean(draft);
    words(this.#part(".shown"), task);
    this.#check.checked = task.completed;
    this.#check.ariaLabel = task.title;
    this.#part(".edit").ariaLabel = `Edit “${task.title}”`;
    this.#part(".delete").ariaLabel = `Delete “${task.title}”`;

    this.#form.hidden = !draft;
    this.#part(".draft .actions").hidden = Boolean(conflict);
    say(this.#part(".draft .message"), draft?.complaint);
    this.#conflict(conflict);
    if (opened) {
      this.#title.value = task.title;
      this.#description.value = task.description ?? "";
      this.#focusAgain();
    }
  }

  #conflict(conflict: Conflict | undefined): void {
    const section = this.#part(".conflict");
    const appears = conflict && section.hidden;
    section.hidden = !conflict;
    if (!conflict) return;
    const { reason, mine, theirs } = texts(conflict.wish);
    words(section, conflict.now);
    set(this.#part(".state"), conflict.now.completed ? "Done" : "Open");
    set(this.#part(".mine"), mine);
    set(this.#part(".theirs"), theirs);
    set(this.#part(".reason"), reason);
    if (appears) this.#focusAgain();
  }

  #listen(): void {
    const board = this.#board;
    this.#check.addEventListener("change", () => {
      void board.complete(this.#id, this.#check.checked);
    });
    this.#part(".edit").addEventListener("click", () => void board.edit(this.#id));
    this.#part(".words").addEventListener("dblclick", () => void board.edit(this.#id));
    this.#part(".delete").addEventListener("click", () => board.delete(this.#id));
    this.#part(".cancel").addEventListener("click", () => this.#cancel());
    this.#part(".mine").addEventListener("click", () => void this.#resolve(true));
    this.#part(".theirs").addEventListener("click", () => void this.#resolve(false));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save();
    });
    this.#form.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) this.#cancel();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#form.requestSubmit();
    });
  }

  async #save(): Promise<void> {
    const description = this.#description.value;
    if (await this.#board.save(this.#id, this.#title.value, description || null))
      this.#focusAgain();
  }

  #cancel(): void {
    void this.#resolve(false);
    this.#board.cancelEdit(this.#id);
    this.focus();
  }

  async #resolve(insist: boolean): Promise<void> {
    await this.#board.resolve(this.#id, insist);
    this.#focusAgain();
  }

  #part<E extends HTMLElement>(selector: string): E {
    return this.element.querySelector<E>(selector)!;
  }
}

function texts(wish: Wish): { reason: string; mine: string; theirs: string } {
  switch (wish.kind) {
    case "edit":
      return {
        reason: "It was changed elsewhere while you were editing, so yours is not saved yet.",
        mine: "Save mine instead",
        theirs: "Keep what it is now",
      };
    case "complete": {
      const [done, it] = wish.completed ? ["completed", "Complete it"] : ["reopened", "Reopen it"];
      const reason = `It was changed elsewhere, so it was not ${done}.`;
      return { reason, mine: it, theirs: "Leave it" };
    }
    case "delete": {
      const reason = "It was changed elsewhere, so it was not deleted.";
      return { reason, mine: "Delete it", theirs: "Keep it" };
    }
  }
}

function words(within: HTMLElement, { title, description }: Task): void {
  set(within.querySelector(".title")!, title);
  set(within.querySelector(".description")!, description ?? "");
}
