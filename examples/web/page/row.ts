import type { Board } from "./board";
import { ConflictPanel } from "./conflict";
import { copyOf, part } from "./dom";
import { Facts } from "./facts";
import { Form } from "./form";
import type { Item } from "./tasks";
import { Words } from "./words";

/** Does what somebody asks for with that row. */
export type Act = (order: () => void) => void;

/** One task in the list. It is made once and updated, so focus and what is typed stay. */
export class Row {
  readonly element: HTMLElement;
  readonly #board: Board;
  readonly #key: number;
  readonly #check: HTMLInputElement;
  readonly #words: Words;
  readonly #facts: Facts;
  readonly #form: Form;
  readonly #conflict: ConflictPanel;

  constructor(board: Board, { key }: Item, act: Act, showTag: (tag: string) => void) {
    this.element = copyOf("row");
    this.#board = board;
    this.#key = key;
    this.#check = part(this.element, ".check");
    this.#words = new Words(part(this.element, ".words"));
    this.#form = new Form(part(this.element, ".draft"), board, key, () => act(() => this.focus()));
    this.#facts = new Facts(part(this.element, ".facts"), showTag);
    this.#facts.element.id = `facts-${key}`;
    this.#check.setAttribute("aria-describedby", this.#facts.element.id);
    const resolve = (insists: boolean) => {
      act(() => void board.changes.resolve(key, insists));
      this.focus();
    };
    this.#conflict = new ConflictPanel(part(this.element, ".conflict"), resolve, showTag);
    this.#listen(act);
  }

  focus(): void {
    const places = [this.#conflict.element, this.#form.title, this.#check];
    places.find(({ offsetParent }) => offsetParent)?.focus();
  }

  update(item: Item): void {
    const draft = this.#board.changes.drafts.get(this.#key);
    const conflict = this.#board.changes.conflicts.get(this.#key);
    const had = this.element.contains(document.activeElement);

    this.element.classList.toggle("completed", item.completed);
    this.element.classList.toggle("pending", item.id < 0);
    this.#words.update(item);
    this.#facts.update(item);
    this.#check.checked = item.completed;
    this.#check.ariaLabel = item.title;
    part(this.element, ".edit").ariaLabel = `Edit “${item.title}”`;
    part(this.element, ".delete").ariaLabel = `Delete “${item.title}”`;
    const opens = this.#form.update(draft, conflict?.wish.kind === "edit");
    const appears = this.#conflict.update(conflict);
    part(this.element, ".shown").hidden = Boolean(draft);
    // The person may be typing elsewhere by now.
    if ((opens || appears) && (had || document.activeElement === document.body)) this.focus();
  }

  #listen(act: Act): void {
    const [board, key] = [this.#board, this.#key];
    this.#check.addEventListener("change", () =>
      act(() => board.complete(key, this.#check.checked)),
    );
    part(this.element, ".edit").addEventListener("click", () => act(() => board.edit(key)));
    part(this.element, ".title").addEventListener("dblclick", () => act(() => board.edit(key)));
    part(this.element, ".delete").addEventListener("click", () => act(() => board.delete(key)));
  }
}
