import { looksRight } from "./look";
import { AT_ONCE, expect, test } from "./people";

test("far away, a new task is there at once, and can be worked on", async ({ alice }) => {
  await alice.isFarAway();
  const { keyboard } = alice.page;
  for (const title of ["Buy milk", "Sleep", "Read"]) {
    await keyboard.type(title);
    await keyboard.press("Enter");
    await expect(alice.newTitle).toHaveValue("", AT_ONCE);
  }
  await expect(alice.page.locator(".task .shown .title")).toHaveText(
    ["Read", "Sleep", "Buy milk"],
    AT_ONCE,
  );
  await alice.completes("Buy milk");
  await alice.check("Sleep").focus();
  await keyboard.press("e");
  await alice.draftTitle.fill("Sleep well");
  await keyboard.press("Enter");
  expect(await alice.has()).toEqual([]);
  await expect(alice.check("Sleep well")).toBeFocused();
  await expect
    .poll(() => alice.has())
    .toMatchObject([
      { title: "Read", completed: false },
      { title: "Sleep well", completed: false },
      { title: "Buy milk", completed: true },
    ]);
  await expect(alice.check("Sleep well")).toBeFocused(); // the row is the same one still
  await alice.sees("Read", "Sleep well", "Buy milk");
  await expect(alice.page.locator(".conflict:visible, .draft:visible")).toHaveCount(0);
});

test("one that was not added is taken back, and its words are kept", async ({ alice }) => {
  alice.expects(/status of 422/);
  await alice.adds("Buy milk");
  await alice.page.route("**/api/tasks", async (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    await new Promise((resolve) => setTimeout(resolve, 700));
    await route.fulfill({
      status: 422,
      contentType: "application/problem+json",
      headers: { "access-control-allow-origin": alice.stack.origin },
      json: { type: "urn:task-api:problem:invalid-input", detail: "The title is not to the API's liking." },
    });
  });
  const { keyboard } = alice.page;
  await keyboard.type("Sleep");
  await keyboard.press("Enter");
  await alice.sees("Sleep", "Buy milk");
  await expect(alice.page.locator("#add-message")).toContainText("Not added.");
  await expect(alice.newTitle).toHaveValue("Sleep");
  await alice.sees("Buy milk");

  await keyboard.press("Enter"); // again, and something else is typed by the time it fails
  await keyboard.type("Read");
  const failure = alice.page.getByRole("listitem").filter({ hasText: "“Sleep” was not added." });
  await expect(failure).toBeVisible();
  await expect(alice.newTitle).toHaveValue("Read");
  await looksRight(alice, "failure-light-wide");
  await alice.page.unroute("**/api/tasks");
  await failure.getByRole("button", { name: "Try again" }).click();
  await expect(failure).toBeHidden();
  await expect(alice.newTitle).toHaveValue("Read");
  await alice.sees("Sleep", "Buy milk");
  await expect.poll(() => alice.has()).toMatchObject([{ title: "Sleep" }, { title: "Buy milk" }]);
});

test("what is on its way when the page is left arrives", async ({ alice }) => {
  await alice.hasASlowLine(300);
  const { keyboard } = alice.page;
  for (const title of ["Buy milk", "Sleep", "Read"]) {
    await keyboard.type(title);
    await keyboard.press("Enter");
  }
  await alice.sees("Read", "Sleep", "Buy milk");
  await alice.page.goto("about:blank");
  await expect.poll(async () => (await alice.has()).length).toBe(3);
});

test("a new task that the filter or the search hides says where it is", async ({ alice }) => {
  const notice = alice.page.locator("#notice");
  const show = alice.page.getByRole("button", { name: "Show it" });
  await alice.adds("Buy milk");
  await alice.shows("Done");
  await alice.adds("Sleep");
  await expect(notice).toContainText("“Sleep” is added, but hidden: only done tasks are shown.");
  await alice.sees();
  await looksRight(alice, "hidden-light-wide");
  await show.click();
  await alice.sees("Sleep", "Buy milk");
  await expect(alice.check("Sleep")).toBeFocused();
  await expect(alice.page.getByRole("radio", { name: "All" })).toBeChecked();

  await alice.shows("Done");
  await alice.adds("Wake up");
  await expect(notice).toContainText("is added, but hidden");
  await alice.shows("All");
  await expect(notice).toBeHidden({ timeout: 6_000 }); // it goes by itself after eight
  await alice.deletes("Wake up");

  const search = alice.page.getByRole("searchbox");
  await search.fill("milk");
  await alice.sees("Buy milk");
  await alice.adds("Buy oat milk");
  await alice.sees("Buy oat milk", "Buy milk");
  await expect(notice).toBeHidden();
  await alice.adds("Read");
  await expect(notice).toContainText("only tasks with “milk” are shown");
  await alice.sees("Buy oat milk", "Buy milk");
  await show.click();
  await alice.sees("Read", "Buy oat milk", "Sleep", "Buy milk");
  await expect(search).toHaveValue("");
});

test("so does one that comes after all that are shown", async ({ alice }) => {
  await alice.hasFromElsewhere(Array.from({ length: 55 }, (_, index) => `Task ${index}`));
  await alice.page.reload();
  await alice.page.getByLabel("Order").selectOption("Oldest first");
  await expect(alice.page.locator(".task .title").first()).toHaveText("Task 0");
  await alice.adds("Sleep");
  await expect(alice.page.locator("#notice")).toContainText("it is further down");
  await alice.page.getByRole("button", { name: "Show it" }).click();
  await expect(alice.check("Sleep")).toBeFocused();
});
