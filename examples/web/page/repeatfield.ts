import { part, set } from "./dom";
import type { Members } from "./members";
import {
  MAX_INTERVAL,
  repeatWords,
  simplePartsOf,
  simpleRule,
  unitWords,
  WEEKDAYS,
  type Frequency,
} from "./repetition";

/** How often a task repeats: a frequency and an interval, or whatever rule it has. */
export class RepeatField {
  readonly #often: HTMLSelectElement;
  readonly #interval: HTMLInputElement;
  readonly #from: HTMLSelectElement;
  readonly #form: HTMLElement;
  #rule: string | null = null; // another one than the choices say

  constructor(form: HTMLElement) {
    this.#form = form;
    this.#often = part(form, "[name=repeat]");
    this.#interval = part(form, "[name=interval]");
    this.#from = part(form, "[name=repeat_from]");
    this.#interval.max = String(MAX_INTERVAL);
    this.#often.addEventListener("input", () => this.#show());
    this.#interval.addEventListener("input", () => this.#show());
  }

  write({ repeat, repeat_from }: Members): void {
    const simple = repeat === null ? undefined : simplePartsOf(repeat);
    const [often, interval] = simple ?? [repeat === WEEKDAYS ? WEEKDAYS : "", 1];
    const isOther = repeat !== null && !often;
    const other = part<HTMLOptionElement>(this.#form, "[name=repeat] .other");
    this.#rule = isOther ? repeat : null;
    other.hidden = other.disabled = !isOther;
    set(other, isOther ? repeatWords(repeat) : "");
    this.#often.value = isOther ? "other" : often;
    if (this.#interval.value !== String(interval)) this.#interval.value = String(interval);
    this.#from.value = repeat_from;
    this.#show();
  }

  enable(hasDay: boolean): void {
    for (const field of [this.#often, this.#interval, this.#from]) field.disabled = !hasDay;
    this.#show();
  }

  read(hasDay: boolean): Pick<Members, "repeat" | "repeat_from"> {
    const repeat = hasDay ? this.#chosen() : null;
    const repeat_from = repeat === null ? "due" : (this.#from.value as Members["repeat_from"]);
    return { repeat, repeat_from };
  }

  #chosen(): string | null {
    const { value } = this.#often;
    if (value === "other") return this.#rule;
    if (value === "" || value === WEEKDAYS) return value || null;
    return simpleRule(value as Frequency, this.#number);
  }

  get #number(): number {
    return Math.min(Math.max(1, Math.trunc(this.#interval.valueAsNumber) || 1), MAX_INTERVAL);
  }

  #show(): void {
    const { value, disabled } = this.#often;
    const isSimple = value !== "" && value !== "other" && value !== WEEKDAYS;
    part(this.#form, ".interval").hidden = disabled || !isSimple;
    part(this.#form, ".from").hidden = disabled || value === "";
    if (isSimple)
      set(part(this.#form, ".unit"), unitWords(value as Frequency, this.#number));
  }
}
