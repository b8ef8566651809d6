import { expect, test } from "./people";

test("filter, order and search are in the URL, survive a reload, and can be gone back from", async ({
  alice,
}) => {
  await alice.hasFromElsewhere(["Buy milk", "Sleep", "Answer the mail"]);
  await alice.page.reload();
  alice.expects(/status of 503/); // on a busy machine a search rests behind the one before
  const search = alice.page.getByRole("searchbox");
  const order = alice.page.getByLabel("Order");
  await alice.sees("Answer the mail", "Sleep", "Buy milk");
  await order.selectOption("By title");
  await alice.sees("Answer the mail", "Buy milk", "Sleep");
  await alice.shows("Open");
  await search.pressSequentially("mil", { delay: 300 });
  await alice.sees("Buy milk");
  expect(decodeURI(alice.page.url())).toContain("show=open&sort=title&q=mil");

  await alice.page.reload();
  await alice.sees("Buy milk");
  await expect(search).toHaveValue("mil");
  await expect(order).toHaveValue("title");
  await expect(alice.page.getByRole("radio", { name: "Open" })).toBeChecked();

  await alice.page.goBack(); // one step, though it was typed letter by letter
  await expect(search).toHaveValue("");
  await alice.sees("Answer the mail", "Buy milk", "Sleep");
  await alice.page.goBack();
  await expect(alice.page.getByRole("radio", { name: "All" })).toBeChecked();
  await alice.page.goBack();
  await alice.sees("Answer the mail", "Sleep", "Buy milk");
  await alice.page.goForward();
  await expect(order).toHaveValue("title");
  await alice.sees("Answer the mail", "Buy milk", "Sleep");
});

test("no server is told by the page's URL what somebody looks for", async ({ alice }) => {
  const asked: string[] = [];
  alice.page.on("request", (request) => asked.push(request.url()));
  await alice.adds("Buy milk");
  await alice.page.getByRole("searchbox").fill("milk & sugar=1#");
  await expect(alice.page.locator("#empty")).toContainText("No task has “milk & sugar=1#” in it.");
  await alice.page.reload();
  await expect(alice.page.getByRole("searchbox")).toHaveValue("milk & sugar=1#");
  const pages = asked.filter((url) => url.startsWith(alice.stack.origin));
  expect(pages.filter((url) => url.includes("milk"))).toEqual([]);
});

test("an URL that makes no sense shows everything", async ({ alice }) => {
  await alice.adds("Buy milk");
  const words = "w%20".repeat(11);
  await alice.page.goto(`${alice.stack.origin}/#show=none&sort=id%3Bdrop&q=${words}&__proto__=1`);
  await alice.page.reload();
  await alice.sees("Buy milk");
  await expect(alice.page.locator("#trouble")).toBeHidden();
  expect(new URL(alice.page.url()).hash).toBe("");
});

test("somebody else at the same browser does not find what was looked for", async ({
  alice,
  bob,
}) => {
  await alice.adds("Buy milk");
  await alice.page.getByRole("searchbox").fill("milk");
  await expect.poll(() => alice.page.url()).toContain("milk");
  await alice.shows("Open");
  await alice.context.clearCookies();
  await alice.context.addCookies(await bob.context.cookies());
  await alice.page.reload();
  await expect(alice.page.locator("#who")).toHaveText(bob.email);
  await expect(alice.page.getByRole("searchbox")).toHaveValue("");
  expect(alice.page.url()).not.toContain("milk");
  await alice.page.goBack();
  await expect.poll(() => alice.page.url()).not.toContain("milk");
  await expect(alice.page.getByRole("searchbox")).toHaveValue("");
});
