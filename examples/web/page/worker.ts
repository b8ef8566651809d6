/** Serves the page's own files without asking, so that it opens offline. It knows of no person. */

const SHELL = ["/", "/main.js", "/icon.svg"];
const NAME = `shell ${SHELL_VERSION}`;

type Work = Event & { waitUntil(work: Promise<unknown>): void };
type Route = { condition: { requestMethod: string }; source: "network" };
type Installing = Work & { addRoutes?(routes: Route[]): Promise<void> };
type Fetching = Work & { request: Request; respondWith(answer: Promise<Response>): void };
type Scope = {
  addEventListener(name: "install", act: (event: Installing) => void): void;
  addEventListener(name: "activate", act: (event: Work) => void): void;
  addEventListener(name: "fetch", act: (event: Fetching) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
};
const worker = globalThis as unknown as Scope;

/** All files of one version, or none. */
async function fill(): Promise<void> {
  const cache = await caches.open(NAME);
  await cache.addAll(SHELL.map((path) => new Request(path, { cache: "no-cache" })));
  await worker.skipWaiting();
}

async function dropOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name)));
  await worker.clients.claim();
}

async function answer(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(NAME);
  return (await cache.match(path)) ?? fetch(request);
}

/** What a page sends as it is left is not held up here: by then it cannot be passed on any more. */
async function letPass(event: Installing): Promise<void> {
  const methods = ["DELETE", "PATCH", "POST"];
  const routes = methods.map((requestMethod) => ({
    condition: { requestMethod },
    source: "network" as const,
  }));
  await event.addRoutes?.(routes);
}

worker.addEventListener("install", (event) =>
  event.waitUntil(Promise.all([letPass(event), fill()])),
);
worker.addEventListener("activate", (event) => event.waitUntil(dropOthers()));
worker.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  const isMine = origin === location.origin && SHELL.includes(pathname);
  if (isMine && event.request.method === "GET")
    event.respondWith(answer(pathname, event.request));
});
