import { createAuthClient } from "better-auth/client";
import { jwtClient } from "better-auth/client/plugins";
import type { TokenProvider } from "task-api-client";

const auth = createAuthClient({ plugins: [jwtClient()], fetchOptions: { timeout: 15_000 } });

export type Person = { id: string; email: string };

/** The session is over, or somebody else's by now. */
export class SignedOut extends Error {}

/** Better Auth does not answer. */
export class SignInUnavailable extends Error {}

/** Calls back with whoever is signed in, also when that changes in another tab. */
export function onPerson(tell: (person: Person | null) => void): void {
  auth.useSession.subscribe(({ data, isPending }) => {
    if (!isPending) tell(data?.user ?? null);
  });
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
  let held: { token: string; until: number } | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    const { data, error } = await auth.token().catch(() => {
      throw new SignInUnavailable();
    });
    if (error && error.status !== 401) throw new SignInUnavailable();
    const { sub, iat, exp } = data ? claims(data.token) : {};
    if (!data || sub !== person.id) {
      void auth.useSession.get().refetch();
      throw new SignedOut();
    }
    // By a clock that nobody sets: the one on the wall may be wrong.
    const lifetime = (exp - iat) * 1000;
    held = {
      token: data.token,
      until: performance.now() + lifetime - Math.min(30_000, lifetime / 2),
    };
    return data.token;
  }

  return async ({ refresh }) => {
    if (held && !refresh && performance.now() < held.until) return held.token;
    return (asking ??= ask().finally(() => (asking = undefined)));
  };
}

function claims(token: string) {
  const payload = token.split(".")[1] ?? "";
  return JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
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
