import type { Board } from "./board";
import type { Draft } from "./changes";
import { part, say } from "./dom";
import { ownZone } from "./due";
import { isBlank, trimmed } from "./limits";
import type { Members } from "./members";
import { RepeatField } from "./repeatfield";

/** The form to edit a task. What is typed is kept in the draft, so the form can be made anew. */
export class Form {
  readonly element: HTMLFormElement;
  readonly title: HTMLInputElement;
  readonly #description: HTMLTextAreaElement;
  readonly #date: HTMLInputElement;
  readonly #time: HTMLInputElement;
  readonly #priority: HTMLSelectElement;
  readonly #tags: HTMLInputElement;
  readonly #repeat: RepeatField;
  #draft: Draft | undefined;

  /** `closed`: somebody has closed it, so the focus goes back to the row. */
  constructor(element: HTMLFormElement, board: Board, key: number, closed: () => void) {
    this.element = element;
    this.title = part(element, "[name=title]");
    this.#description = part(element, "[name=description]");
    this.#date = part(element, "[name=due_date]");
    this.#time = part(element, "[name=due_time]");
    this.#priority = part(element, "[name=priority]");
    this.#tags = part(element, "[name=tags]");
    this.#repeat = new RepeatField(element);
    const cancel = () => {
      board.changes.cancel(key);
      closed();
    };
    part(element, ".cancel").addEventListener("click", cancel);
    element.addEventListener("input", () => {
      if (this.#draft) board.changes.type(key, this.#read(this.#draft));
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
    if (draft && (draft !== this.#draft || !draft.isTouched)) this.#write(draft.typed);
    if (draft) this.#enable(draft.typed);
    this.#draft = draft;
    return opens;
  }

  #write(typed: Members): void {
    const values: [HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement, string][] = [
      [this.title, typed.title],
      [this.#description, typed.description ?? ""],
      [this.#date, typed.due_date ?? ""],
      [this.#time, typed.due_time ?? ""],
      [this.#priority, typed.priority ?? ""],
      [this.#tags, typed.tags.join(", ")],
    ];
    for (const [field, value] of values) if (field.value !== value) field.value = value;
    this.#repeat.write(typed);
  }

  /** A time and a repetition need a day. */
  #enable({ due_date, due_time, time_zone }: Members): void {
    this.#time.disabled = due_date === null;
    this.#repeat.enable(due_date !== null);
    const zone = due_time === null ? null : time_zone;
    say(part(this.element, ".zone"), zone === null ? undefined : `Time in ${zone}`);
  }

  #read({ typed, seen }: Draft): Members {
    const due_date = this.#date.value || null;
    const due_time = (due_date && this.#time.value) || null;
    const time_zone = due_time && (seen.due_time === null ? ownZone() : seen.time_zone);
    const members = {
      ...typed,
      title: this.title.value,
      description: this.#description.value,
      priority: (this.#priority.value || null) as Members["priority"],
      tags: tagsIn(this.#tags.value),
      due_date,
      due_time,
      time_zone,
    };
    return { ...members, ...this.#repeat.read(due_date !== null) };
  }
}

/** The tags in a line, each once. */
function tagsIn(line: string): string[] {
  const tags = line.split(",").map((tag) => trimmed(tag).replace(/^#/, ""));
  const first = new Map<string, string>();
  for (const tag of tags)
    if (!isBlank(tag) && !first.has(tag.toLowerCase())) first.set(tag.toLowerCase(), tag);
  return [...first.values()];
}
