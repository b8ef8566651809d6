import { createRequire } from "node:module";
import type { BrowserContext, Page } from "@playwright/test";
import type { Device } from "./device";
import { expect, type Person, test } from "./people";

declare const device: Device;

const { build } = createRequire(new URL("../../examples/web/", import.meta.url))(
  "esbuild",
) as typeof import("../../examples/web/node_modules/esbuild");

/** Has the client in her browser: it is there in each document of the page's origin. */
async function installs(person: Person): Promise<void> {
  const { context, stack } = person;
  person.expects(/status of 404.*favicon.ico/); // Chromium asks for a /favicon.ico
  const { outputFiles } = await build({
    entryPoints: ["device.ts"],
    bundle: true,
    format: "iife",
    define: { API_ORIGIN: JSON.stringify(stack.apiOrigin) },
    write: false,
  });
  await context.addInitScript({ content: outputFiles[0]!.text });
}

/** A tab with the client alone. */
async function opens({ context, stack }: Person): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${stack.origin}/icon.svg`);
  return page;
}

const adds = (page: Page, ...titles: string[]) =>
  page.evaluate(async (titles) => {
    await device.outbox("alice").add(...titles.map((title) => ({ op: "create", title }) as const));
  }, titles);

const flushes = (page: Page) => page.evaluate(() => device.outbox("alice").flush());

const runs = (page: Page) => page.evaluate(() => void device.outbox("alice").run());

const waiting = (page: Page, user = "alice") =>
  page.evaluate(async (user) => (await device.outbox(user).state()).waiting.length, user);

const knows = (page: Page) =>
  page.evaluate(() => [...device.known.values()].map(({ title }) => title).sort());

/** The keys of all batches that her tabs send. */
function keysOf(context: BrowserContext): (string | undefined)[] {
  const keys: (string | undefined)[] = [];
  context.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/api/tasks/batch"))
      keys.push(request.headers()["idempotency-key"]);
  });
  return keys;
}

const titles = async (person: Person) => (await person.has()).map(({ title }) => title).sort();

test("what alice does offline is still there when she opens the page again", async ({ alice }) => {
  alice.expects(/ERR_INTERNET_DISCONNECTED/);
  await installs(alice);
  const before = await opens(alice);
  const page = await opens(alice);
  await alice.context.setOffline(true);
  await adds(before, "Milk", "Bread");
  await before.close();
  expect(await waiting(page)).toBe(2);
  await runs(page);
  await adds(page, "Tea");
  await alice.context.setOffline(false);
  await expect.poll(() => waiting(page)).toBe(0);
  expect(await titles(alice)).toEqual(["Bread", "Milk", "Tea"]);
});

test("of two tabs of alice one sends, and the other waits and has nothing to send", async ({ alice }) => {
  await installs(alice);
  const [one, other] = [await opens(alice), await opens(alice)];
  const keys = keysOf(alice.context);
  await adds(one, "Milk");
  await adds(other, "Bread");
  let go = () => {};
  const held = new Promise<void>((resolve) => (go = resolve));
  await one.route("**/api/tasks/batch", async (route) => {
    await held;
    await route.continue();
  });
  const sending = flushes(one);
  await expect.poll(() => keys.length).toBe(1);
  const waits = flushes(other);
  await other.waitForTimeout(300);
  expect(keys).toHaveLength(1);
  go();
  await Promise.all([sending, waits]);
  expect(keys).toHaveLength(1);
  expect(await titles(alice)).toEqual(["Bread", "Milk"]);
});

test("a tab that alice closes while it sends leaves the rest to the other", async ({ alice }) => {
  await installs(alice);
  const [one, other] = [await opens(alice), await opens(alice)];
  const keys = keysOf(alice.context);
  await adds(one, "Milk");
  await one.route("**/api/tasks/batch", async (route) => {
    await route.fetch(); // it does arrive, and the answer never comes
  });
  await runs(one);
  await expect.poll(async () => titles(alice)).toEqual(["Milk"]);
  await runs(other);
  await one.close();
  await expect.poll(() => waiting(other)).toBe(0);
  expect(keys).toEqual([keys[0], keys[0]]);
  expect(await titles(alice)).toEqual(["Milk"]);
});

test("who else uses alice's browser has an outbox of their own", async ({ alice }) => {
  await installs(alice);
  const page = await opens(alice);
  await adds(page, "Milk");
  expect(await waiting(page, "bob")).toBe(0);
  await page.evaluate(() => device.outbox("bob").flush());
  expect([await waiting(page), await titles(alice)]).toEqual([1, []]);
});

test("what alice does on her phone is on her laptop at once, and after a tunnel", async ({
  alice,
  browser,
}) => {
  alice.expects(/ERR_INTERNET_DISCONNECTED/);
  await installs(alice);
  const phone = await opens(alice);
  const storageState = await alice.context.storageState();
  const context = await browser.newContext({ storageState });
  const there = Object.create(alice, { context: { value: context } }) as Person;
  await installs(there);
  const laptop = await opens(there);
  await laptop.evaluate(() => void device.follow());
  await adds(phone, "Milk");
  await flushes(phone);
  await expect.poll(() => knows(laptop)).toEqual(["Milk"]);
  await context.setOffline(true);
  await adds(phone, "Bread");
  await flushes(phone);
  await laptop.waitForTimeout(500);
  expect(await knows(laptop)).toEqual(["Milk"]);
  await context.setOffline(false);
  await expect.poll(() => knows(laptop)).toEqual(["Bread", "Milk"]);
  await context.close();
});

test("alice's tabs share one stream, and another tab takes over when that one is closed", async ({
  alice,
}) => {
  await installs(alice);
  const streams: Page[] = [];
  alice.context.on("request", (request) => {
    const page = request.frame().page();
    const isStream = request.method() === "GET" && request.url().endsWith("/api/tasks/events");
    if (isStream && page !== alice.page) streams.push(page);
  });
  const tabs = [await opens(alice), await opens(alice), await opens(alice)];
  for (const tab of tabs) await tab.evaluate(() => void device.follow("alice"));
  await expect.poll(() => streams.length).toBe(1);
  await alice.hasFromElsewhere(["Milk"]);
  for (const tab of tabs) await expect.poll(() => knows(tab)).toEqual(["Milk"]);
  expect(streams).toHaveLength(1);
  await streams[0]!.close();
  await expect.poll(() => streams.length).toBe(2);
  await alice.hasFromElsewhere(["Bread"]);
  for (const tab of tabs.filter((tab) => tab !== streams[0]))
    await expect.poll(() => knows(tab)).toEqual(["Bread", "Milk"]);
  expect(streams).toHaveLength(2);
});
