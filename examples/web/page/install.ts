const WORKER = "/worker.js";

type TrustedTypes = {
  createPolicy(
    name: string,
    rules: { createScriptURL: () => string },
  ): { createScriptURL(url: string): string };
};

/** Has the browser keep the page's files, so that it opens offline. Without that it is as before. */
export function installWorker(): void {
  if (!("serviceWorker" in navigator)) return;
  const { trustedTypes } = window as { trustedTypes?: TrustedTypes };
  // The one address that the Content-Security-Policy lets the page name.
  const policy = trustedTypes?.createPolicy("worker", { createScriptURL: () => WORKER });
  const url = policy?.createScriptURL(WORKER) ?? WORKER;
  void navigator.serviceWorker.register(url).catch(() => undefined);
}
