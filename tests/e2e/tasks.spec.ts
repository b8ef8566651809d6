import { expect, test } from "./people";

test("a new person is told what to do, and adds with Enter", async ({ alice }) => {
  await expect(alice.page.getByText("Nothing here yet.")).toBeVisible();
  await alice.adds("Buy milk", "Sleep");
  await alice.sees("Sleep", "Buy milk");
  await expect(alice.page.getByText("Nothing here yet.")).toBeHidden();
  await alice.page.reload();
  await alice.sees("Sleep", "Buy milk");
});

test("editing changes title and description; Escape leaves them", async ({ alice }) => {
  await alice.adds("Buy milk");
  await alice.edits("Buy milk", { title: "Buy bread" });
  await alice.draftTitle.press("Escape");
  await alice.sees("Buy milk");

  await alice.edits("Buy milk", { title: "Buy oat milk", description: "Two bottles\nof it" });
  await alice.draftTitle.press("Enter");
  await alice.sees("Buy oat milk");
  await expect(alice.page.getByText("Two bottles")).toBeVisible();
  await expect
    .poll(() => alice.has())
    .toMatchObject([{ title: "Buy oat milk", description: "Two bottles\nof it" }]);

  await alice.edits("Buy oat milk", { description: "" });
  await alice.saves();
  await expect(alice.page.getByText("Two bottles")).toBeHidden();
  await expect
    .poll(() => alice.has())
    .toMatchObject([{ title: "Buy oat milk", description: null }]);
});

test("a title that is too long, or none, is said in the page's words before it is sent", async ({
  alice,
}) => {
  const sent: string[] = [];
  alice.page.on("request", (request) => {
    if (!["GET", "OPTIONS"].includes(request.method())) sent.push(request.method());
  });
  const flags = "🇩🇪".repeat(100); // 200 code points, 400 UTF-16 units
  const message = alice.page.locator("#add-message");
  await alice.newTitle.fill(`${flags}xyz`);
  await alice.newTitle.press("Enter");
  await expect(message).toHaveText(
    "The title is too long: 203 characters, and 200 fit. Shorten it by 3.",
  );
  await expect(alice.newTitle).toHaveValue(`${flags}xyz`);
  await alice.newTitle.press("Backspace");
  await expect(message).toContainText("Shorten it by 2.");
  await alice.newTitle.fill("\u200b");
  await alice.newTitle.press("Enter");
  expect(sent).toEqual([]);

  await alice.adds(`  ${flags}  `);
  await expect(message).toBeHidden();
  await expect.poll(() => alice.has()).toMatchObject([{ title: flags }]);
  expect(sent).toEqual(["POST"]);

  await alice.edits(flags, { title: "x".repeat(1_201) });
  await alice.saves();
  const complaint = alice.page.locator(".draft:visible .message");
  await expect(complaint).toContainText("1,201 characters, and 200 fit. Shorten it by 1,001.");
  await expect(alice.draftTitle).toBeFocused();
  await alice.draftTitle.fill("   ");
  await alice.saves();
  await expect(complaint).toHaveText("A task needs a title.");
  await expect(alice.draftTitle).toHaveValue("   ");
  await alice.draftTitle.fill("Read");
  await alice.draftDescription.fill("x".repeat(10_001));
  await alice.saves();
  await expect(complaint).toContainText("The description is too long");
  await alice.draftDescription.fill("");
  await alice.page.getByRole("searchbox").fill("one word too many in a b c d e f");
  await expect(alice.page.locator("#search-message")).toContainText("10 words at most");
  expect(sent).toEqual(["POST"]);
});

test("completing shows at once, and can be taken back", async ({ alice }) => {
  await alice.adds("Buy milk");
  await alice.completes("Buy milk");
  await alice.completes("Buy milk");
  await alice.completes("Buy milk"); // each waits for the one before, and none is a conflict
  await expect(alice.check("Buy milk")).toBeChecked();
  await expect.poll(() => alice.has()).toMatchObject([{ completed: true }]);
  await expect(alice.page.locator(".conflict:visible")).toBeHidden();
});

