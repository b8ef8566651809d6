import { dayFrom, expect, test } from "./people";

test("the form has date, time, priority, tags and repetition", async ({ alice }) => {
  await alice.adds("Pay rent");
  await alice.edits("Pay rent", {});
  const { draft } = alice;
  await expect(draft.getByLabel("Time", { exact: true })).toBeDisabled(); // without a date
  await expect(draft.getByLabel("Repeats")).toBeDisabled();
  await draft.getByLabel("Due date", { exact: true }).fill("2030-01-31");
  await draft.getByLabel("Time", { exact: true }).fill("09:30");
  await draft.getByLabel("Priority").selectOption("High");
  await draft.getByLabel("Tags").fill("home, Money,, HOME , ");
  await draft.getByLabel("Repeats").selectOption("Weekly");
  await draft.getByRole("spinbutton").fill("2");
  await expect(draft.locator(".unit")).toHaveText("weeks");
  await draft.getByLabel("Counted from").selectOption("The day it is done");
  await alice.saves();
  await expect(alice.facts("Pay rent")).toHaveText([
    "31 Jan 2030, 09:30",
    "Every 2 weeks",
    "High",
    "home",
    "Money",
  ]);
  const zone = await alice.page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  await expect.poll(() => alice.has()).toMatchObject([
    {
      due_date: "2030-01-31",
      due_time: "09:30",
      time_zone: zone,
      priority: "high",
      tags: ["home", "Money"],
      repeat: "FREQ=WEEKLY;INTERVAL=2",
      repeat_from: "completion",
    },
  ]);

  await alice.edits("Pay rent", {});
  await expect(draft.getByRole("spinbutton")).toHaveValue("2");
  await expect(draft.getByLabel("Tags")).toHaveValue("home, Money");
  await draft.getByLabel("Due date", { exact: true }).fill("");
  await draft.getByLabel("Tags").fill("");
  await draft.getByLabel("Priority").selectOption("None");
  await alice.saves();
  await expect(alice.facts("Pay rent")).toHaveCount(0);
  await expect.poll(() => alice.has()).toMatchObject([
    { due_date: null, due_time: null, time_zone: null, repeat: null, tags: [], priority: null },
  ]);
});

test("a rule and a time zone that the form does not offer stay as they are", async ({ alice }) => {
  await alice.hasTasksFromElsewhere({
    title: "Review",
    due_date: "2030-01-25",
    due_time: "09:00",
    time_zone: "Asia/Tokyo",
    repeat: "FREQ=MONTHLY;BYDAY=-1FR",
  });
  await alice.page.reload();
  await expect(alice.facts("Review")).toHaveText([
    "25 Jan 2030, 09:00 in Tokyo",
    "Every month on the last Friday",
  ]);
  await alice.edits("Review", { title: "Look back" });
  await expect(alice.draft.getByText("Time in Asia/Tokyo")).toBeVisible();
  await alice.draft.getByLabel("Time", { exact: true }).fill("10:00");
  await alice.saves();
  await expect.poll(() => alice.has()).toMatchObject([
    {
      title: "Look back",
      due_time: "10:00",
      time_zone: "Asia/Tokyo",
      repeat: "FREQ=MONTHLY;BYDAY=-1FR",
    },
  ]);
});

test("more or longer tags than fit are said before they are sent", async ({ alice }) => {
  await alice.adds("Sleep");
  await alice.edits("Sleep", {});
  const tags = alice.draft.getByLabel("Tags");
  await tags.fill(Array.from({ length: 21 }, (_, index) => `t${index}`).join());
  await alice.saves();
  const message = alice.draft.locator(".message");
  await expect(message).toHaveText("A task has 20 tags at most; these are 21.");
  await tags.fill("x".repeat(51));
  await alice.saves();
  await expect(message).toContainText("51 characters, and 50 fit.");
  await alice.draftTitle.press("Escape");
});

