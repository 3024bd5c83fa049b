// Listeners are typed by the event's name; other names are accepted.
import { Client, isSportelloError } from "sportello";
import type { Chat, ClientEvent, ClientEventMap, CobrowseSession, ConnectionState, Delivery, Identity, MessageResponse, SportelloError, SportelloErrorCode } from "sportello";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T | undefined => undefined;

// The contract's nineteen events are all there.
type ContractEvent =
  | "ready" | "authenticated" | "chat.ongoing" | "chat.updated" | "chat.message" | "chat.memberJoined" | "chat.memberLeft"
  | "chat.typingStarted" | "chat.typingEnded" | "chat.connected" | "chat.disconnected" | "chat.dismissed" | "chat.timeout" | "chat.ended"
  | "chat.destroyed" | "cobrowse.request" | "cobrowse.loaded" | "cobrowse.updated" | "cobrowse.ended";
holds<Equal<Exclude<ContractEvent, ClientEvent>, never>>();
holds<Equal<Exclude<ClientEvent, ContractEvent>, "error" | "chat.reconnected" | "chat.delivery" | "chat.unread" | "chat.uploadProgress" | "connection">>();

declare const client: Client;
client.on("ready", () => holds<Equal<ClientEventMap["ready"], []>>());
client.on("chat.updated", (chat) => holds<Equal<typeof chat, Chat>>());
client.on("chat.message", (message) => holds<Equal<typeof message, MessageResponse>>());
client.on("chat.memberJoined", (identity) => holds<Equal<typeof identity, Identity>>());
client.on("chat.delivery", (delivery) => holds<Equal<typeof delivery, Delivery>>());
client.on("chat.uploadProgress", ({ sentBytes, totalBytes }) => holds<Equal<[typeof sentBytes, typeof totalBytes], [number, number]>>());
client.on("chat.unread", (count) => holds<Equal<typeof count, number>>());
client.on("connection", (state) => holds<Equal<typeof state, ConnectionState>>());
client.on("cobrowse.request", (from) => holds<Equal<typeof from, string>>());
client.on("cobrowse.updated", (session) => holds<Equal<typeof session, CobrowseSession>>());
client.on("cobrowse.ended", (session) => holds<Equal<ReturnType<typeof session.endedReason>, string | undefined>>());
export const restored: Promise<CobrowseSession | null> = client.restoreCobrowseSession();
client.on("error", (error) => {
  holds<Equal<typeof error, SportelloError>>();
  holds<Equal<typeof error.code, SportelloErrorCode>>();
  holds<Equal<typeof error.status, number | undefined>>();
});

// A name that only a variable knows, and one that this release does not know.
declare const name: string;
const listener = (...args: unknown[]): void => void args;
client.on(name, listener);
client.off(name, listener);
client.on("platform.custom", (payload: { id: number }) => payload.id);
client._triggerEvent("chat.connected");
client._triggerEvent("platform.custom", 1, "two");

// A listener that wants less than it is given fits.
const quiet = (): void => undefined;
client.on("chat.message", quiet);
client.off("chat.message", quiet);

declare const caught: unknown;
if (isSportelloError(caught)) {
  holds<Equal<typeof caught.code, SportelloErrorCode>>();
  holds<Equal<typeof caught.retryable, boolean>>();
  holds<Equal<typeof caught.retryAfterMs, number | undefined>>();
}
