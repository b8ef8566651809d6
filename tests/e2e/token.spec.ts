import { readFileSync } from "node:fs";
import { expect, test } from "./people";

const LIFETIME = 1;
const LEEWAY = 10; // seconds the API forgives; see api/auth/authenticator.py

test.use({ tokenLifetime: `${LIFETIME}s` });

test("a token is replaced before it expires, and after the API has refused it", async ({
  alice,
  stack,
}) => {
  let asked = 0;
  alice.page.on("request", (request) => {
    if (request.url().endsWith("/api/auth/token")) asked++;
  });
  const log = () => readFileSync(stack.log, "utf8");
  await alice.adds("Buy milk");
  await expect.poll(() => asked).toBeGreaterThan(0);
  expect(log()).not.toContain('"status":401');

  // the computer sleeps: for the page no time passes, so it still trusts its token
  alice.expects(/status of 401/);
  await alice.page.clock.install();
  await alice.page.clock.pauseAt(Date.now() + 1000);
  await alice.adds("Sleep");
  const before = asked;
  await new Promise((resolve) => setTimeout(resolve, (LIFETIME + LEEWAY + 1) * 1000));
  await alice.adds("Read");
  await alice.sees("Read", "Sleep", "Buy milk");
  expect(asked).toBe(before + 1);
  expect(log()).toContain('"status":401');
  expect(log()).not.toContain("eyJ");
});

test("when no token can be had, the page says so and goes on when it can", async ({ alice }) => {
  alice.expects(/ERR_FAILED/);
  await alice.adds("Buy milk");
  await alice.page.route("**/api/auth/token", (route) => route.abort());
  await expect(alice.page.locator("#trouble")).toContainText("The sign-in server does not answer.");
  await alice.sees("Buy milk");
  await alice.page.unroute("**/api/auth/token");
  await alice.page.getByRole("button", { name: "Try again" }).click();
  await expect(alice.page.locator("#trouble")).toBeHidden();
});
