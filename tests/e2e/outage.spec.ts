import { looksRight } from "./look";
import { expect, test } from "./people";

test("the API goes away and comes back; nothing typed is lost or done twice", async ({
  alice,
  person,
  stack,
}) => {
  const bob = await person("Bob");
  await bob.signsUp();
  for (const each of [alice, bob]) each.expects(/ERR_CONNECTION_REFUSED/);
  await alice.adds("Buy milk", "Sleep");
  await alice.edits("Sleep", { title: "Sleep well" });

  await stack.stopApi();
  const trouble = alice.page.locator("#trouble");
  await expect(trouble).toContainText("The task API does not answer.");
  await alice.newTitle.fill("Read");
  await alice.newTitle.press("Enter");
  await expect(alice.page.locator("#add-message")).toContainText("Not added.");
  await expect(alice.newTitle).toHaveValue("Read");
  await alice.saves();
  await expect(alice.page.locator(".draft:visible .message")).toContainText("Not saved.");
  await alice.completes("Buy milk");
  await expect(alice.page.getByText("It was not changed.")).toBeVisible();
  await expect(alice.check("Buy milk")).not.toBeChecked();

  await looksRight(alice, "error-light-wide");

  await bob.page.goto(stack.origin); // who comes only now is told as well
  await expect(bob.page.locator("#trouble")).toContainText("The task API does not answer.");
  await expect(bob.page.locator("#loading")).toBeHidden();
  await expect(bob.page.locator("#empty")).toBeHidden();

  await stack.startApi();
  await bob.page.getByRole("button", { name: "Try again" }).click();
  await expect(bob.page.locator("#empty")).toContainText("Nothing here yet.");
  await expect(trouble).toBeHidden(); // by itself
  await expect(alice.newTitle).toHaveValue("Read");
  await expect(alice.draftTitle).toHaveValue("Sleep well");
  await alice.saves();
  await alice.newTitle.press("Enter");
  await alice.sees("Read", "Sleep well", "Buy milk");
});

test("a task whose answer was lost is added once", async ({ alice }) => {
  alice.expects(/ERR_FAILED/);
  const keys: string[] = [];
  await alice.page.route("**/api/tasks", async (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    keys.push((await route.request().headerValue("idempotency-key"))!);
    if (keys.length > 1) return route.fallback();
    await route.fetch(); // it does arrive
    await route.abort();
  });
  await alice.newTitle.fill("Buy milk");
  await alice.newTitle.press("Enter");
  await expect(alice.page.locator("#add-message")).toContainText("Not added.");
  await alice.newTitle.press("Enter");
  await expect(alice.newTitle).toHaveValue("");
  await alice.sees("Buy milk");
  expect(await alice.has()).toHaveLength(1);
  expect(keys).toEqual([keys[0], keys[0]]);

  await alice.adds("Buy milk"); // on purpose
  await alice.sees("Buy milk", "Buy milk");
});
