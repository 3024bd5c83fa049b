// Declarations of the `sportello` package, written by hand: they are the public contract.
//
// Whatever is not marked "Beyond the vendor" has the name, the fields and the failure value of the headless web client of CCAI Platform, as
// its public API reference gives them ("Headless web SDK": API methods, events). A field typed `unknown` has no published shape there.
//
// Every asynchronous method may be called at once after `new Client`: it waits until the client is ready. Unless its description says
// otherwise it rejects with a SportelloError, and any of them can reject with `aborted`, `authentication_failed`, `closed`, `company_unknown`,
// `internal`, `network`, `origin_forbidden`, `protocol`, `rate_limited`, `timeout`, `token_expired`, `token_invalid`, `unauthorized`,
// `unavailable` or `wasm_load_failed`; a description names only what comes on top of these.

/** The number of a menu, chat or call; a text of digits is accepted too. */
export type Id = number | string;

// ---------------------------------------------------------------------------------------------------------------- options

/** What `authenticate` resolves to. */
export interface TokenResponse {
  /** A JWT (HS256, HS384 or HS512) that the site's own server signed with the company secret. */
  token: string;
}

/** Texts of the screen share dialogs and controls; each has a default in English, Italian and Portuguese. They are texts: markup in them is shown, not read. */
export interface CobrowseMessages {
  confirmSessionTitle?: string;
  confirmSessionContent?: string;
  confirmRemoteControlTitle?: string;
  confirmRemoteControlContent?: string;
  confirmFullDeviceTitle?: string;
  confirmFullDeviceContent?: string;
  allowText?: string;
  denyText?: string;
  endSessionText?: string;
}

/** Screen share: how the end user is asked, and what of the page the agent may see. Without the option the calls work with every default. */
export interface CobrowseOption {
  /**
   * Whether this page may be shared. Where `true`, the client itself restores what an earlier page shared (`restoreCobrowseSession`) and hears an agent's request
   * (`cobrowse.request`). Where `false`, the calls reject with `invalid_argument`.
   */
  enabled: boolean;
  /**
   * HTML of the three questions, with `$title`, `$content`, `$allow` and `$deny`, an element of the class `js-cobrowse-allow` and one of the class
   * `js-cobrowse-deny`. A page that requires Trusted Types must allow the policy `sportello-screen`.
   */
  template?: string;
  /** HTML of the question whether the page may be seen, instead of `template`. */
  confirmSessionTemplate?: string;
  /** HTML of the question whether the agent may use the page, instead of `template`. Asked with Cobrowse.io only. */
  confirmRemoteControlTemplate?: string;
  /** HTML of the question whether everything on the screen may be seen, instead of `template`. Asked with Cobrowse.io only. */
  confirmFullDeviceTemplate?: string;
  /** HTML of the controls while the page is shared, with `$end` and an element of the class `js-cobrowse-end`. */
  sessionControlsTemplate?: string;
  /** Where dialogs and controls are placed; the document's body by default. */
  root?: Element;
  messages?: CobrowseMessages;
  /** Cobrowse.io's address, where it is not the public one. */
  api?: string;
  /** The licence key of a Cobrowse.io account: its SDK, which the site loads, then shows the page. Without it nothing but the gateway is needed. */
  license?: string;
  /** For Cobrowse.io. */
  trustedOrigins?: string[];
  /** What the agent may do. Without Cobrowse.io `pointer` may be left out; `view` is always there, and there is no more. */
  capabilities?: string[];
  /** For Cobrowse.io. */
  registration?: boolean;
  /** CSS selectors of what is never shared: it is replaced in the page, before anything leaves. */
  redactedViews?: string[];
  /** CSS selectors of what is shared although it would be masked, or lies within a redacted part. Passwords, one-time codes and cards never are. */
  unredactedViews?: string[];
}

/**
 * Where messages typed offline, the ongoing chat's number and an anonymous end user's secret are kept: `localStorage`, `sessionStorage` or
 * anything like them. Beyond the vendor.
 */
export interface ClientStorage {
  /** The number of keys. */
  readonly length: number;
  /** The key at a position below `length`, in any order. */
  key(index: number): string | null;
  /** The value of `key`, null for none. */
  getItem(key: string): string | null;
  /** Keeps `value` under `key`; may throw where there is no room. */
  setItem(key: string, value: string): void;
  /** Forgets `key`. */
  removeItem(key: string): void;
}

/** How reconnection backs off. Beyond the vendor. */
export interface ReconnectOption {
  /** The longest wait after the first try, which is immediate, failed; in milliseconds, 500 by default. */
  initialMs?: number;
  /** The longest wait between two tries, in milliseconds; 20,000 by default. */
  maxMs?: number;
  /** How long one try may take until the stream is joined, in milliseconds; 8,000 by default. */
  connectTimeoutMs?: number;
  /** How soon the gateway must answer after the page woke up or the network was in doubt, in milliseconds; 5,000 by default. */
  probeTimeoutMs?: number;
}

/** Where to take the WebAssembly module from. Beyond the vendor. */
export type WasmSource =
  | string
  | URL
  | Response
  | ArrayBuffer
  | ArrayBufferView
  | (WebAssembly.Module & object);

/** A source, a promise of one, or a function that gives one for each try (a `Response` can be read only once). Beyond the vendor. */
export type WasmInput = WasmSource | Promise<WasmSource> | (() => WasmSource | Promise<WasmSource>);

/** What `new Client` takes. */
export interface ClientOption {
  /** The company key. */
  companyId: string;
  /** Asks the site's own server for a token. Called when a session is needed or has expired. */
  authenticate: () => Promise<TokenResponse>;
  /** The vendor's instance name. Accepted for compatibility; the gateway's address is never derived from it. */
  tenant?: string;
  /** The gateway's origin, such as `https://chat.example.com`; `https://` may be left out. The page's own origin by default. */
  host?: string;
  /** The end user's language as a BCP 47 tag. */
  lang?: string;
  /** Accepted for compatibility and ignored. */
  bridge?: string;
  cobrowse?: CobrowseOption;

  /** How long an unsent message is tried before its promise rejects with `timeout`, in milliseconds; a day by default. Beyond the vendor. */
  sendTimeoutMs?: number;
  /**
   * How long any other call may take before it rejects with `timeout`, in milliseconds; 15,000 by default. The download of a file may take twenty times as
   * long, and {@link Client.attachBrowserForm} waits for ever. Beyond the vendor.
   */
  callTimeoutMs?: number;
  /** How many message bodies are kept in memory; 10,000 by default. Beyond the vendor. */
  historyLimit?: number;
  /** `localStorage` by default; null keeps nothing, so that nothing survives a reload. Beyond the vendor. */
  storage?: ClientStorage | null;
  /** Beyond the vendor. */
  reconnect?: ReconnectOption;
  /** Where the WebAssembly module is, where a bundler or a policy needs it elsewhere. See also {@link initWasm}. Beyond the vendor. */
  wasm?: WasmInput;
}

