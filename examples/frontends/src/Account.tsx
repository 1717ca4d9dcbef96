import { useEffect, useState } from "react";
import type { Me, SessionItem } from "token-blacklist-client";
import { messageOf, useWork } from "./form";
import { session } from "./session";

export function Account({ user }: { user: Me }) {
  const [sessions, setSessions] = useState<SessionItem[]>([]);
  const [problem, setProblem] = useState("");
  const out = useWork(() => session.signOut());

  function load() {
    session.sessions().then(
      (found) => {
        setSessions(found);
        setProblem("");
      },
      (error) => setProblem(messageOf(error)),
    );
  }
  // Also when the user comes back to this tab: the session may have ended on another device.
  useEffect(() => {
    load();
    document.addEventListener("visibilitychange", load);
    addEventListener("online", load);
    return () => {
      document.removeEventListener("visibilitychange", load);
      removeEventListener("online", load);
    };
  }, []);

  return (
    <>
      <header>
        <p>Signed in as {user.email}</p>
        <button type="button" disabled={out.isBusy} onClick={out.onClick}>
          Sign out
        </button>
      </header>
      <h1>Your sessions</h1>
      <p role="alert">{out.message || problem}</p>
      <ul>
        {sessions.map((item) => (
          <Row key={item.id} item={item} onEnd={load} />
        ))}
      </ul>
    </>
  );
}

function Row({ item, onEnd }: { item: SessionItem; onEnd: () => void }) {
  const { message, isBusy, onClick } = useWork(() => session.endSession(item.id).then(onEnd));
  return (
    <li>
      <span>
        {item.device}, {item.ip ?? "unknown address"}
      </span>
      {item.current ? (
        <strong>this device</strong>
      ) : (
        <button type="button" disabled={isBusy} onClick={onClick} aria-label={`Sign out ${item.device}`}>
          Sign out
        </button>
      )}
      <span role="alert">{message}</span>
    </li>
  );
}
