import {
  expect,
  test as base,
  type BrowserContext,
  type Locator,
  type Page,
} from "@playwright/test";
import { Stack } from "./stack";

export { expect };

// A connection kept alive may be closed just as it is used again; a browser tries once more, too.
const maxRetries = 2;

/** The day that many days from today, as the browser has it. */
export function dayFrom(days: number): string {
  const now = new Date();
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  const [month, date] = [day.getMonth() + 1, day.getDate()].map((n) => String(n).padStart(2, "0"));
  return `${day.getFullYear()}-${month}-${date}`;
}

/** Sooner than any server answers who `isFarAway`, in milliseconds. */
export const AT_ONCE = { timeout: 2_000 };

/** Somebody at the page, with a browser of their own. */
export class Person {
  readonly password = "correct horse battery";
  private readonly heard: string[] = [];
  private readonly expected: RegExp[] = [];

  constructor(
    readonly name: string,
    readonly email: string,
    readonly context: BrowserContext,
    readonly stack: Stack,
    public page: Page,
  ) {
    context.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning")
        this.heard.push(`${message.text()} ${message.location().url}`);
    });
    context.on("weberror", (error) => this.heard.push(error.error().message));
  }

  /** Another tab of the same browser. */
  async opensTab(): Promise<Person> {
    const page = await this.context.newPage();
    await page.goto(this.stack.origin);
    const tab: Person = Object.create(this, { page: { value: page } });
    await expect(tab.newTitle).toBeVisible();
    return tab;
  }

  async comes(): Promise<void> {
    await this.page.goto(this.stack.origin);
    await expect(this.newTitle).toBeVisible();
    await expect(this.page.locator("#loading")).toBeHidden();
  }

  async signsUp(): Promise<void> {
    const answer = await this.context.request.post(`${this.stack.origin}/api/auth/sign-up/email`, {
      data: { name: this.name, email: this.email, password: this.password },
      headers: { origin: this.stack.origin },
    });
    expect(answer.ok()).toBe(true);
  }

  async adds(...titles: string[]): Promise<void> {
    for (const title of titles) {
      await this.newTitle.fill(title);
      await this.newTitle.press("Enter");
      await expect(this.newTitle).toHaveValue("");
    }
  }

  async edits(title: string, change: { title?: string; description?: string }): Promise<void> {
    await this.page.getByRole("button", { name: `Edit “${title}”` }).click();
    if (change.title !== undefined) await this.draftTitle.fill(change.title);
    if (change.description !== undefined) await this.draftDescription.fill(change.description);
  }

  async saves(): Promise<void> {
    await this.page.getByRole("button", { name: "Save", exact: true }).click();
  }

  async completes(title: string): Promise<void> {
    await this.check(title).click();
  }

  async deletes(title: string): Promise<void> {
    await this.page.getByRole("button", { name: `Delete “${title}”` }).click();
  }

  async shows(filter: "Today" | "Upcoming" | "All" | "Open" | "Done"): Promise<void> {
    await this.page.locator("#filter").getByText(filter).click();
  }

  async sees(...titles: (string | RegExp)[]): Promise<void> {
    await expect(this.page.locator(".task .shown .title")).toHaveText(titles);
  }

  /** The API's own word for it. */
  async has(token?: string): Promise<Seen[]> {
    const headers = { authorization: `Bearer ${token ?? (await this.token())}` };
    const url = `${this.stack.apiOrigin}/api/tasks`;
    return (await this.context.request.get(url, { headers, maxRetries })).json();
  }

  /** Turns to another window: the page goes on with what it has seen. */
  async looksAway(): Promise<void> {
    await this.page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
  }

  async looksAgain(): Promise<void> {
    await this.page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
  }

  /** Far from the servers: each request takes that much longer. */
  async isFarAway(milliseconds = 3_000): Promise<void> {
    await this.page.route(/\/api\//, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      await route.continue().catch(() => undefined); // the page has gone by then
    });
  }

  /** The same, in the browser itself: so it holds for what outlives the page, too. */
  async hasASlowLine(latency: number): Promise<void> {
    const browser = await this.context.newCDPSession(this.page);
    await browser.send("Network.emulateNetworkConditions", {
      latency,
      offline: false,
      downloadThroughput: -1,
      uploadThroughput: -1,
    });
  }

  /** Another program of theirs has added them. */
  async hasFromElsewhere(titles: string[], completed = false): Promise<void> {
    await this.hasTasksFromElsewhere(...titles.map((title) => ({ title, completed })));
  }

  /** The same, with more than a title. */
  async hasTasksFromElsewhere(...data: NewTask[]): Promise<void> {
    const headers = { authorization: `Bearer ${await this.token()}` };
    const url = `${this.stack.apiOrigin}/api/tasks/bulk`;
    const answer = await this.context.request.post(url, { data, headers, maxRetries });
    expect(answer.status()).toBe(201);
  }

  async token(): Promise<string> {
    const url = `${this.stack.origin}/api/auth/token`;
    return (await (await this.context.request.get(url, { maxRetries })).json()).token;
  }

  /** What the browser's console may say in this test, such as that a request was refused. */
  expects(...complaints: RegExp[]): void {
    this.expected.push(...complaints);
  }

  undoOf(title: string): Locator {
    return this.page.getByRole("button", { name: `Undo: Deleted “${title}”.` });
  }

  get complaints(): string[] {
    return this.heard.filter((text) => !this.expected.some((each) => each.test(text)));
  }

  check(title: string): Locator {
    return this.page.getByRole("checkbox", { name: title, exact: true });
  }

  get newTitle(): Locator {
    return this.page.getByLabel("New task");
  }

  /** What the row of a task says of it. */
  facts(title: string): Locator {
    const row = this.page.getByRole("listitem").filter({ has: this.check(title) });
    return row.locator(".shown .facts > :visible");
  }

  /** That tag in the list of tags. */
  tag(name: string): Locator {
    const tags = this.page.getByRole("list", { name: "Tags" });
    return tags.getByRole("button", { name: new RegExp(`^Tag ${name} \\d`, "i") });
  }

  /** What is understood of the line that is being typed. */
  get chips(): Locator {
    return this.page.locator("#chips > :visible");
  }

  chip(label: string): Locator {
    return this.chips.getByRole("button", { name: new RegExp(`^${label}: leave `) });
  }

  /** The form that is open. */
  get draft(): Locator {
    return this.page.locator(".draft:visible");
  }

  get draftTitle(): Locator {
    return this.page.getByRole("textbox", { name: "Title" });
  }

  get draftDescription(): Locator {
    return this.page.getByRole("textbox", { name: "Description" });
  }
}

