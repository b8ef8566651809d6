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
  await alice.adds("Read");
  await alice.saves();
  await alice.completes("Buy milk");
  await expect(trouble).toContainText("3 changes wait.");
  await alice.sees("Read", "Sleep well", "Buy milk");
  await expect(alice.check("Buy milk")).toBeChecked();
  await alice.newTitle.fill("half a thought");
  await alice.edits("Read", { title: "Read on" });

  await looksRight(alice, "error-light-wide");

  await bob.page.goto(stack.origin); // who comes only now is told as well
  await expect(bob.page.locator("#trouble")).toContainText("The task API does not answer.");
  await expect(bob.page.locator("#loading")).toBeHidden();
  await expect(bob.page.locator("#empty")).toBeHidden();

  await stack.startApi();
  await bob.page.locator("#retry").dispatchEvent("click"); // it may have gone: the page asks by itself
  await expect(bob.page.locator("#empty")).toContainText("Nothing here yet.");
  await expect(trouble).toBeHidden(); // by itself
  await expect(alice.newTitle).toHaveValue("half a thought");
  await expect(alice.draftTitle).toHaveValue("Read on");
  await alice.saves();
  await alice.sees("Read on", "Sleep well", "Buy milk");
  await expect
    .poll(() => alice.has())
    .toMatchObject([
      { title: "Read on" },
      { title: "Sleep well" },
      { title: "Buy milk", completed: true },
    ]);
});

test("a task whose answer was lost is added once", async ({ alice }) => {
  alice.expects(/ERR_FAILED/);
  let lost = 0;
  await alice.page.route("**/api/tasks", async (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    await route.fetch(); // it does arrive
    lost++;
    await route.abort();
  });
  const again = alice.page.waitForResponse(/\/api\/tasks\/batch$/);
  await alice.adds("Buy milk");
  expect((await (await again).json()).results).toMatchObject([{ status: 200 }]);
  expect(lost).toBe(1);
  await alice.sees("Buy milk");
  expect(await alice.has()).toHaveLength(1);
  await alice.page.unroute("**/api/tasks");

  await alice.adds("Buy milk"); // on purpose
  await alice.sees("Buy milk", "Buy milk");
});
