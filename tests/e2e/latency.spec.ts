import { AT_ONCE, expect, test, type Person } from "./people";

const FAR = 3_000;

/** How many tasks her browser keeps, once it has seen all there are. */
const kept = ({ page }: Person) =>
  page.evaluate(async () => {
    const asked = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const names = (await indexedDB.databases()).map(({ name = "" }) => name);
    const name = names.find((each) => each.startsWith("task-api-page "));
    if (name === undefined) return 0;
    const database = await asked(indexedDB.open(name));
    const stores = database.transaction(["tasks", "state"]);
    const token = await asked(stores.objectStore("state").get("token"));
    const count = await asked(database.transaction("tasks").objectStore("tasks").count());
    database.close();
    return token === undefined ? 0 : count;
  });

test("far away, something is there at once, and nothing waits that need not", async ({ alice }) => {
  await alice.adds("Buy milk");
  await alice.sees("Buy milk");
  await expect.poll(() => kept(alice)).toBe(1);
  // as for the first time: the page's files come from its server
  await alice.page.evaluate(async () => (await navigator.serviceWorker.ready).unregister());
  await alice.page.goto("about:blank");
  await alice.page.waitForLoadState("networkidle");
  const heard: string[] = [];
  const note = (what: string) => (url: string) => {
    const name = /get-session|token|style\.css|main\.js|\/api\/tasks(?!\/events)/.exec(url)?.[0];
    if (name) heard.push(`${what} ${name}`);
  };
  const [asked, told] = [note("asks"), note("has")];
  alice.page.on("request", (request) => asked(request.url()));
  alice.page.on("response", (response) => told(response.url()));
  await alice.page.route("**/*", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, FAR));
    await route.continue().catch(() => undefined);
  });

  await alice.page.goto(alice.stack.origin, { waitUntil: "commit" });
  const opening = alice.page.locator("#opening");
  await expect(opening.getByRole("heading", { name: "Tasks" })).toBeVisible();
  await expect(opening.locator(".skeleton-list i").first()).toBeVisible();
  const colour = await alice.page.locator("body").evaluate((body) => getComputedStyle(body).color);
  expect(colour).toBe("rgb(27, 42, 56)"); // drawn with its style
  expect(heard).toEqual(["asks main.js"]);
  await alice.page.screenshot({ path: ".shots/opening-light.png" });

  await expect(alice.newTitle).toBeFocused();
  await expect.poll(() => heard, { timeout: FAR / 2 }).toEqual([
    "asks main.js",
    "has main.js",
    "asks get-session",
    "has get-session",
    "asks /api/tasks", // the token came with the session
  ]);
  await expect(alice.page.locator(".task .shown .title")).toHaveText(["Buy milk"], AT_ONCE);
  await expect(alice.page.locator("#tasks")).toHaveAttribute("aria-busy", "true");
  await alice.newTitle.fill("Sleep"); // nobody has to wait for the list
  await alice.newTitle.press("Enter");
  await alice.sees("Sleep", "Buy milk");
  expect(heard.filter((each) => each.includes("token"))).toEqual([]);
});

test("far away, another filter shows at once what it can", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep");
  await alice.completes("Sleep");
  await expect.poll(() => alice.has()).toMatchObject([{ completed: true }, {}]);
  await alice.isFarAway(FAR);
  await alice.shows("Open");
  await expect(alice.page.locator(".task .shown .title")).toHaveText(["Buy milk"], AT_ONCE);
  await alice.page.getByRole("searchbox").fill("cheese");
  await expect(alice.page.locator("#empty")).toContainText("No open task has “cheese” in it.");
});

test("when it cannot be learnt who is signed in, the page says so, and asks again", async ({
  alice,
}) => {
  alice.expects(/ERR_FAILED/);
  await alice.adds("Buy milk");
  await alice.page.route("**/get-session", (route) => route.abort());
  await alice.page.evaluate(() => localStorage.clear()); // a browser that does not know her
  await alice.page.reload();
  await expect(alice.page.getByText("The sign-in server does not answer.")).toBeVisible();
  await expect(alice.page.getByRole("heading", { name: "Sign in" })).toBeHidden();
  await alice.page.unroute("**/get-session");
  await alice.page.getByRole("button", { name: "Try again" }).click();
  await alice.sees("Buy milk");
});