/** The last argument of every asynchronous method, after all the others. Beyond the vendor. */
export interface CallOptions {
  /** Abandons the call: it rejects with `aborted`. What the gateway has already accepted stays done. */
  signal?: AbortSignal;
}

/** How far an upload is. Beyond the vendor. */
export interface UploadProgress {
  /** The id that the client gave the file's message; its {@link Delivery} has it too. */
  clientId: string;
  /** Bytes of the file that left the browser. */
  sentBytes: number;
  /** Bytes of the whole file. */
  totalBytes: number;
}

/** The last argument of `sendFileMessage`. Beyond the vendor. */
export interface SendFileOptions extends CallOptions {
  /** Called whenever more of the file has left the browser. A later try after a broken connection begins at 0 again. */
  onProgress?: (progress: UploadProgress) => void;
}

/** Data that the site attaches to a chat or call. */
export interface CustomData {
  /** A JWT signed by the site's server; agents can trust what it says. */
  signed?: string;
  /** Values that anyone with the page could have changed. */
  unsigned?: Record<string, any>;
}

// ------------------------------------------------------------------------------------------------------ company and menus

/** A language of the company. The vendor's fields are not published; the embedded platform sends `code`, `name` and `default`. */
export interface LanguageOption {
  [key: string]: unknown;
}

/** A way to reach a queue. The vendor's fields are not published; the embedded platform sends `name` (`chat`, `voice_call`, `email` or `external_link`) and `enabled`. */
export interface MenuChannel {
  [key: string]: unknown;
}

/** The company and what it offers. */
export interface CompanyResponse {
  name: string;
  subdomain: string;
  support_email: string;
  languages: LanguageOption[];
  action_tracking: boolean;
  email_transcripts: boolean;
  message_preview: boolean;
  email_enhancement: boolean;
  cobrowse_domain?: string;
}

/** A menu: a queue, or a heading over others. */
export interface MenuItem {
  id: number;
  name?: string;
  /** Whether it can be chosen now. */
  enabled: boolean;
  /** Where its chats go instead: `queue` and its number, `external_link` and an address, `message` and a text (values of the embedded platform). */
  redirection?: { option: string; data: string };
  children?: MenuItem[];
  channels: MenuChannel[];
  /** Whether customers are led elsewhere now, and why they are or would be: `after_hours` or `over_capacity` (values of the embedded platform). */
  deflection?: { enabled: boolean; type: string };
}

/** The menus, and whether they were narrowed by a direct access key or by the end user. */
export interface MenuResponse {
  menus: MenuItem[];
  direct: { key: boolean; user: boolean };
}

/** Expected waiting times in seconds. */
export interface WaitTimeResponse {
  chat: number;
  voice_call: number;
}

/** Whether each feature is there, by its name. The vendor's shape is not published. */
export interface FeatureFlagsResponse {
  readonly [feature: string]: boolean;
}

/**
 * A question to ask the visitor of the page. The vendor's fields are not published; a yes opens a chat with `createChat(trigger.menu_id, { trigger_id: trigger.id,
 * lang: trigger.lang })`.
 */
export interface TriggerItem {
  /** What `createChat` takes as `trigger_id`. */
  id: string;
  /** The queue that a yes leads to. */
  menu_id: number;
  /** The language of that chat. */
  lang: string;
  title?: string;
  /** The question. Links in double braces are left as they are. */
  message: string;
  /** Why it was asked: all of them held. */
  conditions: TriggerConditions;
  [key: string]: unknown;
}

/** When a trigger is asked. Beyond the vendor. */
export interface TriggerConditions {
  /** The address has one of these words; any address where empty. */
  url_contains: string[];
  /** The address has none of these words. */
  url_excludes: string[];
  time_on_page_ms: number;
  /** `new` (on the first visit) or `returning`; everybody where absent. */
  visitor?: string;
  min_visits: number;
  /** 0 for any. */
  max_visits: number;
}

// ------------------------------------------------------------------------------------------------------------------ calls

/** When calls can be scheduled, and how many more. The vendor's shape is not published. */
export interface TimeSlotAvailability {
  /** Every slot, the first one first, those that are taken included. */
  slots: {
    /** When it begins, ISO 8601. */
    at: string;
    /** Calls that can still be had then. */
    free: number;
    /** Calls that can be had then altogether. */
    capacity: number;
  }[];
  /** How long a slot is, in milliseconds. */
  slot_ms: number;
  /** The IANA time zone of the business hours that the slots come from. */
  timezone: string;
}

/** A request to be called. */
export interface CallRequest {
  /** With its country code, such as `+12025550123`; without one where the queue has a country. Spaces and punctuation are read over. */
  phone_number: string;
  lang?: string;
  /** One of the times of `getTimeSlots`; as soon as somebody is free by default. */
  scheduled_at?: string;
  ticket_id?: string;
  email?: string;
  recording_permission?: "recording_permission_not_asked" | "recording_permission_granted" | "recording_permission_denied";
  custom_data?: CustomData;
}

/** A requested call. Times are ISO 8601. */
export interface CallResponse {
  id: number;
  lang: string;
  /** The queue whose people call: the one that was asked for, or the one it is redirected to. */
  menu_id: number;
  /** `scheduled`, `queued`, `assigned`, `connecting`, `connected`, `finished`, `failed` or `canceled`; treat it as an open string. */
  status: string;
  /** The vendor's values are not published; the embedded platform says `Immediate` or `Scheduled`. */
  type: string;
  scheduled_at?: string;
  /** Whether the end user granted it. */
  recording_permitted: boolean;
  survey_enabled: boolean;
  created_at: string;
  menus: { id: number; name: string }[];
}

// ------------------------------------------------------------------------------------------------------------------- chat

/** What a new chat starts with. Keys beside these are forwarded to the platform. */
export interface ChatRequest {
  lang?: string;
  trigger_id?: string;
  ticket_id?: string;
  email?: string;
  /** Replaces the first message that the end user is shown. */
  greeting?: string;
  /** `false` where the page cannot be shared: then screen share is not offered in the chat. */
  cobrowsable?: boolean;
  custom_data?: CustomData;
  [key: string]: unknown;
}

