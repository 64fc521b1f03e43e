// Requests to the service: the session's CSRF token on every change, problems as errors with their stable code.
import { signal } from "../vendor/signals.mjs";

export const session = signal(null);
/** Whether this terminal is locked: it shows, and does nothing until its person or the next one comes. */
export const locked = signal(false);

export class Problem extends Error {
  constructor(code, detail, status) {
    super(detail);
    this.code = code;
    this.status = status;
  }
}

async function ask(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(session.value?.csrf_token ? { "x-csrf-token": session.value.csrf_token } : {}),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Problem("no_answer", "", 0);
  }
  const document = await answer.json().catch(() => ({}));
  if (document.code === "session_locked") locked.value = true;
  if (!answer.ok) throw new Problem(document.code ?? "internal_error", document.detail ?? "", answer.status);
  return document;
}

export const get = (path) => ask("GET", path);
export const post = (path, body, headers) => ask("POST", path, body, headers);
export const remove = (path) => ask("DELETE", path);

/** Who is signed in; leads to the sign-in page where nobody is. */
export async function loadSession() {
  try {
    session.value = await get("/api/v1/session");
  } catch (problem) {
    if (problem.status === 401) toSignIn();
    throw problem;
  }
}

export function toSignIn() {
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
}

/** A key for one intended act. (randomUUID is missing on plain HTTP off loopback.) */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
