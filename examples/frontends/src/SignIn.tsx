import { useState } from "react";
import { ApiError } from "token-blacklist-client";
import { Field, useWork } from "./form";
import { session } from "./session";

const CODES = {
  mfa_required: "Code of your authenticator app, or a recovery code",
  email_not_verified: "Code from the e-mail that was sent to you",
};
type Missing = keyof typeof CODES;

export function SignIn() {
  const [missing, setMissing] = useState<Missing>();
  const { message, isBusy, onSubmit } = useWork(async (data) => {
    const { email, password, code } = Object.fromEntries(data) as Record<string, string>;
    if (code && missing === "email_not_verified") return session.verifyEmail(code);
    try {
      await session.signIn({ email: email!, password: password!, ...(code ? { code } : {}) });
    } catch (error) {
      if (!(error instanceof ApiError && error.code && error.code in CODES)) throw error;
      setMissing(error.code as Missing);
    }
  });
  return (
    <form onSubmit={onSubmit}>
      <h1>Sign in</h1>
      <fieldset hidden={missing !== undefined}>
        <Field label="E-mail" name="email" type="email" autoComplete="username" />
        <Field label="Password" name="password" type="password" autoComplete="current-password" />
      </fieldset>
      {missing && <Field label={CODES[missing]} name="code" autoComplete="one-time-code" autoFocus />}
      <p role="alert">{message}</p>
      <button disabled={isBusy}>Sign in</button>
      {/* Pages of Django, on the same origin. A sign-in there is one here, too. */}
      <a href="/password/reset/">Forgot your password?</a>
      <a href="/login/?next=/%3Fsigned-in">Sign in with a passkey or another account</a>
    </form>
  );
}