/** An agent or virtual agent of a chat. */
export interface ChatAgent {
  id: number;
  name: string;
  first_name?: string;
  avatar_url?: string;
  status?: string;
}

/** Someone in the conversation besides the end user. Beyond the vendor. */
export interface ChatMember {
  /** `agent` or `virtual_agent`. */
  type: string;
  id: number;
  display_name: string;
}

/** The state of a chat. Times are ISO 8601. */
export interface ChatResponse {
  id: number;
  /**
   * On the embedded platform `va_assigned`, `queued`, `assigned`; `dismissed` and `va_dismissed` (can be resumed); `checked_out` (a check-in was missed, can
   * rejoin); `finished` and `failed` (over). An open set elsewhere.
   */
  status: string;
  /** Who ended it: `end_user`, `agent`, `virtual_agent`, `timeout` or `system`; absent while it goes on. Beyond the vendor. */
  ended_by?: string;
  /** Why a chat is `failed`, such as `expired`: nobody came. Beyond the vendor. */
  fail_reason?: string;
  /** A sentence about the status; platforms may put mark-up in it. Show it as text, never as HTML. */
  status_text?: string;
  /**
   * What can be done in this chat, so that a page hides what cannot. The vendor's values are not published; those of the embedded platform are listed in
   * `docs/protocol.md`, such as `preview` and `check_in`.
   */
  features?: string[];
  created_at?: string;
  ends_at?: string;
  /** When the chat ends if the end user stays silent. */
  timeout_at?: string;
  agent?: ChatAgent;
  virtual_agent?: ChatAgent;
  all_agents?: ChatAgent[];
  all_virtual_agents?: ChatAgent[];
  lang?: string;
  menus?: { id: number; name: string }[];
  end_user?: { id: number; identifier: string };
  /** Something follows the human part, which is over: see `updatePostSession`. */
  post_session_required?: boolean;
  /** The end user is to be asked first whether it may. */
  post_session_opt_in_required?: boolean;
  /** One of {@link PostSessionStatus}; absent until the page has answered to it. */
  post_session_transfer_status?: string;
  /** What the end user has to answer to keep the place in the queue (`checkIn`); absent where nothing is asked. Beyond the vendor. */
  check_in?: {
    /** How long one may take, from the moment on at which the prompt was shown. */
    timeout_ms: number;
    /** Until when, in milliseconds since 1970. */
    expires_at_ms: number;
    /** The prompt is shown (`notifyCheckInState`). */
    notified: boolean;
  };
  /** Who is in the conversation besides the end user. Beyond the vendor. */
  members?: ChatMember[];
  /** The `$index` of the newest message, 0 for none. Beyond the vendor. */
  last_index?: number;
}

/** A chat. The same object for as long as it is the current chat; afterwards it keeps its last state. */
export interface Chat {
  /** Always the newest state. */
  readonly state: ChatResponse;
  /**
   * Sends a message of any type, such as `{ type: "noti", event: "formCompleted", … }`. Resolves when the gateway has stored it; stays pending
   * while offline. Gives the message's `$index`. Rejects with `chat_ended`, `invalid_argument` or `too_large`, and with `timeout` after
   * `sendTimeoutMs`.
   */
  sendMessage(message: Record<string, unknown>, options?: CallOptions): Promise<number>;
  /** Says that the end user types. May be called on every key stroke: what is sent is throttled, and it ends by itself after a while. */
  startTyping(): void;
  /** Says that the end user stopped typing. */
  stopTyping(): void;
}

/** A message. Types unknown to this release are passed through untouched. */
export interface MessageResponse {
  /** The position in the chat: 1, 2, 3, … without a gap. */
  $index: number;
  /** The message's id. */
  $sid: string;
  $timestamp: Date;
  /** `end_user`, `agent`, `virtual_agent` or `system`. */
  $userType: string;
  /** The author's number; 0 for the system. */
  $userId: number;
  /** `text`, `markdown`, `noti`, `inline_button`, `photo`, …; an open set. */
  type: string;
  /** Data from someone else: show it as text, never as HTML. */
  content?: string;
  /**
   * What a `noti` is about: `escalationStarted`, `escalationAccepted`, `memberLeft`, `chatEnded`, `formRequested`, `formCompleted`, `checkInRequired`,
   * `checkInTimedOut`, …; an open set. The embedded platform also has names of its own, listed in `docs/protocol.md`, such as `escalationDeflected`,
   * `chatTransferred`, `dismissalWarning`.
   */
  event?: string;
  /** The file of this message, once `getMessageAttachment` has read it. */
  file?: File;
  media_id?: number;
  groupMessageId?: number;
  document?: { url: string };
  unredacted?: string;
  buttons?: { title: string }[];
  message?: { messages: string[]; type: string };
  signature: string;
  form?: {
    id: number;
    form_type: string;
    name: string;
    title: string;
    subtitle: string;
    external_form_id: string;
    smart_action_id: number;
    image: string;
    /** The page of a browser form. */
    preview_endpoint?: string;
  };
  /** The file, as the gateway knows it; see `getMessageAttachment`. Beyond the vendor. */
  media?: { name: string; content_type: string; size: number };
  /** The id that this or another client gave it when it was sent. Beyond the vendor. */
  client_id?: string;
  [key: string]: unknown;
}

/** A custom form, to be shown as the page likes. Its texts are data. Beyond the vendor, after the mobile clients' form details. */
export interface FormResponse {
  title: string;
  header: string;
  footer: string;
  questions: FormQuestion[];
}

/** One question of a form. Beyond the vendor. */
export interface FormQuestion {
  id: Id;
  /** `text_entry`, `list_picker`, `date`, `time` or `toggle`; an open set. */
  type: string;
  question: string;
  /** Where it stands among the others. */
  position: number;
  is_mandatory: boolean;
  /** The answer is shown to the agent only: hide it while it is typed. */
  is_masked: boolean;
  placeholder?: string;
  /** Of a `text_entry`: `text`, `number`, `email`, `phone` or `url`. */
  content_type?: string;
  character_limit?: number;
  help_text?: string;
  /** Of a `list_picker`. */
  is_multiselect?: boolean;
  options?: { id: Id; value: string; image?: string; list_position?: number }[];
  /** Of a `toggle`. */
  toggle_on_text?: string;
  toggle_off_text?: string;
}

/** The answer to one question. Beyond the vendor. */
export interface FormAnswer {
  question_id: Id;
  /** What the question's type wants; the gateway checks it. */
  value: unknown;
}

