import { expect, test } from "./people";

test("one can create an account, leave, and come back", async ({ stranger }) => {
  const { page } = stranger;
  stranger.expects(/status of 401/);
  await page.goto(stranger.stack.origin);
  await page.getByRole("button", { name: "Create an account" }).click();
  await page.getByLabel("Name").fill(stranger.name);
  await page.getByLabel("E-mail").fill(stranger.email);
  await page.getByLabel("Password").fill(stranger.password);
  await page.getByLabel("Password").press("Enter");
  await expect(stranger.newTitle).toBeFocused();
  await expect(page.locator("#who")).toHaveText(stranger.email);
  await stranger.adds("Buy milk");

  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await expect(page.getByText("Buy milk")).toHaveCount(0);

  await page.getByLabel("E-mail").fill(stranger.email);
  await page.getByLabel("Password").fill("wrong password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("Invalid email or password")).toBeVisible();
  await page.getByLabel("Password").fill(stranger.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await stranger.sees("Buy milk");
});

test("leaving in one tab leaves in all, and sends what could be undone", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep");
  const tab = await alice.opensTab();
  await tab.sees("Sleep", "Buy milk");
  await alice.deletes("Sleep");
  await alice.sees("Buy milk");
  const token = await alice.token();
  await alice.page.getByRole("button", { name: "Sign out" }).click();
  await expect(tab.page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await expect(tab.page.getByText("Buy milk")).toHaveCount(0);
  await expect.poll(() => alice.has(token)).toMatchObject([{ title: "Buy milk" }]);
});

test("the token is nowhere but in the page's memory", async ({ alice }) => {
  const urls: string[] = [];
  alice.page.on("request", (request) => urls.push(request.url()));
  await alice.page.reload();
  await alice.adds("Buy milk");
  await alice.sees("Buy milk");
  const kept = await alice.page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]),
  );
  expect(urls.length).toBeGreaterThan(5);
  for (const place of [...urls, kept]) expect(place).not.toMatch(/eyJ|token=/);
  expect(await alice.context.cookies()).toMatchObject([{ httpOnly: true, sameSite: "Lax" }]);
});

test("the page runs nothing and talks to nobody that is not its own", async ({ alice, stack }) => {
  alice.expects(/Content Security Policy/, /requires 'Trusted/);
  const blocked = await alice.page.evaluate(async () => {
    const violations = new Set<string>();
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
      violations.add(effectiveDirective);
    });
    const image = document.createElement("img");
    const style = document.createElement("style");
    image.src = "http://127.0.0.1:9/";
    style.textContent = "body { color: red }";
    document.body.append(style, image);
    await fetch("http://127.0.0.1:9/").catch(() => undefined);
    for (const act of [
      () => (document.createElement("script").src = "http://127.0.0.1:9/"),
      () => (document.body.innerHTML = "<p>"),
    ])
      try {
        act();
      } catch {}
    await new Promise((resolve) => setTimeout(resolve, 200));
    return [...violations].sort();
  });
  expect(blocked).toEqual([
    "connect-src",
    "img-src",
    "require-trusted-types-for",
    "style-src-elem",
  ]);
  const { headers } = await fetch(stack.origin);
  expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self';/);
});
