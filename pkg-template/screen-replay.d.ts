/**
 * Shows the page of a customer who shares it (`docs/screen-share.md`). For desks of your own; what the customer's page needs is in the client.
 * The page that imports this needs a content security policy that allows inline styles and pictures as data, and no requests.
 */

/** What `createReplay` takes. */
export interface ReplayOptions {
  /** An empty element with a size of its own. */
  root: HTMLElement;
  /** Whether the whole page is there. */
  onReady?: (isReady: boolean) => void;
  /** The customer's viewport in CSS pixels, and how it is scaled to fit into `root`. */
  onSize?: (size: { width: number; height: number; scale: number }) => void;
  /** `unreadable`: nothing more is shown until a new recording begins, so ask for one. `too_large`: parts are left out. */
  onBroken?: (reason: "unreadable" | "too_large") => void;
}

export interface Replay {
  /** Plays events of the recording with this number. A newer one begins afresh, an older one is ignored. Never throws. */
  push(epoch: number, events: readonly unknown[]): void;
  /** Forgets everything that is shown; a recording may begin again with any number. */
  reset(): void;
  /** The place in the customer's viewport, in CSS pixels, that is shown at a place of this window; `null` beside the picture. */
  toCustomer(clientX: number, clientY: number): { x: number; y: number } | null;
  /** Where a place of the customer's viewport is shown in this window. */
  toWindow(x: number, y: number): { clientX: number; clientY: number } | null;
  destroy(): void;
}

export function createReplay(options: ReplayOptions): Replay;

/** Why a batch could not be unpacked. */
export class BatchError extends Error {
  code: "too_large" | "unreadable";
}

/** The events in a batch (gzip of a JSON array). Rejects with a `BatchError`. `maxBytes` is what it may unpack to. */
export function unpack(bytes: ArrayBuffer | ArrayBufferView, options?: { maxBytes?: number }): Promise<unknown[]>;