/** What is wrong with the answer to one question. Beyond the vendor. */
export interface FormProblem {
  question_id: Id;
  problem: string;
}

/** Who joined, left or types. Prints as `agent_1`. */
export interface Identity {
  /** `agent`, `virtual_agent` or `end_user`. */
  type: string;
  id: number;
  is_customer: boolean;
  display_name: string;
  /** `<type>_<id>`, such as `agent_1`. */
  toString(): string;
}

/** Where a sent message stands. Beyond the vendor. */
export type DeliveryState = "queued" | "sending" | "sent" | "failed";

/** The delivery of one message. Beyond the vendor. */
export interface Delivery {
  /** The id that the client gave the message; the stored message carries it as `client_id`. */
  clientId: string;
  state: DeliveryState;
  /** The message's `$index`, once sent. */
  index?: number;
  /** Why it failed. */
  error?: SportelloError;
}

/** A message that the gateway has not stored yet. Beyond the vendor. */
export interface OutboxEntry extends Delivery {
  /** The message as it was sent. */
  message: Record<string, unknown>;
}

/** The event stream: `idle` without a chat. Beyond the vendor. */
export type ConnectionState = "idle" | "connecting" | "online" | "offline";

// ------------------------------------------------------------------------------------- deflection, transcripts and surveys

/** How a waiting chat may be deflected to another channel. */
export interface ChatDeflectionResponse {
  enabled: boolean;
  /** In seconds of expected waiting. */
  threshold: number;
  email: boolean;
  keep_waiting: boolean;
  external_deflection_links: { enabled: boolean; ids: number[] };
  /** Why it applies now: `after_hours` or `over_capacity`. Beyond the vendor. */
  reason?: string;
  /** The links behind the ids. Beyond the vendor. */
  links?: { id: number; name: string; url: string }[];
}

/** A PDF of the transcript that is being made. */
export interface GenerateTranscriptResponse {
  /** `pending`, `finished` or `failed`. */
  status: string;
  /** What `getPdfStatus` takes. */
  chat_transcript_id: number;
}

/** How far that PDF is: `body` once it is done, `failed_reason` where it failed. */
export interface PdfStatusResponse {
  /** `pending`, `finished` or `failed`. */
  status: string;
  body?: File;
  /** `too_large`, `timeout`, `expired` (ask for a new one), `unavailable` or `internal`. */
  failed_reason?: string;
}

/** An answer with its headers. The header `x-transcript-status` and `data.status` say the same; other headers are not passed on. */
export interface RequestReturn<T = PdfStatusResponse> {
  headers: Record<string, string>;
  data: T;
}

/** One question of a survey. `valid_answers` lists what can be answered, in order; a `free-form` question takes any text and has none. */
export interface QuestionItem {
  id: number;
  type: "csat" | "star" | "free-form" | "scale" | "enumeration";
  display_text: string;
  name?: string;
  is_csat?: boolean;
  position?: number;
  valid_answers?: { key: string; value: string }[];
}

/** The survey of a chat, and the text that thanks for it. */
export interface ChatSurveyResponse {
  id?: number;
  lang?: string;
  sign_off_display_text: string;
  questions: QuestionItem[];
}

/** Answers by the question's id: the `key` of one of its `valid_answers`, also as a number where it is one, or a text. */
export interface SurveyAnswers {
  [question_id: string]: number | string;
}

/** The end user's rating of a chat. */
export interface RateRequest {
  /** 1 to 5. */
  rating: number;
  feedback?: string;
}

/** Why the end user wants a person. Keys beside `reason` are forwarded. */
export interface EscalateRequest {
  reason?: string;
  [key: string]: unknown;
}

/** Something that the end user did. Keys beside `end_user_name` are forwarded. */
export interface ChatEndUserEventRequest {
  end_user_name?: string;
  [key: string]: unknown;
}

/** An earlier chat with its messages. */
export interface ChatHistoryItem {
  comm_id: number;
  assigned_at: string;
  comm_type: string;
  timezone: string;
  entries: MessageResponse[];
  /** The queues it went through. Beyond the vendor. */
  menus?: { id: number; name: string }[];
  /** Who answered. Beyond the vendor. */
  agents?: ChatAgent[];
}

/** A page of earlier chats; `next_page` is missing or negative on the last one. */
export interface ChatHistoryResponse {
  chats: ChatHistoryItem[];
  missing_chat_ids: number[];
  pagination: { next_page: number; per_page: number };
}

// ----------------------------------------------------------------------------------------------------------------- e-mail

/** An e-mail to a queue. */
export interface EmailRequest {
  name?: string;
  email: string;
  content: string;
  lang?: string;
  /** A `File[]` or an input's `FileList`. */
  files?: ArrayLike<File> | null;
  /** The token of the page's reCAPTCHA, where the gateway checks one. */
  recaptcha?: string;
}

/** What became of an e-mail. */
export interface EmailResponse {
  /** 0 where it failed. */
  id: number;
  /** Why it was written: `email`, or what kept the queue's people from chatting, `after_hours` or `over_capacity`. The words are ours. */
  type: string;
  /** `open` where the gateway has it, `failed` otherwise. The words are ours. */
  status: string;
  /**
   * Empty where it did not fail. `invalid_email`, `no_content`, `too_long`, `too_many_files`, `file_too_large`, `prohibited_file_type`, `recaptcha_failed`,
   * `recaptcha_unavailable`, `over_cap_email` (too many in a day), `unsupported` (the queue takes none), `not_found`; or an error's code, such as `network`.
   */
  fail_reason: string;
  attachment_count: number;
}

/** A type of file that may not be attached. */
export interface FileTypeItem {
  /** Without the dot. */
  extension: string;
  description: string;
}

// ----------------------------------------------------------------------------------------------------------------- errors

