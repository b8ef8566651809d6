import { dayFrom, expect, test } from "./people";

const LINE = "Pay rent tomorrow 9:00 every month #home !high";

test("what is understood of a line is shown before it is sent, and added", async ({ alice }) => {
  await alice.newTitle.fill(LINE);
  await expect(alice.chips).toHaveText([
    "Due tomorrow, 09:00",
    "Every month",
    "#home",
    "High priority",
  ]);
  await expect(alice.page.locator("#rest")).toHaveText("Pay rent");
  await expect(alice.page.locator("#understood-words")).toHaveText(
    "Understood: Due tomorrow, 09:00, Every month, #home, High priority",
  );
  expect(await alice.has()).toEqual([]);
  await alice.newTitle.press("Enter");
  await alice.sees("Pay rent");
  await expect(alice.chips).toHaveCount(0);
  await expect(alice.facts("Pay rent")).toHaveText([
    "Tomorrow, 09:00",
    "Every month",
    "High",
    "home",
  ]);
  const zone = await alice.page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  await expect.poll(() => alice.has()).toMatchObject([
    {
      title: "Pay rent",
      due_date: dayFrom(1),
      due_time: "09:00",
      time_zone: zone,
      repeat: "FREQ=MONTHLY",
      tags: ["home"],
      priority: "high",
    },
  ]);
});

test("what is taken back stays in the title, by mouse and by keyboard", async ({ alice }) => {
  const { keyboard } = alice.page;
  await alice.newTitle.fill(LINE);
  await alice.chip("#home").click();
  await expect(alice.newTitle).toBeFocused();
  await expect(alice.newTitle).toHaveValue(LINE);
  await expect(alice.chips).toHaveText(["Due tomorrow, 09:00", "Every month", "High priority"]);
  await expect(alice.page.locator("#rest")).toHaveText("Pay rent #home");

  await keyboard.press("Tab"); // the button, and the first chip
  await keyboard.press("Tab");
  await expect(alice.chip("Due tomorrow, 09:00")).toBeFocused();
  await keyboard.press("Enter");
  await expect(alice.newTitle).toBeFocused();
  await expect(alice.chips).toHaveText(["Every month, from today", "High priority"]);
  await keyboard.press("End");
  await keyboard.type(", at last #money");
  await expect(alice.chips).toHaveText(["Every month, from today", "High priority", "#money"]);
  await keyboard.press("Enter");
  await alice.sees("Pay rent tomorrow 9:00 #home, at last");
  await expect.poll(() => alice.has()).toMatchObject([
    { due_date: dayFrom(0), due_time: null, time_zone: null, tags: ["money"], priority: "high" },
  ]);

  await alice.newTitle.fill("Call Jan #home"); // another line is understood anew
  await expect(alice.chips).toHaveText(["#home"]);
});

test("what is not understood is the title, as it was typed", async ({ alice }) => {
  const titles = [
    "Read https://example.com/a#b",
    "Version 3.5 of C#",
    "Am Montag Milch kaufen!",
    "Συνάντηση αύριο 9:00",
  ];
  for (const title of titles) {
    await alice.newTitle.fill(title);
    await expect(alice.page.locator("#understood")).toBeHidden();
    await alice.adds(title);
  }
  await expect
    .poll(async () => (await alice.has()).map(({ title }) => title))
    .toEqual(titles.toReversed());
  expect(await alice.has()).toMatchObject([...titles.map(() => ({ due_date: null, tags: [] }))]);
});

test("a line that leaves no title says so", async ({ alice }) => {
  await alice.newTitle.fill("#home tomorrow");
  await alice.newTitle.press("Enter");
  await expect(alice.page.locator("#add-message")).toHaveText("A task needs a title.");
  await alice.chip("Due tomorrow").click();
  await alice.newTitle.press("Enter");
  await alice.sees("tomorrow");
  await expect(alice.facts("tomorrow")).toHaveText(["home"]);
});

test("a line that was not added comes back with what was taken back of it", async ({ alice }) => {
  alice.expects(/status of 422/);
  let tries = 0;
  await alice.page.route("**/api/tasks", async (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    if (++tries > 1) return route.fallback();
    await route.fulfill({
      status: 422,
      contentType: "application/problem+json",
      headers: { "access-control-allow-origin": alice.stack.origin },
      json: { type: "urn:task-api:problem:invalid-input", detail: "It is not to its liking." },
    });
  });
  await alice.newTitle.fill("Pay rent tomorrow #home");
  await alice.chip("#home").click();
  await alice.newTitle.press("Enter");
  await expect(alice.page.locator("#add-message")).toContainText("Not added.");
  await expect(alice.newTitle).toHaveValue("Pay rent tomorrow #home");
  await expect(alice.chips).toHaveText(["Due tomorrow"]);
  await alice.newTitle.press("Enter");
  await expect
    .poll(() => alice.has())
    .toMatchObject([{ title: "Pay rent #home", due_date: dayFrom(1), tags: [] }]);
});
