import { useState } from "react";
import { ApiError } from "token-blacklist-client";
import { Field, useWork } from "./form";
import { session } from "./session";

export function SignIn() {
  const [needsCode, setNeedsCode] = useState(false);
  const { message, isBusy, onSubmit } = useWork(async (data) => {
    const { email, password, code } = Object.fromEntries(data) as Record<string, string>;
    try {
      await session.signIn({ email: email!, password: password!, ...(code ? { code } : {}) });
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "mfa_required")) throw error;
      setNeedsCode(true);
    }
  });
  return (
    <form onSubmit={onSubmit}>
      <h1>Sign in</h1>
      <fieldset hidden={needsCode}>
        <Field label="E-mail" name="email" type="email" autoComplete="username" />
        <Field label="Password" name="password" type="password" autoComplete="current-password" />
      </fieldset>
      {needsCode && (
        <Field
          label="Code of your authenticator app, or a recovery code"
          name="code"
          autoComplete="one-time-code"
          autoFocus
        />
      )}
      <p role="alert">{message}</p>
      <button disabled={isBusy}>Sign in</button>
      {/* Pages of Django, on the same origin. A sign-in there is one here, too. */}
      <a href="/password/reset/">Forgot your password?</a>
      <a href="/login/?next=/">Passkey or another account</a>
    </form>
  );
}
