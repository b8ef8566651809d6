import { createAuthClient } from "better-auth/client";
import { jwtClient } from "better-auth/client/plugins";
import type { TokenProvider } from "task-api-client";

const auth = createAuthClient({
  plugins: [jwtClient()],
  fetchOptions: {
    timeout: 15_000,
    // The jwt plugin sends a token along with the session, so the list need not wait for one.
    onSuccess: ({ response }) => {
      const token = response.headers.get("set-auth-jwt");
      if (token) offered = hold(token);
    },
  },
});

export type Person = { id: string; name: string; email?: string };

const LAST = "task-api-person";

/** The session is over, or somebody else's by now. */
export class SignedOut extends Error {}

/** Better Auth does not answer. */
export class SignInUnavailable extends Error {}

type Held = { token: string; sub: string; until: number };
let offered: Held | undefined;

/** Calls back with whoever is signed in, also when that changes in another tab. */
export function onPerson(tell: (person: Person | null) => void, failed: () => void): void {
  auth.useSession.subscribe(({ data, error, isPending }) => {
    if (isPending) return;
    if (error && error.status !== 401) failed();
    else tell(data?.user ?? null);
  });
}

/** Whoever was signed in last, while the sign-in server cannot be asked. It opens nothing but what
 * this browser keeps: for a token the session is asked. */
export function lastPerson(): Person | undefined {
  return JSON.parse(localStorage.getItem(LAST) ?? "null") ?? undefined;
}

/** Their id and name, or nobody any more. */
export function remember(person: Person | null): void {
  if (!person) localStorage.removeItem(LAST);
  else localStorage.setItem(LAST, JSON.stringify({ id: person.id, name: person.name }));
}

/** Asks again who is signed in. */
export function askAgain(): void {
  void auth.useSession.get().refetch();
}

/** Each resolves to what went wrong, in a sentence, or to nothing. */
export async function signUp(name: string, email: string, password: string) {
  return failure(() => auth.signUp.email({ name, email, password }));
}

export async function signIn(email: string, password: string) {
  return failure(() => auth.signIn.email({ email, password }));
}

export async function signOut() {
  return failure(() => auth.signOut());
}

/** Tokens for that person alone, kept here in memory until shortly before they expire. */
export function tokensOf(person: Person): TokenProvider {
  let held: Held | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    const { data, error } = await auth.token().catch(() => {
      throw new SignInUnavailable();
    });
    if (error && error.status !== 401) throw new SignInUnavailable();
    const fresh = data ? hold(data.token) : undefined;
    if (fresh?.sub !== person.id) {
      askAgain();
      throw new SignedOut();
    }
    held = fresh;
    return fresh.token;
  }

  return async ({ refresh }) => {
    const now = performance.now();
    if (offered?.sub === person.id && offered.until > (held?.until ?? 0)) held = offered;
    offered = undefined;
    if (held && !refresh && now < held.until) return held.token;
    return (asking ??= ask().finally(() => (asking = undefined)));
  };
}

function hold(token: string): Held {
  const payload = token.split(".")[1] ?? "";
  const { sub, iat, exp } = JSON.parse(
    atob(payload.replaceAll("-", "+").replaceAll("_", "/")),
  );
  // By a clock that nobody sets: the one on the wall may be wrong.
  const lifetime = (exp - iat) * 1000;
  return { token, sub, until: performance.now() + lifetime - Math.min(30_000, lifetime / 2) };
}

async function failure(
  call: () => Promise<{ error: { message?: string | undefined } | null }>,
): Promise<string | undefined> {
  try {
    const { error } = await call();
    return error ? (error.message ?? "That did not work.") : undefined;
  } catch {
    return "The sign-in server does not answer. Try again.";
  }
}