/** What went wrong. The set is closed for a release, and a code is never renamed. Beyond the vendor. */
export type SportelloErrorCode =
  /** The call was abandoned through its `AbortSignal`. */
  | "aborted"
  /** The queue takes no chats at this hour: `getAfterHourMessage` has what to say. */
  | "after_hours"
  /** The site's `authenticate` function failed or gave no token. Retryable. */
  | "authentication_failed"
  /** The chat is over. */
  | "chat_ended"
  /** The client was closed. */
  | "closed"
  /** No company has this key. */
  | "company_unknown"
  /** The chat is not in a state that allows the call; `status` is 409. */
  | "conflict"
  /** The file of a message did not survive the reload of the page. */
  | "file_lost"
  /** The chat or action belongs to someone else. */
  | "forbidden"
  /** The end user changed while the call was waiting; it was not carried out. */
  | "identity_changed"
  /** A fault of the SDK or the gateway. After a fault of the SDK only a new page recovers. */
  | "internal"
  /** An argument is missing, malformed or of the wrong type. */
  | "invalid_argument"
  /** The gateway could not be reached. Retryable. */
  | "network"
  /** There is no ongoing chat. */
  | "no_chat"
  /** There is no such menu or chat. */
  | "not_found"
  /** The page's origin is not among the company's allowed origins. */
  | "origin_forbidden"
  /** The gateway said something that cannot be read. */
  | "protocol"
  /** Too many requests: wait for `retryAfterMs`. Retryable. */
  | "rate_limited"
  /** The browser refuses storage, or it is full: text typed offline does not survive a reload. */
  | "storage_unavailable"
  /** `sendTimeoutMs` or `callTimeoutMs` passed. Retryable. */
  | "timeout"
  /** The site's token has expired. Retryable. */
  | "token_expired"
  /** The site's token is malformed, unsigned or signed with another key. */
  | "token_invalid"
  /** The text or body is larger than allowed. */
  | "too_large"
  /** The session is missing, refused or expired. Retryable. */
  | "unauthorized"
  /** The gateway is overloaded, restarting or cannot write. Retryable. */
  | "unavailable"
  /** The platform or this release does not offer the call. */
  | "unsupported"
  /** The WebAssembly module, or a part of the package that this call needs, could not be loaded; the next call tries again. Retryable. */
  | "wasm_load_failed";

/**
 * What every rejection and every `error` event is: a real `Error`. Recognise it with {@link isSportelloError}, not with `instanceof`. Its message
 * is for developers and shows neither a token nor a message's text. Beyond the vendor, except `status`.
 */
export interface SportelloError extends Error {
  name: "SportelloError";
  readonly code: SportelloErrorCode;
  /** The HTTP status, where HTTP spoke. */
  readonly status?: number;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  /** How long to wait before the next try, in milliseconds, where the gateway said so. */
  readonly retryAfterMs?: number;
  /** What is wrong with which answer, where `submitForm` was refused for that. */
  readonly fields?: readonly FormProblem[];
  /** What lies beneath, such as the failed download. */
  cause?: unknown;
}

/** Whether `value` is a SportelloError, also one of another frame or another copy of this package. Beyond the vendor. */
export function isSportelloError(value: unknown): value is SportelloError;

// ------------------------------------------------------------------------------------------------------------------ events

/**
 * A session of screen share. The vendor does not publish what its events give; these members are those that Cobrowse.io declares for its own sessions
 * (`cobrowse-sdk-js` 3.28.6), so that the same code works with either.
 */
export interface CobrowseSession {
  /** Its number within the chat. Beyond Cobrowse.io, whose sessions do not have it. */
  readonly id?: number;
  /** `view`, `pointer`; with Cobrowse.io, its own words. */
  readonly capabilities: string[];
  readonly created: Date;
  /** When it ends by itself, as things stand. */
  readonly expires: Date;
  readonly activated: Date | null;
  readonly updated: Date | null;
  readonly ended: Date | null;
  /** The code that the agent needs, where there is one. */
  code(): string | undefined;
  /** `pending` (waits for the agent), `authorizing` (the end user is asked), `active` or `ended`. */
  state(): "pending" | "authorizing" | "active" | "ended";
  isPending(): boolean;
  isAuthorizing(): boolean;
  isActive(): boolean;
  isEnded(): boolean;
  /**
   * `device_ended`, `agent_ended`, `pending_timeout`, `authorizing_timeout`, `active_timeout` or `limit_enforcement`, as Cobrowse.io has them; of ours `denied`,
   * `chat_ended`, `agent_changed`, `replaced` or `failed`. Treat it as an open string.
   */
  endedReason(): string | undefined;
  /** Who looks, once that is known. */
  agent(): object | false;
  /** `false`, except with Cobrowse.io. */
  fullDevice(): boolean;
  /** `off`, except with Cobrowse.io. */
  remoteControl(): string;
  /** Asks the end user, where that is what it waits for; never without their yes. */
  activate(): Promise<CobrowseSession>;
  /** Ends it, at any time. */
  end(): Promise<CobrowseSession>;
}

/** What listeners are called with, by the event's name. */
export interface ClientEventMap {
  /** The client can communicate. */
  ready: [];
  /** The token was accepted. */
  authenticated: [];

  /** There is an ongoing chat. */
  "chat.ongoing": [chat: Chat];
  /** The chat's state changed; `client.chat` has it already. */
  "chat.updated": [chat: Chat];
  /** A message, also the end user's own. Each listener sees each message once, in the server's order. */
  "chat.message": [message: MessageResponse];
  "chat.memberJoined": [identity: Identity];
  "chat.memberLeft": [identity: Identity];
  "chat.typingStarted": [identity: Identity];
  "chat.typingEnded": [identity: Identity];
  /** The conversation is joined. Once for each chat and page, and after a resume; see `chat.reconnected`. */
  "chat.connected": [chat: Chat];
  /** The conversation is left: the stream broke, or the chat is over. */
  "chat.disconnected": [chat: Chat];
  /** The chat was dismissed for inactivity. */
  "chat.dismissed": [];
  "chat.timeout": [];
  /** The chat is over; once more where what followed it (`updatePostSession`) is over too. */
  "chat.ended": [chat: Chat];
  /** After `destroyChat`. */
  "chat.destroyed": [];

  /** An agent asks to see the page; `from` is `agent`. Nothing happens until the application calls `startCobrowse(from)`. */
  "cobrowse.request": [from: string];
  /** There is a session of screen share on this page, new or restored. With Cobrowse.io it is that SDK's own object. */
  "cobrowse.loaded": [session: CobrowseSession];
  /** The session moved on. */
  "cobrowse.updated": [session: CobrowseSession];
  /** The session is over, once for each; `session.endedReason()` says why. */
  "cobrowse.ended": [session: CobrowseSession];

  /** Something failed: in the background, or in a method that reports failure by its return value. Beyond the vendor. */
  error: [error: SportelloError];
  /** The stream is back after a break; what was missed follows as `chat.message`. Beyond the vendor. */
  "chat.reconnected": [chat: Chat];
  /** A message of this client moved on. Beyond the vendor. */
  "chat.delivery": [delivery: Delivery];
  /** More of a file has left the browser. Beyond the vendor. */
  "chat.uploadProgress": [progress: UploadProgress];
  /** The number of messages that the end user has not seen; see `markRead`. Beyond the vendor. */
  "chat.unread": [count: number];
  /** The event stream's state changed. Beyond the vendor. */
  connection: [state: ConnectionState];
}

