// What must not compile.
import { Client, initWasm, Logger, PostSessionStatus } from "sportello";
import type { SportelloErrorCode } from "sportello";

declare const client: Client;
const authenticate = async (): Promise<{ token: string }> => ({ token: "" });

// @ts-expect-error options are required
new Client();
// @ts-expect-error companyId is required
new Client({ authenticate });
// @ts-expect-error authenticate must be asynchronous and give a token
new Client({ companyId: "demo", authenticate: () => "token" });
// @ts-expect-error an option that does not exist
new Client({ companyId: "demo", authenticate, compagnyId: "demo" });
// @ts-expect-error milliseconds are a number
new Client({ companyId: "demo", authenticate, sendTimeoutMs: "10s" });

// @ts-expect-error the argument of a known event is typed
client.on("chat.message", (message: number) => message);
// @ts-expect-error a known event has no further arguments
client.on("ready", (chat: { state: unknown }) => chat);
// @ts-expect-error nor has the end of a chat two
client.on("chat.ended", (chat, why) => [chat, why]);
// @ts-expect-error a field that an identity does not have
client.on("chat.memberJoined", (identity) => identity.name);
// @ts-expect-error a listener is a function
client.on("chat.message", "listener");
// @ts-expect-error the argument of a known event is typed
client._triggerEvent("chat.unread", "three");

// @ts-expect-error a text is required
void client.sendTextMessage();
// @ts-expect-error a menu is a number or a text
void client.createChat({ id: 1 });
// @ts-expect-error an AbortSignal, not its controller
void client.getMenus(undefined, undefined, { signal: new AbortController() });
// @ts-expect-error a method that does not exist
void client.sendMessage("hello");
declare const file: File;
// @ts-expect-error progress is for files
void client.sendTextMessage("hello", { onProgress: () => undefined });
// @ts-expect-error a listener is a function
void client.sendFileMessage(file, { onProgress: true });
declare const message: import("sportello").MessageResponse;
// @ts-expect-error a frame, not where it is
void client.attachBrowserForm(message, "iframe");
// @ts-expect-error answers name their questions
void client.submitForm(message, [{ id: 1, value: "x" }]);
// @ts-expect-error accessors cannot be assigned
client.unreadCount = 0;
// @ts-expect-error the state belongs to the SDK
client.chat!.state = { id: 1, status: "queued" };
// @ts-expect-error unlike the ongoing chat, which may be empty
client.chat.state.id;

// @ts-expect-error a code that does not exist
export const code: SportelloErrorCode = "oops";
// @ts-expect-error a status that does not exist
void client.updatePostSession("done");
// @ts-expect-error a constant that does not exist
void client.updatePostSession(PostSessionStatus.DONE);
// @ts-expect-error a number is no source
void initWasm(5);
// @ts-expect-error a handler is a function
Logger.addHandler(console);
