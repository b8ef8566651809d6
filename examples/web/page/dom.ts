/** The element of that id; index.html has it. */
export function $<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

/** Only a change is written: screen readers read it out. */
export function set(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a message, or that there is none. */
export function say(element: HTMLElement, message: string | undefined): void {
  element.hidden = message === undefined;
  set(element, message ?? "");
}
