import { useState } from "react";
import { Field, useWork } from "./form";
import { session } from "./session";

export function SignUp() {
  const [email, setEmail] = useState("");
  const { message, isBusy, onSubmit } = useWork(async (data) => {
    const { email, password, code } = Object.fromEntries(data) as Record<string, string>;
    if (code) await session.verifyEmail(code);
    else if ((await session.signUp({ email: email!, password: password! })) === "verify_email")
      setEmail(email!);
  });
  return (
    <form onSubmit={onSubmit}>
      <h1>Create an account</h1>
      {email ? (
        <Field key="code" label={`Code from the e-mail to ${email}`} name="code" autoComplete="one-time-code" autoFocus />
      ) : (
        <>
          <Field label="E-mail" name="email" type="email" autoComplete="username" />
          <Field label="Password" name="password" type="password" autoComplete="new-password" />
        </>
      )}
      <p role="alert">{message}</p>
      <button disabled={isBusy}>{email ? "Verify" : "Create account"}</button>
    </form>
  );
}
