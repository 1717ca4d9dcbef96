import { type SubmitEvent, useState } from "react";
import { ApiError, Offline, SignedOut } from "token-blacklist-client";

/** Return a sentence for the user. */
export function messageOf(error: unknown): string {
  if (error instanceof Offline) return "You seem to be offline. Nothing was changed. Try again.";
  if (error instanceof ApiError) return error.message;
  if (error instanceof SignedOut) return ""; // the sign-in form says why
  return "Something went wrong. Try again.";
}

/** Return the handler of a form or a button, whether its work is running, and the last error. */
export function useWork(work: (data: FormData) => Promise<unknown>) {
  const [message, setMessage] = useState("");
  const [isBusy, setBusy] = useState(false);
  async function start(data: FormData) {
    setBusy(true);
    setMessage("");
    try {
      await work(data);
    } catch (error) {
      setMessage(messageOf(error));
    } finally {
      setBusy(false);
    }
  }
  function onSubmit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    void start(new FormData(event.currentTarget));
  }
  return { message, isBusy, onSubmit, onClick: () => void start(new FormData()) };
}

export function Field({ label, ...input }: { label: string } & React.ComponentProps<"input">) {
  return (
    <label>
      {label}
      <input required {...input} />
    </label>
  );
}
