// The calls that few chats make: checks their arguments, and says what is asked of the gateway and what becomes of the answer. Loaded with the first of
// them. Sends nothing and knows nothing of the chat: sessions, order, retries and the current chat are the core's.

const refuse = (code, message) => {
  throw Object.assign(new Error(message), { code });
};
const check = (holds, message) => holds || refuse("invalid_argument", message);

const isText = (value) => typeof value === "string" && value !== "";
const isNumber = (value) => Number.isSafeInteger(value) && value >= 0;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** A number, or its digits. */
function id(value, name) {
  check(isNumber(value) || (isText(value) && /^\d{1,15}$/.test(value)), `${name} must be a whole number, or a string of digits.`);
  return Number(value);
}

/** Something that arrives as it is: JSON leaves out functions, and fails on a cycle or a BigInt. */
function writable(value, name) {
  let json;
  try {
    json = JSON.stringify(value);
  } catch {
    // Reported below.
  }
  check(json !== undefined, `${name} must be something that can be written as JSON.`);
  return value;
}

function query(lang, fallback) {
  check(lang == null || typeof lang === "string", "lang must be a string.");
  const chosen = lang ?? fallback;
  return chosen == null ? "" : `?lang=${encodeURIComponent(chosen)}`;
}

/** What slots are asked for with: a language or, as newer releases of the vendor's client do, an object, which goes on as it is. */
function slots(options, fallback) {
  if (!isObject(options)) return query(options, fallback);
  const { lang, ...others } = options;
  const words = Object.entries(others).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  const more = new URLSearchParams(words).toString();
  const chosen = query(lang, fallback);
  return more ? `${chosen}${chosen ? "&" : "?"}${more}` : chosen;
}

/** The chats of messages that `getChatHistory` gave: their files are not those of the current chat. */
const chatOf = new WeakMap();

function history(page) {
  for (const chat of page.chats) {
    for (const entry of chat.entries) {
      entry.$timestamp = new Date(entry.$timestamp);
      chatOf.set(entry, chat.comm_id);
    }
  }
  return page;
}

const OWN_MEDIA = /^\/api\/v1(\/chats\/\d+\/media\/\d+)$/;

/** Where the file of a message is; undefined where it has none, or only a link to somewhere else. */
function place(message) {
  const chat = chatOf.get(message);
  if (isNumber(message.media_id)) {
    const path = `/media/${message.media_id}`;
    return chat === undefined ? { scope: "chat", path } : { path: `/chats/${chat}${path}` };
  }
  const own = OWN_MEDIA.exec(message.document?.url);
  return own ? { path: own[1] } : undefined;
}

function form(message, method) {
  const { type, form } = isObject(message) ? message : {};
  check(type === "form" && isNumber(form?.smart_action_id), `${method}(message) takes a message of the type form.`);
  return `/forms/${form.smart_action_id}`;
}

/** The newest submission of each form, or request for a call, whose answer did not come: the same again is the same submission. */
const submissions = new Map();

