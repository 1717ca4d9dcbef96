/** The session in React: `const { state, user } = useSession(session);` */

import { useSyncExternalStore } from "react";
import { type Me, type Session, SignedOut, type SignedOutReason } from "./session.js";

export interface SessionState {
  /** "loading" at first, and until the user is known after somebody has signed in. */
  readonly state: "loading" | "signed_in" | "signed_out";
  readonly user: Me | null;
  /** Why the session ended; null if there was none. */
  readonly reason: SignedOutReason | null;
  /** Why the user could not be loaded. After Offline, it is tried again when there is a network. */
  readonly error: Error | null;
  /** Load the user again, such as after updateMe(). Always the same function. */
  readonly reload: () => Promise<void>;
}

type Store = { subscribe: (listener: () => void) => () => void; get: () => SessionState; start: SessionState };

const stores = new WeakMap<Session, Store>(); // one for all components

export function useSession(session: Session): SessionState {
  if (!stores.has(session)) stores.set(session, storeOf(session));
  const { subscribe, get, start } = stores.get(session)!;
  return useSyncExternalStore(subscribe, get, () => start);
}

function storeOf(session: Session): Store {
  const start: SessionState = { state: "loading", user: null, reason: null, error: null, reload };
  const listeners = new Set<() => void>();
  let now = start;
  let isStarted = false;
  let latest = 0; // an answer to an earlier question than this is ignored

  function set(next: Partial<SessionState>) {
    now = { ...start, ...next };
    for (const listener of listeners) listener();
  }

  async function reload() {
    const mine = ++latest;
    try {
      await session.resume();
      const user = await session.me();
      if (mine === latest) set({ state: "signed_in", user });
    } catch (error) {
      if (mine !== latest) return;
      if (error instanceof SignedOut) set({ state: "signed_out", reason: error.reason ?? null });
      else set({ ...now, error: error as Error });
    }
  }

  function begin() {
    isStarted = true;
    session.events.addEventListener("signedin", () => {
      set(start); // nothing of the user before
      void reload();
    });
    session.events.addEventListener("signedout", ({ detail }) => {
      latest++;
      set({ state: "signed_out", reason: detail });
    });
    session.events.addEventListener("present", () => now.state === "signed_out" && void reload());
    globalThis.addEventListener?.("online", () => now.error && void reload());
    void reload();
  }

  function subscribe(listener: () => void) {
    listeners.add(listener);
    if (!isStarted) begin();
    return () => void listeners.delete(listener);
  }

  return { subscribe, get: () => now, start };
}
