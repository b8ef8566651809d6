import type { Board } from "./board";
import type { Draft } from "./changes";
import { part, say } from "./dom";

/** The form to edit a task. What is typed is kept in the draft, so the form can be made anew. */
export class Form {
  readonly element: HTMLFormElement;
  readonly title: HTMLInputElement;
  readonly #description: HTMLTextAreaElement;
  #draft: Draft | undefined;

  /** `closed`: somebody has closed it, so the focus goes back to the row. */
  constructor(element: HTMLFormElement, board: Board, key: number, closed: () => void) {
    this.element = element;
    this.title = part(element, "[name=title]");
    this.#description = part(element, "[name=description]");
    const cancel = () => {
      board.changes.cancel(key);
      closed();
    };
    part(element, ".cancel").addEventListener("click", cancel);
    element.addEventListener("input", () => {
      const [title, description] = [this.title.value, this.#description.value];
      board.changes.type(key, { title, description });
    });
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      void board.changes.save(key);
      if (!board.changes.drafts.has(key)) closed();
      else this.title.focus();
    });
    element.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") cancel();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) element.requestSubmit();
    });
  }

  /** Whether it has just been opened. */
  update(draft: Draft | undefined, hasConflict: boolean): boolean {
    const opens = draft !== undefined && this.element.hidden;
    this.element.hidden = !draft;
    part(this.element, ".actions").hidden = hasConflict;
    say(part(this.element, ".message"), draft?.complaint);
    if (draft && (draft !== this.#draft || !draft.isTouched)) {
      if (this.title.value !== draft.title) this.title.value = draft.title;
      if (this.#description.value !== draft.description)
        this.#description.value = draft.description;
    }
    this.#draft = draft;
    return opens;
  }
}
