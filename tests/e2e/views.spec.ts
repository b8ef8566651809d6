import { dayFrom, expect, test, type Person } from "./people";

/** Tasks of every kind, in no order. */
async function isBusy(alice: Person): Promise<void> {
  await alice.hasTasksFromElsewhere(
    { title: "Next week", due_date: dayFrom(7), tags: ["work"], priority: "high" },
    { title: "Today at noon", due_date: dayFrom(0), due_time: "12:00", tags: ["Home"] },
    { title: "Some day", tags: ["home", "work"], priority: "low" },
    { title: "Tomorrow", due_date: dayFrom(1), priority: "medium" },
    { title: "Today", due_date: dayFrom(0) },
    { title: "Overdue", due_date: dayFrom(-3), tags: ["home"] },
    { title: "Done today", due_date: dayFrom(0), completed: true, tags: ["work"] },
  );
  await alice.page.reload();
}

test("Today has what is overdue and due today, Upcoming what is due later", async ({ alice }) => {
  await isBusy(alice);
  await alice.shows("Today");
  await alice.sees("Overdue", "Today at noon", "Today");
  await expect(alice.page.getByLabel("Order")).toHaveValue("due_date");
  expect(new URL(alice.page.url()).hash).toBe("#show=today");
  await alice.shows("Upcoming");
  await alice.sees("Tomorrow", "Next week");
  await alice.page.reload();
  await alice.sees("Tomorrow", "Next week");
  await alice.page.goBack();
  await alice.sees("Overdue", "Today at noon", "Today");
  await alice.completes("Today at noon"); // and so it leaves
  await alice.sees("Overdue", "Today");

  await alice.shows("All");
  await expect(alice.page.getByLabel("Order")).toHaveValue("-created_at");
  await alice.page.getByLabel("Order").selectOption("By due date");
  await alice.sees(
    "Overdue",
    "Today at noon",
    "Today",
    "Done today",
    "Tomorrow",
    "Next week",
    "Some day",
  );
  await alice.page.getByLabel("Order").selectOption("High priority first");
  await expect(alice.page.locator(".task .shown .title").first()).toHaveText("Next week");
  expect(new URL(alice.page.url()).hash).toBe("#sort=-priority");
  await alice.shows("Upcoming"); // an order that was asked for stays
  await alice.sees("Next week", "Tomorrow");
  await alice.page.reload();
  await alice.sees("Next week", "Tomorrow");
});

test("an empty view says what it is about", async ({ alice }) => {
  await alice.shows("Today");
  await expect(alice.page.locator("#empty")).toContainText("Nothing is due today.");
  await alice.shows("Upcoming");
  await expect(alice.page.locator("#empty")).toContainText("Nothing is due later.");
  await alice.page.goto(`${alice.stack.origin}/#show=today&tag=home`);
  await alice.page.reload();
  const empty = alice.page.locator("#empty");
  await expect(empty).toContainText("No task that is due today has the tag “home”.");
  await alice.page.getByRole("button", { name: "Show all tasks" }).click();
  await expect(empty).toContainText("Nothing here yet.");
});

test("a new task is put where it belongs, or is said to be hidden", async ({ alice }) => {
  await isBusy(alice);
  await alice.shows("Today");
  await alice.sees("Overdue", "Today at noon", "Today");
  await alice.adds("Call Jan today 8:00");
  await alice.sees("Overdue", "Call Jan", "Today at noon", "Today");
  await alice.adds("Call Eva tomorrow");
  await expect(alice.page.locator("#notice")).toContainText("only what is due today is shown");
  await alice.edits("Today", {});
  await alice.draft.getByLabel("Due date", { exact: true }).fill(dayFrom(2));
  await alice.saves();
  await alice.sees("Overdue", "Call Jan", "Today at noon");
});