test("deleting can be undone", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep");
  await alice.deletes("Buy milk");
  await alice.sees("Sleep");
  await alice.page.getByRole("button", { name: "Undo" }).click();
  await alice.sees("Sleep", "Buy milk");
  expect(await alice.has()).toHaveLength(2);
});

test("deleting is sent when it can no longer be undone", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep");
  await alice.deletes("Buy milk");
  await expect(alice.page.getByText("Deleted “Buy milk”.")).toBeVisible();
  expect(await alice.has()).toHaveLength(2);
  await expect(alice.page.getByText("Deleted “Buy milk”.")).toBeHidden();
  await alice.sees("Sleep");
  await expect.poll(() => alice.has()).toMatchObject([{ title: "Sleep" }]);
});

test("deleting is sent when the page is left", async ({ alice }) => {
  await alice.adds("Buy milk");
  await alice.deletes("Buy milk");
  await expect(alice.page.getByText("Deleted “Buy milk”.")).toBeVisible();
  await alice.page.goto("about:blank");
  await expect.poll(() => alice.has()).toEqual([]);
});

test("open and done tasks can be seen apart", async ({ alice }) => {
  await alice.shows("Done");
  await expect(alice.page.locator("#empty")).toContainText("Nothing is done yet.");
  await alice.shows("Open");
  await expect(alice.page.locator("#empty")).toContainText("Nothing is open.");
  await alice.adds("Buy milk", "Sleep");
  await alice.completes("Sleep"); // and so it leaves
  await alice.sees("Buy milk");
  await alice.shows("Done");
  await alice.sees("Sleep");
  await alice.page.getByText("All", { exact: true }).click();
  await alice.sees("Sleep", "Buy milk");
});

test("a search looks in titles and descriptions, word by word", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep", "Buy 100% wool");
  await alice.edits("Sleep", { description: "not by the milk" });
  await alice.saves();
  await alice.sees("Buy 100% wool", "Sleep", "Buy milk");

  const search = alice.page.getByRole("searchbox", { name: "Search" });
  await search.fill("MILK");
  await alice.sees("Sleep", "Buy milk");
  await search.fill("milk buy");
  await alice.sees("Buy milk");
  await search.fill("0%");
  await alice.sees("Buy 100% wool");
  await search.fill("cheese");
  await expect(alice.page.locator("#empty")).toContainText("No task has “cheese” in it.");
  await alice.page.getByRole("button", { name: "Show all tasks" }).click();
  await alice.sees("Buy 100% wool", "Sleep", "Buy milk");
  await expect(search).toHaveValue("");
});

test("more than fifty are shown on demand", async ({ alice }) => {
  const titles = Array.from({ length: 60 }, (_, index) => `Task ${index}`);
  await alice.hasFromElsewhere(titles);
  await alice.page.reload();
  await expect(alice.page.locator(".task")).toHaveCount(50);
  await alice.page.getByRole("button", { name: "Show more" }).click();
  await expect(alice.page.locator(".task")).toHaveCount(60);
  await expect(alice.page.getByRole("button", { name: "Show more" })).toBeHidden();
});

test("what changes elsewhere appears; what does not is answered with 304", async ({ alice }) => {
  const statuses: number[] = [];
  const lists = new Set<string>();
  const network = await alice.context.newCDPSession(alice.page); // the page itself is told 200
  await network.send("Network.enable");
  network.on("Network.requestWillBeSent", ({ request, requestId }) => {
    if (request.url.includes("/api/tasks?")) lists.add(requestId);
  });
  network.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) => {
    if (lists.has(requestId)) statuses.push(statusCode);
  });
  await alice.looksAway();
  await alice.looksAgain();
  await expect.poll(() => statuses).toContain(304);
  await alice.hasFromElsewhere(["Buy milk"]);
  await alice.sees("Buy milk");
  expect(statuses.filter((status) => status !== 304)).toEqual([200]);
});