/** The name of an event that this package knows. */
export type ClientEvent = keyof ClientEventMap;

/** A listener of the event `E`. */
export type ClientListener<E extends ClientEvent> = (...args: ClientEventMap[E]) => void;

// ----------------------------------------------------------------------------------------------------------------- client

/**
 * A chat client for one end user and one company. It exists at once; its WebAssembly core is loaded in the background, and calls and listeners
 * wait for it. Safe to import on a server.
 */
export class Client {
  /** Starts loading and signing in. Throws a SportelloError `invalid_argument` where an option is missing or of the wrong type. */
  constructor(options: ClientOption);

  /**
   * The ongoing chat, null for none; readable and assignable. Assigning another chat loads it, assigning null puts the current one aside without
   * ending it.
   */
  chat: Chat | null | undefined;

  /** How many messages of agents and virtual agents arrived since the last `markRead`. Beyond the vendor. */
  readonly unreadCount: number;
  /** The messages that the gateway has not stored yet, oldest first. Beyond the vendor. */
  readonly outbox: readonly OutboxEntry[];
  /** The messages of the ongoing chat that are in memory, in order. Beyond the vendor. */
  readonly messages: readonly MessageResponse[];
  /** The event stream's state. Beyond the vendor. */
  readonly connection: ConnectionState;

  /**
   * Calls `listener` on every `event` from now on; once, however often it is added. A listener that throws hurts no other, and its error is
   * reported as an uncaught one. Names unknown to this package are accepted. Throws `invalid_argument` where the listener is no function.
   */
  on<E extends ClientEvent>(event: E, listener: ClientListener<E>): void;
  on<E extends string>(event: E extends ClientEvent ? never : E, listener: (...args: any[]) => void): void;

  /** Removes a listener; does nothing where it is not registered. */
  off<E extends ClientEvent>(event: E, listener: ClientListener<E>): void;
  off<E extends string>(event: E extends ClientEvent ? never : E, listener: (...args: any[]) => void): void;

  /** Calls the listeners of `event`. Not documented by the vendor, but integrations replay events with it. */
  _triggerEvent<E extends ClientEvent>(event: E, ...args: Partial<ClientEventMap[E]>): void;
  _triggerEvent<E extends string>(event: E extends ClientEvent ? never : E, ...args: unknown[]): void;

  /** Says that the end user has seen all messages: `unreadCount` becomes 0. Beyond the vendor. */
  markRead(): void;

  /**
   * Ends the connection, takes all listeners off and rejects what is waiting with `closed`. The chat goes on, and unsent text stays stored for a
   * later page. May be called again. Beyond the vendor.
   */
  close(): void;

  /** The same as `close()`, by the vendor's name. */
  destroy(): void;

  /**
   * The newest 200 entries of the log of all clients of the page, oldest first: a copy, there also where the core could not be loaded. The vendor's shape is
   * not published.
   */
  getLogs(): LogEntry[];

  // company and menus

  /**
   * The question to ask the visitor of this page now, or null. Giving one counts as asking: each is given at most once a day per visitor, but again to the same
   * page while it still matches.
   */
  getTrigger(options?: CallOptions): Promise<TriggerItem | null>;

  /**
   * Watches the page, also where its address changes without a load, and calls `cb` with each question when its conditions come to hold, each at most once a day
   * per visitor. Resolves once it watches, which ends with `close()`, `destroy()` or the `signal`. A later call replaces `cb`.
   */
  runTrigger(cb: (trigger: TriggerItem) => void, options?: CallOptions): Promise<void>;

  /** What the gateway and the company offer; what a single chat offers is in its `features`. */
  getFeatureFlags(options?: CallOptions): Promise<FeatureFlagsResponse>;

  /** The company. */
  getCompany(options?: CallOptions): Promise<CompanyResponse>;

  /** The text to show outside opening hours, `""` where the company has none. */
  getAfterHourMessage(lang?: string, options?: CallOptions): Promise<string>;

  /** The menus; `key` is a direct access key, `lang` a BCP 47 tag. */
  getMenus(key?: string, lang?: string, options?: CallOptions): Promise<MenuResponse>;

  /** The expected waiting times of a menu, in seconds. Rejects with `not_found` where there is no such menu. */
  getWaitTimes(menuId: Id, lang?: string, options?: CallOptions): Promise<WaitTimeResponse>;

  // calls

  /**
   * Asks to be called, as soon as somebody is free or at `scheduled_at`. Rejects with `invalid_argument` where the number cannot be one, `conflict` where the
   * time is not to be had (any more) or the queue is not reached by telephone, `after_hours` where it is closed and no time was given, and `rate_limited`
   * where the end user has asked for as many calls as one can. The same request again, after its answer was lost, asks only once.
   */
  createCall(menuId: Id, data: CallRequest, options?: CallOptions): Promise<CallResponse>;

  /** A requested call as it stands now. Rejects with `not_found` where it is not this end user's. */
  loadCall(callId: Id, options?: CallOptions): Promise<CallResponse>;

  /** Cancels a requested call; one that is canceled stays so. Rejects with `conflict` once the agent dials, or the call is over. */
  cancelCall(callId: Id, options?: CallOptions): Promise<CallResponse>;

  /**
   * Moves a call that no agent has yet to another of the times of `getTimeSlots`. Rejects with `conflict` where that time is not to be had, or an agent has the
   * call. Beyond the vendor.
   */
  rescheduleCall(callId: Id, scheduledAt: string, options?: CallOptions): Promise<CallResponse>;

  /**
   * Times (ISO 8601) at which a call can be scheduled, the first one first. Takes a language or, as newer vendor releases do, an object; its strings, numbers and
   * booleans go to the platform. The embedded platform needs none: `useAdvancedCallScheduling` changes nothing there.
   */
  getTimeSlots(menuId: Id, slotOptions?: string | Record<string, unknown>, options?: CallOptions): Promise<string[]>;

  /** The slots of a menu with what is free in each. Takes what `getTimeSlots` takes. */
  fetchTimeSlotAvailability(menuId: Id, slots?: string | Record<string, unknown>, options?: CallOptions): Promise<TimeSlotAvailability>;

  // chat life cycle