test("a tag's tasks are shown from the list of tags, and from a row", async ({ alice }) => {
  await isBusy(alice);
  const tags = alice.page.getByRole("list", { name: "Tags" });
  await expect(tags.getByRole("button")).toHaveText([/home\s*3/i, /work\s*2/]);
  await alice.tag("work").click();
  await alice.sees("Done today", "Some day", "Next week");
  await expect(alice.tag("work")).toHaveAttribute("aria-pressed", "true");
  expect(new URL(alice.page.url()).hash).toBe("#tag=work");
  await alice.shows("Open");
  await alice.sees("Some day", "Next week");
  await alice.page.reload();
  await alice.sees("Some day", "Next week");

  const row = alice.page.getByRole("listitem").filter({ hasText: "Some day" });
  await row.getByRole("button", { name: "Tag home" }).click();
  await alice.sees("Overdue", "Some day", "Today at noon");
  await expect(alice.page.getByRole("radio", { name: "All" })).toBeChecked();
  await alice.page.goBack();
  await alice.sees("Some day", "Next week");
  await alice.tag("work").click(); // once more: all of them
  await expect(alice.tag("work")).toHaveAttribute("aria-pressed", "false");
  await expect(alice.page.locator(".task")).toHaveCount(6);

  await alice.adds("Buy paint #Home #garden");
  await expect(tags.getByRole("button")).toHaveText([/garden\s*1/, /home\s*4/i, /work\s*2/]);
  await alice.completes("Buy paint");
  await expect(tags.getByRole("button")).toHaveText([/garden\s*0/, /home\s*3/i, /work\s*2/]);
});

test("an URL with a tag that cannot be shows everything", async ({ alice }) => {
  await alice.adds("Buy milk");
  for (const tag of ["a,b", "x".repeat(51), "%00", "%20"]) {
    await alice.page.goto(`${alice.stack.origin}/#tag=${tag}`);
    await alice.page.reload();
    await alice.sees("Buy milk");
    await expect(alice.page.locator("#trouble")).toBeHidden();
  }
});

test("all of it can be done with the keyboard", async ({ alice }) => {
  const { keyboard } = alice.page;
  await expect(alice.newTitle).toBeFocused();
  await keyboard.type("Pay rent tomorrow every month #home");
  await keyboard.press("Enter");
  await alice.sees("Pay rent");
  await expect(alice.tag("home")).toBeVisible();
  await keyboard.press("ArrowDown");
  await keyboard.press("e");
  await expect(alice.draftTitle).toBeFocused();
  await keyboard.press("Tab");
  for (const name of ["due_date", "due_time", "priority", "repeat", "interval", "repeat_from"]) {
    const field = alice.draft.locator(`[name=${name}]`);
    for (let tabs = 0; tabs < 5; tabs++) {
      await keyboard.press("Tab"); // a date has several fields in it
      if (await field.evaluate((element) => element === document.activeElement)) break;
    }
    await expect(field).toBeFocused();
    if (name === "priority") await keyboard.press("ArrowDown");
  }
  await keyboard.press("Tab");
  await expect(alice.draft.getByLabel("Tags")).toBeFocused();
  await keyboard.press("End");
  await keyboard.type(", money");
  await keyboard.press("Control+Enter");
  await expect(alice.facts("Pay rent")).toHaveText([
    "Tomorrow",
    "Every month",
    "High",
    "home",
    "money",
  ]);
  await expect(alice.check("Pay rent")).toBeFocused();
  for (const name of ["Edit “Pay rent”", "Delete “Pay rent”", "Tag home", "Tag money"]) {
    await keyboard.press("Tab");
    await expect(alice.page.getByRole("button", { name, exact: true })).toBeFocused();
  }
  await keyboard.press("Enter");
  await expect(alice.tag("money")).toHaveAttribute("aria-pressed", "true");
  await alice.sees("Pay rent");
  await alice.page.getByRole("radio", { name: "All" }).focus();
  await keyboard.press("ArrowLeft");
  await keyboard.press("ArrowLeft");
  await expect(alice.page.getByRole("radio", { name: "Today" })).toBeChecked();
  await expect(alice.page.locator("#empty")).toBeVisible();
});