test("overdue is a word, not only a colour", async ({ alice }) => {
  await alice.hasTasksFromElsewhere(
    { title: "Yesterday's", due_date: dayFrom(-1) },
    { title: "Today's", due_date: dayFrom(0) },
    { title: "Just now", due_date: dayFrom(0), due_time: "00:00", time_zone: "Pacific/Kiritimati" },
    { title: "Later", due_date: dayFrom(1), due_time: "00:00" },
    { title: "Done", due_date: dayFrom(-1), completed: true },
  );
  await alice.page.reload();
  await expect(alice.facts("Yesterday's")).toHaveText(["Overdue", "Yesterday"]);
  await expect(alice.facts("Today's")).toHaveText(["Today"]);
  await expect(alice.facts("Just now").first()).toHaveText("Overdue");
  await expect(alice.facts("Later")).toHaveText(["Tomorrow, 00:00"]);
  await expect(alice.facts("Done")).toHaveText(["Yesterday"]);
  await expect(alice.check("Yesterday's")).toHaveAccessibleDescription("Overdue Yesterday");
  await expect(alice.facts("Yesterday's").first().locator("svg")).toBeVisible();
});

test("the next one is there at once when a task that repeats is completed", async ({ alice }) => {
  await alice.adds("Water the plants today every 2 weeks #home", "Sleep");
  await alice.completes("Water the plants");
  await alice.sees("Water the plants", "Sleep", "Water the plants");
  const [next, done] = [alice.page.locator(".task").first(), alice.page.locator(".task").last()];
  await expect(next.getByRole("checkbox")).not.toBeChecked();
  await expect(done.getByRole("checkbox")).toBeChecked();
  await expect(done.locator(".shown .repeat")).toBeHidden();
  await expect(next.locator(".shown .repeat")).toHaveText("Every 2 weeks");
  await expect(alice.page.locator("#notice")).toContainText("“Water the plants” comes again, due ");
  await expect.poll(() => alice.has()).toMatchObject([
    { title: "Water the plants", completed: false, due_date: dayFrom(14), tags: ["home"] },
    { title: "Sleep" },
    { title: "Water the plants", completed: true, repeat: null },
  ]);

  await done.getByRole("checkbox").click(); // back and forth makes no other one
  await done.getByRole("checkbox").click();
  await expect.poll(async () => (await alice.has()).at(-1)).toMatchObject({ completed: true });
  expect(await alice.has()).toHaveLength(3);
});

test("or it is said when it is due, and can be shown", async ({ alice }) => {
  await alice.adds("Water the plants today every day");
  await alice.shows("Today");
  await alice.sees("Water the plants");
  await alice.completes("Water the plants");
  await expect(alice.page.locator("#notice")).toContainText(
    "“Water the plants” comes again, due tomorrow.",
  );
  await alice.sees();
  await alice.page.getByRole("button", { name: "Show it" }).click();
  await expect(alice.page.getByRole("checkbox", { checked: false })).toBeFocused();
});

test("a conflict shows what the task is now, with its date and tags", async ({ alice }) => {
  alice.expects(/status of 412/);
  await alice.adds("Pay rent");
  const tab = await alice.opensTab();
  await expect(tab.check("Pay rent")).toBeVisible();
  for (const each of [alice, tab]) await each.looksAway();
  await alice.edits("Pay rent", {});
  await alice.draft.getByLabel("Priority").selectOption("Low");
  await tab.edits("Pay rent", {});
  await tab.draft.getByLabel("Due date", { exact: true }).fill(dayFrom(1));
  await tab.draft.getByLabel("Tags").fill("home");
  await tab.saves();
  await expect(tab.facts("Pay rent")).toHaveText(["Tomorrow", "home"]);
  await alice.saves();
  const conflict = alice.page.locator(".conflict:visible");
  await expect(conflict.locator(".facts > :visible")).toHaveText(["Tomorrow", "home"]);
  await alice.page.getByRole("button", { name: "Save mine instead" }).click();
  await expect.poll(() => alice.has()).toMatchObject([
    { priority: "low", due_date: dayFrom(1), tags: ["home"] },
  ]);
});
