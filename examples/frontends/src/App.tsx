import { useState } from "react";
import type { SignedOutReason } from "token-blacklist-client";
import { useSession } from "token-blacklist-client/react";
import { Account } from "./Account";
import { messageOf } from "./form";
import { session } from "./session";
import { SignIn } from "./SignIn";
import { SignUp } from "./SignUp";

const REASONS: Record<SignedOutReason, string> = {
  here: "You have signed out.",
  elsewhere: "You were signed out from another device.",
  over: "Your session has expired. Sign in again.",
};

export function App() {
  const { state, user, reason, error } = useSession(session);
  const [isNew, setNew] = useState(false);
  if (state === "signed_in" && user) return <Account key={user.id} user={user} />;
  if (state !== "signed_out") return <p role="status">{error ? messageOf(error) : "Loading…"}</p>;
  return (
    <>
      {reason && <p role="status">{REASONS[reason]}</p>}
      {isNew ? <SignUp /> : <SignIn />}
      <button className="link" type="button" onClick={() => setNew(!isNew)}>
        {isNew ? "Sign in" : "Create an account"}
      </button>
    </>
  );
}
