export type Fetch = (request: Request) => Promise<Response>;

/** Gives the bearer token; a new one when `refresh` is true, because the last was refused. */
export type TokenProvider = (options: { refresh: boolean }) => Promise<string>;

/** Sends each request with the token. After a 401 it refreshes the token, and sends once more. */
export function authorized(token: TokenProvider, send: Fetch): Fetch {
  let latest: Promise<string> | undefined;
  let over: Promise<string> | undefined; // the latest refresh that has ended

  function refresh(): Promise<string> {
    const mine = token({ refresh: true }).finally(() => {
      over = mine;
    });
    latest = mine;
    return mine;
  }

  return async (request) => {
    const again = request.clone(); // a body can be read only once
    const before = over;
    request.headers.set("Authorization", `Bearer ${await token({ refresh: false })}`);
    const response = await send(request);
    if (response.status !== 401) return response;
    await response.body?.cancel();
    // A refresh that ended after this request was sent serves it too: a crowd asks only once.
    const fresh = await (latest && latest !== before ? latest : refresh());
    again.headers.set("Authorization", `Bearer ${fresh}`);
    return send(again);
  };
}
