import type { NewMembers } from "./additions";
import { $, copyOf, part, say, set } from "./dom";
import { dueWords, inSentence } from "./due";
import { isBlank, tagsComplaint, titleComplaint, trimmed } from "./limits";
import { repeatWords } from "./repetition";
import type { TypedLine } from "./typed";
import { nameOf, understand, type Part, type Understood } from "./understand";

/** What was typed for a new task, and what of it is to stay in the title. */
export type Line = { text: string; kept: ReadonlySet<string>; members: NewMembers };

/** The field for new tasks. What it understands of a line is shown, and can be taken back. */
export class QuickAdd {
  readonly #input = $<HTMLInputElement>("new-title");
  readonly #chips = new Map<string, HTMLElement>();
  #kept = new Set<string>();
  #complaint: string | undefined;
  readonly #keep: (line: TypedLine | undefined) => void;

  /** `typed` is what was in the field before the page was loaded anew; `keep` is told what is. */
  constructor(
    add: (line: Line) => void,
    typed: TypedLine | undefined,
    keep: (line: TypedLine | undefined) => void,
  ) {
    this.#keep = keep;
    if (typed) {
      this.#input.value = typed.text;
      this.#kept = new Set(typed.kept);
    }
    $("add").addEventListener("submit", (event) => {
      event.preventDefault();
      const line = this.#take();
      if (line) add(line);
    });
    this.#input.addEventListener("input", () => {
      if (isBlank(this.#input.value)) this.#kept.clear();
      const { title } = this.update();
      this.#complaint &&= isBlank(title) ? undefined : titleComplaint(title);
      say($("add-message"), this.#complaint);
    });
  }

  /** Puts back what was not added, unless something else is typed by now. */
  putBack({ text, kept }: Line, why: string): boolean {
    if (this.#input.value !== "") return false;
    this.#input.value = text;
    this.#kept = new Set(kept);
    this.#complaint = `Not added. ${why}`;
    this.update();
    return true;
  }

  update(): Understood {
    const text = this.#input.value;
    this.#keep(text === "" ? undefined : { text, kept: [...this.#kept] });
    const understood = understand(text, this.#kept);
    const { parts, title } = understood;
    const labels = new Map(parts.map((each) => [keyOf(each), labelOf(each, understood)]));
    for (const [key, chip] of this.#chips)
      if (!labels.has(key)) {
        chip.remove();
        this.#chips.delete(key);
      }
    for (const each of parts) {
      const chip = this.#chips.get(keyOf(each)) ?? this.#make(each);
      const label = labels.get(keyOf(each))!;
      set(part(chip, "span"), label);
      part(chip, "button").ariaLabel = `${label}: leave “${each.words}” in the title`;
      $("chips").append(chip);
    }
    $("understood").hidden = parts.length === 0;
    set($("rest"), isBlank(title) ? "No title yet" : trimmed(title));
    const said = [...labels.values()].join(", ");
    set($("understood-words"), said && `Understood: ${said}`);
    say($("add-message"), this.#complaint);
    return understood;
  }

  #take(): Line | undefined {
    const text = this.#input.value;
    if (isBlank(text)) return undefined;
    const { task } = this.update();
    const title = trimmed(task.title);
    this.#complaint = titleComplaint(title) ?? tagsComplaint(task.tags ?? []);
    if (this.#complaint) {
      say($("add-message"), this.#complaint);
      return undefined;
    }
    const line = { text, kept: this.#kept, members: { ...task, title } as NewMembers };
    this.#input.value = "";
    this.#kept = new Set();
    this.update();
    return line;
  }

  #make(each: Part): HTMLElement {
    const chip = copyOf("chip");
    chip.dataset.kind = each.kind;
    part(chip, "button").addEventListener("click", () => {
      this.#kept.add(nameOf(each));
      this.#input.focus();
      this.update();
    });
    this.#chips.set(keyOf(each), chip);
    return chip;
  }
}

function keyOf(part: Part): string {
  return `${part.kind} ${nameOf(part)}`;
}

function labelOf({ kind, words }: Part, { task, parts }: Understood): string {
  switch (kind) {
    case "tag":
      return words;
    case "priority":
      return `${task.priority!.replace(/^./, (letter) => letter.toUpperCase())} priority`;
    case "due":
      return `Due ${dueOf(task)}`;
    case "repeat": {
      const hasDue = parts.some((part) => part.kind === "due");
      return repeatWords(task.repeat!) + (hasDue ? "" : `, from ${dueOf(task)}`);
    }
  }
}

function dueOf({ due_date = null, due_time = null, time_zone = null }: Understood["task"]): string {
  return inSentence(dueWords({ due_date, due_time, time_zone }));
}
