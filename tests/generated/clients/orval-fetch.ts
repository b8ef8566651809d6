import { API, TOKEN } from "./said";

/** Orval leaves the server's address, the token and reading the response to the project. */
export async function send<T>(path: string, init: RequestInit): Promise<T> {
  const headers = { ...init.headers, Authorization: `Bearer ${TOKEN}` };
  const response = await fetch(API + path, { ...init, headers });
  return { data: await response.json(), status: response.status, headers: response.headers } as T;
}
