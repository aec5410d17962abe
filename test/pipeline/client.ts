import type { Metadata, Report, Status } from "@sluice/contracts";
import { isFinal } from "@sluice/pipeline";

/** What an upload is answered. */
export interface Uploaded {
  readonly script_id: string;
  readonly filename: string;
  readonly version: number;
  readonly sha256: string;
  readonly size: number;
  readonly state: string;
  readonly storage_path: string;
  readonly status_url: string;
}

/** The HTTP API, as a test's client uses it. */
export class Client {
  constructor(readonly url: string) {}

  /** @throws where the answer is neither 200 nor 202 */
  async upload(
    filename: string,
    content: string | Buffer,
    { query = "", headers = {} }: { query?: string; headers?: Record<string, string> } = {},
  ): Promise<Uploaded> {
    const form = new FormData();
    form.append("file", new Blob([content]), filename);
    const response = await fetch(`${this.url}/api/v1/upload_script${query}`, {
      method: "POST",
      body: form,
      headers,
    });
    if (response.status !== 200 && response.status !== 202) throw await failure(response);
    return (await response.json()) as Uploaded;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}/api/v1${path}`);
    if (response.status !== 200) throw await failure(response);
    return (await response.json()) as T;
  }

  status(scriptId: string): Promise<Status> {
    return this.get(`/scripts/${scriptId}/status`);
  }

  report(scriptId: string): Promise<Report> {
    return this.get(`/scripts/${scriptId}/report`);
  }

  metadata(scriptId: string): Promise<Metadata> {
    return this.get(`/scripts/${scriptId}/metadata`);
  }

  async content(scriptId: string): Promise<Buffer> {
    const response = await fetch(`${this.url}/api/v1/scripts/${scriptId}/content`);
    if (response.status !== 200) throw await failure(response);
    return Buffer.from(await response.arrayBuffer());
  }

  /** Long-polls until the script's work is over. */
  untilFinal(scriptId: string): Promise<Status> {
    return this.until(scriptId, ({ state }) => isFinal(state));
  }

  /** Asks for a script's status until that is as it is wished for. */
  async until(scriptId: string, isWished: (status: Status) => boolean): Promise<Status> {
    for (;;) {
      const status = await this.get<Status>(`/scripts/${scriptId}/status?wait=1`);
      if (isWished(status)) return status;
    }
  }
}

async function failure(response: Response): Promise<Error> {
  return new Error(`${response.url}: ${response.status} ${await response.text()}`);
}