function submission(path, answers) {
  const json = JSON.stringify(answers);
  if (submissions.get(path)?.json !== json) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    submissions.set(path, { json, key: Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") });
  }
  return submissions.get(path).key;
}

/** Another chunk. An import that fails has no code of its own. */
const chunk = (loading) => loading.catch(() => refuse("wasm_load_failed", "A part of the package could not be loaded."));

const TIME = "scheduled_at must be an ISO 8601 time that is not empty.";
const changeCall = (callId, body) => ({ verb: "PATCH", path: `/calls/${id(callId, "callId")}`, body, answer: "json" });

const triggers = () => chunk(import("./triggers.js"));

/** The package's own client, by which a chunk asks further. */
const own = ({ client }) => client ?? refuse("invalid_argument", "This call is only made by the package's own Client.");

const screenShare = () => chunk(import("./screen-share.js"));

async function share(args, method, signal) {
  const client = own(args);
  return (await screenShare())[method](client, args, signal);
}

const state = (path, body) => ({ verb: "POST", scope: "chat", path, body, answer: "json", finish: ({ chat }) => chat });

/** The clock that people here read; the gateway takes the company's where the browser does not say. */
const timezone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The gateway says in a header where a transcript stands; its body says the same, and is the transcript once it is there. */
async function transcript(blob) {
  let data = { status: "pending" };
  if (blob.type.startsWith("application/pdf")) {
    data = { status: "finished", body: new File([blob], "transcript.pdf", { type: "application/pdf" }) };
  } else {
    // What cannot be read is asked for again.
    const { status, failed_reason } = await blob.text().then(JSON.parse).catch(() => data);
    if (isText(status)) data = { status, ...(isText(failed_reason) && { failed_reason }) };
  }
  return { headers: { "x-transcript-status": data.status }, data };
}

const STEPS = ["ready", "in_progress", "waiting", "finished"];

const PLANS = {
  getAfterHourMessage: ([lang], fallback) => ({ path: `/after_hours_message${query(lang, fallback)}`, answer: "json", finish: ({ message }) => `${message}` }),

  getChatDeflection: (_, fallback) => ({ scope: "either", path: `/deflection${query(undefined, fallback)}`, answer: "json" }),

  trackChatEscalation([escalationId, channel]) {
    const path = `/escalations/${id(escalationId, "escalationId")}`;
    check(isText(channel), "channel must be a string that is not empty.");
    return { verb: "PATCH", scope: "chat", path, body: { deflection_channel: channel } };
  },

  trackChatEndUserEvent([data]) {
    check(isObject(data), "trackChatEndUserEvent(data) takes an object.");
    return { verb: "POST", scope: "chat", path: "/events", body: writable(data, "data") };
  },

  downloadChatTranscript(_, lang) {
    const body = { ...(lang && { lang }), ...(timezone() && { timezone: timezone() }) };
    return { verb: "POST", scope: "chat", path: "/transcripts", body, answer: "json" };
  },

  getPdfStatus: ([given]) => ({ scope: "chat", path: `/transcripts/${id(given, "id")}`, answer: "file", finish: transcript }),

  getChatHistory([given]) {
    const page = given ?? 1;
    check(isNumber(page) && page > 0, "page must be a whole number from 1 on.");
    return { path: `/chat_history?page=${page}`, answer: "json", finish: history };
  },

  getChatSurvey: (_, fallback) => ({ scope: "chat", path: `/survey${query(undefined, fallback)}`, answer: "json" }),

  sendChatSurvey([answers]) {
    const given = isObject(answers) ? Object.entries(answers) : [];
    const isAnswer = ([id, value]) => /^\d{1,15}$/.test(id) && (typeof value === "string" || Number.isFinite(value));
    check(given.length > 0 && given.every(isAnswer), "sendChatSurvey(answers) takes an object with a string or a number for the id of each question that is answered.");
    return { verb: "POST", scope: "chat", path: "/survey", body: { answers: Object.fromEntries(given) } };
  },

  sendChatRate([data]) {
    check(isObject(data), "sendChatRate(data) takes an object.");
    const { rating, feedback } = data;
    check(isNumber(rating) && rating > 0 && rating < 6, "rating must be a whole number from 1 to 5.");
    check(feedback == null || typeof feedback === "string", "feedback must be a string.");
    return { verb: "POST", scope: "chat", path: "/rating", body: { rating, feedback: feedback ?? undefined } };
  },

  checkIn: () => state("/check_in", { state: "confirmed" }),
  notifyCheckInState: () => state("/check_in", { state: "notified" }),
  rejoinChat: () => state("/rejoin", {}),

  getMessageAttachment([message]) {
    check(isObject(message), "getMessageAttachment(message) takes a message.");
    const found = place(message);
    if (!found) return { finish: () => null };
    const { name, content_type } = isObject(message.media) ? message.media : {};
    const finish = (blob) => {
      const file = new File([blob], name || `${message.type}-${message.$index}`, { type: content_type || blob.type });
      // The message may be frozen; the file is given all the same.
      Reflect.set(message, "file", file);
      return file;
    };
    return { ...found, answer: "file", finish };
  },

  createCall([menuId, data], fallback) {
    const path = `/menus/${id(menuId, "menuId")}/calls`;
    check(isObject(writable(data, "data")) && isText(data.phone_number), "createCall(menuId, data) takes an object with a phone_number.");
    check(data.scheduled_at == null || isText(data.scheduled_at), TIME);
    const call = { lang: fallback, ...data };
    const finish = (answer) => {
      submissions.delete(path);
      return answer;
    };
    return { verb: "POST", path, body: { client_id: submission(path, call), call }, answer: "json", finish };
  },

  loadCall: ([callId]) => ({ path: `/calls/${id(callId, "callId")}`, answer: "json" }),
  cancelCall: ([callId]) => changeCall(callId, { status: "canceled" }),

  rescheduleCall([callId, scheduledAt]) {
    check(isText(scheduledAt), TIME);
    return changeCall(callId, { scheduled_at: scheduledAt });
  },

  getTimeSlots: ([menuId, options], fallback) => ({
    path: `/menus/${id(menuId, "menuId")}/time_slots${slots(options, fallback)}`,
    answer: "json",
    finish: ({ time_slots }) => time_slots,
  }),

  fetchTimeSlotAvailability: ([menuId, options], fallback) => ({
    path: `/menus/${id(menuId, "menuId")}/time_slot_availability${slots(options, fallback)}`,
    answer: "json",
  }),

  getForm: ([message], fallback) => ({ scope: "chat", path: form(message, "getForm") + query(undefined, fallback), answer: "json" }),

  submitForm([message, answers]) {
    const path = form(message, "submitForm");
    const isAnswer = (answer) => isObject(answer) && answer.question_id != null && answer.value !== undefined;
    check(Array.isArray(answers) && answers.every(isAnswer), "submitForm(message, answers) takes an array of { question_id, value }.");
    const body = { client_id: submission(path, writable(answers, "answers")), form_response: answers };
    const finish = ({ index }) => {
      submissions.delete(path);
      return index;
    };
    return { verb: "POST", scope: "chat", path, body, answer: "json", finish };
  },

  createEmail: async (args, fallback) => (await chunk(import("./email.js"))).plan(args, fallback),
  getProhibitedFileTypes: () => ({ path: "/prohibited_file_types", answer: "json", finish: ({ file_types }) => file_types }),

  sendChatTranscripts([emails], fallback) {
    const path = "/transcript_mails";
    check(Array.isArray(emails) && emails.length > 0 && emails.every(isText), "sendChatTranscripts(emails) takes an array of addresses.");
    const body = { client_id: submission(path, emails), emails, lang: fallback ?? undefined };
    return { verb: "POST", scope: "chat", path, body, finish: () => void submissions.delete(path) };
  },

  updatePostSession([status, selection]) {
    check(STEPS.includes(status), `status must be one of ${STEPS.join(", ")}.`);
    check(selection == null || typeof selection === "boolean", "optInSelection must be true or false.");
    return { verb: "PATCH", scope: "chat", path: "/post_session", body: { status, opt_in_selection: selection ?? null } };
  },

  getFeatureFlags: () => ({ path: "/feature_flags", answer: "json", finish: ({ flags }) => flags }),

  async getTrigger(args, fallback) {
    const client = own(args);
    const { current } = await triggers();
    return { path: `/triggers${query(undefined, fallback)}`, answer: "json", finish: (answer) => current(client, answer) };
  },

  async runTrigger(args, fallback) {
    const [cb, options] = args;
    check(typeof cb === "function", "runTrigger(cb) takes a function.");
    const client = own(args);
    const { watch } = await triggers();
    return { path: `/triggers${query(undefined, fallback)}`, answer: "json", finish: (answer) => watch(client, answer, cb, options?.signal) };
  },

  // What the chunk asks by itself.
  attachTriggers: async (args, _, signal) => (await triggers()).plan(args, signal),
  countTrigger([trigger_id]) {
    check(isText(trigger_id), "countTrigger(id) takes the id of a trigger.");
    return { verb: "POST", path: "/trigger_runs", body: { trigger_id }, answer: "json" };
  },

  createCobrowseCode: (args, _, signal) => share(args, "createCode", signal),
  startCobrowse: (args, _, signal) => share(args, "start", signal),
  restoreCobrowseSession: (args, _, signal) => share(args, "restore", signal),
  // What the chunk asks by itself.
  askScreenShare: async (args) => (await screenShare()).plan(args),
  attachScreenShare: async (args) => (await screenShare()).plan(args),

  attachBrowserForm: async (args, _, signal) => (await chunk(import("./forms.js"))).plan(args, signal),
};

/** The plan of a call; throws an error with a `code` where its arguments are refused. `signal` ends what takes its time. */
export function plan(method, args, lang, signal) {
  if (!Object.hasOwn(PLANS, method)) refuse("unsupported", `${method} is not offered by this release.`);
  return PLANS[method](Array.isArray(args) ? args : [], lang, signal);
}