  /**
   * Starts a chat in the queue of `menuId` and joins it. Rejects with `not_found` for an unknown menu, `after_hours` where its queue is closed at this hour,
   * and `conflict` where it takes no chats or a chat is ongoing.
   */
  createChat(menuId: Id, data?: ChatRequest, options?: CallOptions): Promise<Chat>;

  /** Loads a chat of this end user. Rejects with `not_found` or `forbidden`. */
  loadChat(chatId: Id, options?: CallOptions): Promise<Chat>;

  /** The ongoing chat, also one that was started before a reload; null (and nothing kept) where there is none. */
  loadOngoingChat(options?: CallOptions): Promise<Chat | null>;

  /** Resumes a dismissed chat and makes it the current one. Rejects with `conflict` (`status` 409) where it is not dismissed. */
  resumeChat(chatId: Id, options?: CallOptions): Promise<Chat>;

  /** Ends the ongoing chat. Rejects with `no_chat` where there is none. */
  finishChat(options?: CallOptions): Promise<void>;

  /** Ends the ongoing chat and forgets it, on this device too. */
  destroyChat(options?: CallOptions): Promise<void>;

  /**
   * Confirms that the end user is still there, after a `noti` message `checkInRequired`. Gives the chat's state. Rejects with `no_chat`, or `conflict` where
   * nothing is to be confirmed.
   */
  checkIn(options?: CallOptions): Promise<ChatResponse>;

  /**
   * Enters the queue again after a missed check-in (`checkInTimedOut`, status `checked_out`), in front or at the end as the queue wants it. Gives the chat's
   * state. Rejects with `no_chat`, or `conflict` where no check-in was missed.
   */
  rejoinChat(options?: CallOptions): Promise<ChatResponse>;

  /**
   * Says that the prompt of a `checkInRequired` is shown: the time to answer begins anew, once. Gives the chat's state. Rejects with `no_chat`, or `conflict`
   * where no check-in is required.
   */
  notifyCheckInState(options?: CallOptions): Promise<ChatResponse>;

  // messages

  /** All messages of the ongoing chat, in order; live messages wait meanwhile. `[]` on failure, with the reason in an `error` event. */
  fetchMessages(options?: CallOptions): Promise<MessageResponse[]>;

  /**
   * Sends a text. Resolves when the gateway has stored it; stays pending while offline, see `outbox` and `chat.delivery`. Rejects with `no_chat`,
   * `chat_ended`, `identity_changed`, `invalid_argument` or `too_large`, and with `timeout` after `sendTimeoutMs`.
   */
  sendTextMessage(rawContent: string, options?: CallOptions): Promise<void>;

  /**
   * Sends a file and resolves to its message's index once the gateway has stored both; -1 on failure, with the reason in an `error` event. By the file's
   * type it is shown as `photo`, `video`, `audio` or `document`. Waits in the outbox like a text; aborting the `signal` cancels the upload. Over a reload the
   * browser's IndexedDB keeps the file, and where it does not, the message fails with `file_lost`. Rejects with `invalid_argument` where it is no `File` or
   * `Blob`.
   */
  sendFileMessage(file: File, options?: SendFileOptions): Promise<number>;

  /**
   * Shows the agent what the end user has typed so far; `""` takes it back. May be called on every key stroke: at most one preview goes out every 2 seconds,
   * the last one always, and sending a message clears it. Resolves once it is taken, whether it arrives or not. Only where the chat's `features` have
   * `preview`; rejects otherwise with `unsupported`, and with `no_chat`, `chat_ended`, `invalid_argument`, or `too_large` above 64 KiB.
   */
  sendPreviewMessage(content: string, options?: CallOptions): Promise<void>;

  /**
   * The file of a message with its name and type, also one of `getChatHistory`; null where it has none, or only a link to somewhere else. Rejects with
   * `not_found`, `no_chat` or `invalid_argument`.
   */
  getMessageAttachment(message: MessageResponse, options?: CallOptions): Promise<File | null>;

  /**
   * Earlier chats with their messages, newest first; pages count from 1, and `pagination.next_page` is -1 on the last. Chats that the end user dropped with
   * `destroyChat` are only named in `missing_chat_ids`. Rejects with `invalid_argument`.
   */
  getChatHistory(page?: number, options?: CallOptions): Promise<ChatHistoryResponse>;

  // forms

  /** The questions of a custom form; `message` is the one of the type `form`. Beyond the vendor. Rejects with `no_chat`, `not_found` or `invalid_argument`. */
  getForm(message: MessageResponse, options?: CallOptions): Promise<FormResponse>;

  /**
   * Sends the answers to a custom form and resolves to the `$index` of the message that says so. The same answers again, after an error, are stored once.
   * Beyond the vendor. Rejects with `invalid_argument`, where `fields` of the error tells which answer is wrong, `conflict` where the form was answered
   * before, `no_chat` or `not_found`.
   */
  submitForm(message: MessageResponse, answers: readonly FormAnswer[], options?: CallOptions): Promise<number>;

  /**
   * Waits until the browser form in this frame is filled in, says so in the chat, and resolves to that message's `$index`. A frame without `src` gets the
   * form's address, and a `sandbox` where it has none. Only a message from that very frame counts, with the form's signature, and from the form's
   * origin where it is not opaque. Beyond the vendor. Rejects with `invalid_argument`, and as `chat.sendMessage` does; abandon it by its `signal`.
   */
  attachBrowserForm(message: MessageResponse, iframe: HTMLIFrameElement, options?: CallOptions): Promise<number>;

  // deflection, transcripts, surveys

  /** How the ongoing chat may be deflected as its queue stands now; without a chat, what the company offers by default. */
  getChatDeflection(options?: CallOptions): Promise<ChatDeflectionResponse>;

  /**
   * Sends the transcript of the chat, also of one that is over, to one to five addresses. Resolves when the gateway has taken the request durably; the mails
   * leave soon after. Rejects with `no_chat`, `invalid_argument`, `rate_limited` where too many were asked for in a day, or `unsupported` where the company
   * (`email_transcripts`) or the gateway sends none.
   */
  sendChatTranscripts(emails: string[], options?: CallOptions): Promise<void>;

  /**
   * Starts making a PDF of the current chat's transcript, during the chat or after it, in the client's `lang` and the browser's time zone. While the chat
   * does not change it is the same one again. Rejects with `no_chat`, and with `rate_limited` where the chat or the end user had too many today.
   */
  downloadChatTranscript(options?: CallOptions): Promise<GenerateTranscriptResponse>;

