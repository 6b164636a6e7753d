import type { Announcements, Problem, Prompt } from "../protocol";

const PATH = "/v1/practice/announcements";

/** What was asked for, or the code of what went wrong; `no_answer` when nothing came back. */
export type Got<Value> = { value: Value } | { code: string };

/** What staff may do about announcements, with the desk's token. */
export class AnnouncementsApi {
  constructor(private readonly credential: () => string) {}

  read(): Promise<Got<Announcements>> {
    return this.ask("GET", PATH, (response) => response.json());
  }

  /** The announcement as a telephone in this language hears it. */
  hear(prompt: Prompt, language: string): Promise<Got<Blob>> {
    return this.ask("GET", place(prompt, language), (response) => response.blob());
  }

  keep(prompt: Prompt, language: string, audio: Blob): Promise<Got<null>> {
    return this.ask("PUT", place(prompt, language), async () => null, audio);
  }

  remove(prompt: Prompt, language: string): Promise<Got<null>> {
    return this.ask("DELETE", place(prompt, language), async () => null);
  }

  private async ask<Value>(
    method: string,
    path: string,
    read: (response: Response) => Promise<Value>,
    body: Blob | null = null,
  ): Promise<Got<Value>> {
    try {
      const response = await fetch(path, {
        method,
        body,
        credentials: "same-origin",
        headers: { Authorization: `Bearer ${this.credential()}` },
      });
      return response.ok ? { value: await read(response) } : { code: await codeOf(response) };
    } catch {
      return { code: "no_answer" }; // no network, or a proxy's page where a reply should be
    }
  }
}

function place(prompt: Prompt, language: string): string {
  return `${PATH}/${prompt}/${encodeURIComponent(language)}`;
}

async function codeOf(response: Response): Promise<string> {
  if (response.status === 413) return "prompt_too_long";
  const problem: Problem = await response.json();
  return problem.code;
}
