import { $, say, set } from "./dom";
import { signIn, signUp } from "./session";

/** The form to sign in, or to create an account. */
export class Door {
  #new = false;

  constructor() {
    $("door-switch").addEventListener("click", () => this.#turn(!this.#new));
    $("door-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#knock();
    });
  }

  open(): void {
    if (!$("door").hidden) return;
    $("door").hidden = false;
    this.#field("email").focus();
  }

  close(): void {
    $("door").hidden = true;
    $<HTMLFormElement>("door-form").reset();
  }

  #turn(isNew: boolean): void {
    this.#new = isNew;
    const name = this.#field("name");
    $("name-field").hidden = name.disabled = !isNew;
    this.#field("password").autocomplete = isNew ? "new-password" : "current-password";
    const action = isNew ? "Create an account" : "Sign in";
    set($("door-title"), action);
    set($("door-submit"), action);
    set($("door-question"), isNew ? "Been here before?" : "New here?");
    set($("door-switch"), isNew ? "Sign in" : "Create an account");
    say($("door-message"), undefined);
    (isNew ? name : this.#field("email")).focus();
  }

  async #knock(): Promise<void> {
    const submit = $<HTMLButtonElement>("door-submit");
    const [name, email, password] = ["name", "email", "password"].map(
      (each) => this.#field(each).value,
    ) as [string, string, string];
    submit.disabled = true;
    say($("door-message"), undefined);
    const failure = await (this.#new ? signUp(name, email, password) : signIn(email, password));
    submit.disabled = false;
    say($("door-message"), failure);
  }

  #field(name: string): HTMLInputElement {
    return $<HTMLFormElement>("door-form").elements.namedItem(name) as HTMLInputElement;
  }
}