  /**
   * How far that PDF of the current chat is; ask again every second or so while it is `pending`. The file can be fetched for a day. Rejects with
   * `not_found` for a number that is not one of this chat's.
   */
  getPdfStatus(id: number, options?: CallOptions): Promise<RequestReturn>;

  /**
   * What the chat's queue asks after a chat, in the client's language, or in the chat's. There is something to ask while the `features` of the chat that
   * ended have `survey`. Rejects with `not_found` where the queue asks nothing, and with `no_chat`.
   */
  getChatSurvey(options?: CallOptions): Promise<ChatSurveyResponse>;

  /**
   * Sends the answers, once, after the end of the chat; what is left out is not answered. The same answers again resolve too. Rejects with
   * `invalid_argument`, where `fields` of the error tells which answer is wrong, `conflict` while the chat goes on, or where other answers were sent before,
   * `not_found` where the queue asks nothing, and `no_chat`.
   */
  sendChatSurvey(answers: SurveyAnswers, options?: CallOptions): Promise<void>;

  /**
   * Rates the chat that ended, once, from 1 to 5. The same again resolves too. Its `features` have `rating` while it can be rated. Rejects with
   * `invalid_argument`, `too_large` for a feedback above 16 KiB, `conflict` while the chat goes on, or where it was rated otherwise before, and `no_chat`.
   */
  sendChatRate(data: RateRequest, options?: CallOptions): Promise<void>;

  // escalation and tracking

  /** Asks for a person instead of the virtual agent. Rejects with `no_chat` or `conflict`. */
  escalateChat(data?: EscalateRequest, options?: CallOptions): Promise<void>;

  /**
   * Records the deflection channel that the end user chose among the options of an `escalationDeflected` message. On the embedded platform `human_agent`
   * enters the queue all the same, and `external_link` ends the chat. Rejects with `no_chat`, `not_found`, `invalid_argument`, or `conflict` where another
   * channel was chosen before.
   */
  trackChatEscalation(escalationId: number, channel: string, options?: CallOptions): Promise<void>;

  /**
   * Records something that the end user did, for the agent to see; `end_user_name` also changes the name that the agent sees. Rejects with `no_chat` or
   * `invalid_argument`.
   */
  trackChatEndUserEvent(data: ChatEndUserEventRequest, options?: CallOptions): Promise<void>;

  // e-mail

  /**
   * Sends an e-mail to the queue, with files. Resolves on success and on failure: look at `status` and `fail_reason`. The same message again, while
   * its outcome is not known, is sent once. Rejects only with `invalid_argument` for arguments of a wrong type, `aborted` and `closed`.
   */
  createEmail(menuId: Id, data: EmailRequest, options?: CallOptions): Promise<EmailResponse>;

  /** What may not be attached, by the ending of its name. */
  getProhibitedFileTypes(options?: CallOptions): Promise<FileTypeItem[]>;

  // screen share

  /**
   * A code of six digits for the end user to read to the agent, who types it in; then the end user is asked. `""` on failure, with an `error` event: no chat with an agent, screen share is not
   * offered (`unsupported`), this page or another is shared already (`conflict`). Rejects with `invalid_argument` for arguments or options that cannot be meant. `lang` is
   * the language of the dialogs; `customData`, up to 20 entries, is shown to the agent.
   */
  createCobrowseCode(lang?: string, customData?: Record<string, string>, options?: CallOptions): Promise<string>;

  /**
   * Shares this page with the agent of the chat, once the end user agreed: resolves when they are being asked, and the events tell what became of it. `from` is what
   * `cobrowse.request` gave, or `end_user` by default. Nothing new is asked where the end user is asked, or has agreed, already. Rejects with `no_chat`,
   * `conflict` where there is no agent or another page is shared, `unsupported` where the company, the chat or the platform does not offer it, `unavailable` where the browser is too old, or `invalid_argument`.
   */
  startCobrowse(from?: string, options?: CallOptions): Promise<void>;

  /**
   * Goes on with what the page shared before it was loaded anew in the same tab; the end user is not asked again for what they agreed to. Gives the session, also
   * one that is there already, or null. The client does so by itself where `cobrowse.enabled`. Documented for the vendor's client from release 4.26 on, without its shape.
   */
  restoreCobrowseSession(options?: CallOptions): Promise<CobrowseSession | null>;

  // post-session virtual agent

  /**
   * Moves on what follows the human part of a chat that `post_session_required` announces: `ready` once the page can show it, then `in_progress`, which lets
   * its virtual agent begin; `waiting` where the end user puts it aside, until the next message; `finished` at any time. `optInSelection` is what the end
   * user answered where `post_session_opt_in_required`: `true`, or `false`, which is the end of it whatever `status` says. The vendor does not publish
   * what it takes; that it is a boolean is ours.
   *
   * The chat's `status` stays `finished`; while `post_session_transfer_status` is `in_progress` or `waiting` messages go both ways as before, and with its end
   * `chat.ended` comes once more. The same step again changes nothing. Rejects with `conflict` where the step is not the next one, or nothing
   * follows, and with `no_chat` or `invalid_argument`.
   */
  updatePostSession(status: PostSessionStatus, optInSelection?: unknown, options?: CallOptions): Promise<void>;
}

/** The states of a post-session virtual agent. */
export type PostSessionStatusValue = "ready" | "in_progress" | "waiting" | "finished";

/** The states of a post-session virtual agent, by name. */
export const PostSessionStatus: {
  readonly READY: "ready";
  readonly IN_PROGRESS: "in_progress";
  readonly WAITING: "waiting";
  readonly FINISHED: "finished";
};
/** One of the values of the constant of this name. */
export type PostSessionStatus = PostSessionStatusValue;

// ---------------------------------------------------------------------------------------------------- loading and logging

/**
 * Loads the WebAssembly core ahead of the first client, or from elsewhere. Calls share one load; a failed one rejects with `wasm_load_failed` and
 * the next call tries again, from the last given source. A source given after the core was loaded is ignored. Beyond the vendor.
 */
export function initWasm(source?: WasmInput): Promise<void>;

/** One line of the log. Shows neither a token nor a message's text. Beyond the vendor, whose shape is not published. */
export interface LogEntry {
  level: "debug" | "info" | "warn" | "error";
  message: string;
  /** Milliseconds since 1970, UTC. */
  atMs: number;
}

/** The log of all clients of the page. */
export const Logger: {
  /** Calls `handler` with every entry from now on; the returned function removes it. */
  readonly addHandler: (handler: (entry: LogEntry) => void) => () => void;
};

/** A handler that writes to the browser's console. */
export const consoleLoggerHandler: (entry: LogEntry) => void;