type Seen = { title: string; description: string | null; completed: boolean };
type NewTask = Partial<Seen> & { title: string } & Record<string, unknown>;
type Cast = { stranger: Person; alice: Person; bob: Person };
type House = { tokenLifetime: string; stack: Stack };

let people = 0;

export const test = base.extend<Cast & { person: (name: string) => Promise<Person> }, House>({
  tokenLifetime: ["15m", { scope: "worker", option: true }],

  stack: [
    async ({ tokenLifetime }, use) => {
      const stack = await Stack.start(tokenLifetime);
      await use(stack);
      await stack.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],

  /** People whom nobody has met before. In the end none of their browsers may have complained. */
  person: async ({ browser, stack, contextOptions, viewport }, use) => {
    const cast: Person[] = [];
    await use(async (name) => {
      const context = await browser.newContext({ ...contextOptions, viewport });
      const email = `${name.toLowerCase()}-${process.pid}-${++people}@example.com`;
      const person = new Person(name, email, context, stack, await context.newPage());
      cast.push(person);
      return person;
    });
    for (const { name, complaints, context } of cast) {
      await context.close();
      expect(complaints, `what ${name}'s browser complained of`).toEqual([]);
    }
  },

  stranger: async ({ person }, use) => use(await person("Stranger")),

  alice: async ({ person }, use) => {
    const alice = await person("Alice");
    await alice.signsUp();
    await alice.comes();
    await use(alice);
  },

  bob: async ({ person }, use) => {
    const bob = await person("Bob");
    await bob.signsUp();
    await bob.comes();
    await use(bob);
  },
});
