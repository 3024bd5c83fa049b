//! REST bodies of the end-user API and of the agent desk, as serde types. Field names of vendor shapes are the vendor's
//! (`headless-client.d.ts`); ours are listed in `docs/protocol.md`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

/// The body of every refusal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong, for a program and for its developer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ErrorDetail {
    /// One of [`crate::ErrorCode`].
    pub code: String,
    /// What to do about it. Never repeats a token or a message's text.
    pub message: String,
    /// How long to wait, beside the `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Which answers of a form or a survey are wrong, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<FormProblem>>,
}

/// `POST /api/v1/sessions`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SessionRequest {
    /// The company key.
    pub company_id: String,
    /// The JWT that the site signed with the company secret.
    pub token: String,
    /// Names the end user where the JWT has no `identifier`: 43 characters of base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_user_secret: Option<String>,
}

/// A session of one end user.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SessionResponse {
    /// The bearer token of the other calls.
    pub session_token: String,
    /// How long the token is good for.
    pub expires_in_ms: u64,
    /// Who it stands for.
    pub end_user: EndUser,
}

/// The end user as a chat names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct EndUser {
    /// The gateway's number for this end user.
    pub id: u64,
    /// The site's identifier; absent for an anonymous end user.
    pub identifier: Option<String>,
}

/// `GET /api/v1/company`. Seed 003, `CompanyResponse`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct Company {
    pub name: String,
    pub subdomain: String,
    pub support_email: String,
    pub languages: Vec<Language>,
    pub action_tracking: bool,
    pub email_transcripts: bool,
    pub message_preview: bool,
    pub email_enhancement: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cobrowse_domain: Option<String>,
}

/// One language of a company. The vendor's fields are unknown; these are ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Language {
    /// A BCP 47 tag such as `en`.
    pub code: String,
    /// The language's name in itself, such as `Italiano`.
    pub name: String,
    /// Whether it is used where nothing else was asked for.
    pub default: bool,
}

/// `GET /api/v1/menus`. Seed 003, `MenuResponse`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct Menus {
    pub menus: Vec<MenuItem>,
    pub direct: Direct,
}

/// Whether menus were reached by a direct access key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct Direct {
    pub key: bool,
    pub user: bool,
}

/// Seed 003, `MenuItem`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct MenuItem {
    pub id: u64,
    pub name: String,
    pub enabled: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub children: Vec<MenuItem>,
    pub channels: Vec<MenuChannel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirection: Option<MenuRedirection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deflection: Option<MenuDeflection>,
}

/// Where a queue's chats go instead. Seed 003; the values are ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct MenuRedirection {
    /// `queue`, `external_link` or `message`.
    pub option: String,
    /// The queue's number, the address or the text.
    pub data: String,
}

/// Whether a queue's customers are led elsewhere. Seed 003; the values are ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct MenuDeflection {
    /// Whether they are now.
    pub enabled: bool,
    /// `after_hours` or `over_capacity`: why they are, or would be.
    #[serde(rename = "type")]
    pub kind: String,
}

/// `GET /api/v1/after_hours_message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct AfterHoursMessage {
    /// What to show; `""` where the company wants nothing shown.
    pub message: String,
}

/// What is offered instead of waiting. Seed 003, `ChatDeflectionResponse`, with `reason` and `links` of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct ChatDeflection {
    /// Whether it applies now.
    pub enabled: bool,
    /// Seconds of waiting from which on it applies; 0 never.
    pub threshold: u64,
    pub email: bool,
    pub keep_waiting: bool,
    pub external_deflection_links: ExternalDeflectionLinks,
    /// `after_hours` or `over_capacity`; absent where it does not apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The links by name and address.
    pub links: Vec<DeflectionLink>,
}

/// Links by their ids. Seed 003.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct ExternalDeflectionLinks {
    pub enabled: bool,
    pub ids: Vec<u64>,
}

/// A page elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct DeflectionLink {
    /// Its number.
    pub id: u64,
    /// What to show.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// A way to reach a queue. The vendor's fields are unknown; these are ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct MenuChannel {
    /// `chat`, `voice_call`, `email` or `external_link`.
    pub name: String,
    /// Whether the channel can be used now.
    pub enabled: bool,
}

/// `GET /api/v1/menus/{menu_id}/wait_times`, in seconds. Seed 003, `WaitTimeResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct WaitTimes {
    pub chat: u64,
    pub voice_call: u64,
}

/// `POST /api/v1/chats`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct CreateChatRequest {
    /// The client's idempotency key.
    pub client_id: String,
    /// The queue to enter.
    pub menu_id: u64,
    /// The contract's `ChatRequest`, with unknown keys kept.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub chat: Map<String, Value>,
}

/// An agent or virtual agent as a chat names it. Seed 003 and `ccaip.md` section 3.4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct ChatAgent {
    pub id: u64,
    pub name: String,
    /// The first word of an agent's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// `online` or `offline`: whether an agent is on duty, as of this writing. A virtual agent always is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// A queue by id and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct MenuName {
    pub id: u64,
    pub name: String,
}

/// Someone in the conversation besides the end user.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Member {
    /// `agent` or `virtual_agent`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The number of the agent or virtual agent.
    pub id: u64,
    /// The name to show.
    pub display_name: String,
}

/// The contract's `ChatResponse` with this gateway's additions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct Chat {
    pub id: u64,
    /// `va_assigned`, `queued`, `assigned`, `dismissed`, `va_dismissed`, `checked_out`, `finished`, `failed`; an open set.
    pub status: String,
    pub status_text: String,
    pub features: Vec<String>,
    /// ISO 8601.
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// `end_user`, `agent`, `virtual_agent`, `timeout` or `system`; absent while the chat goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// Why the chat failed, such as `expired`; absent where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_reason: Option<String>,
    /// When the chat ends if the end user stays silent, ISO 8601; absent where it has ended, or never does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_at: Option<String>,
    /// What the end user has to answer to keep the place in the queue; absent where nothing is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_in: Option<CheckIn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<ChatAgent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_agent: Option<ChatAgent>,
    pub all_agents: Vec<ChatAgent>,
    pub all_virtual_agents: Vec<ChatAgent>,
    pub lang: String,
    pub menus: Vec<MenuName>,
    pub end_user: EndUser,
    /// Something follows the human part, which is over.
    pub post_session_required: bool,
    /// The end user is to be asked first whether it may.
    #[serde(default)]
    pub post_session_opt_in_required: bool,
    /// `ready`, `in_progress`, `waiting` or `finished`; absent until the page has answered to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_session_transfer_status: Option<String>,
    /// The newest screen share; absent where there never was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen_share: Option<Share>,
    /// Grows with every change of the chat.
    pub revision: u64,
    /// The index of the newest message, 0 for none.
    pub last_index: u64,
    /// Who is in the conversation besides the end user.
    pub members: Vec<Member>,
}

/// A check-in that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct CheckIn {
    /// How long one may take, from the moment on at which the prompt was shown.
    pub timeout_ms: u64,
    /// Until when.
    pub expires_at_ms: u64,
    /// The prompt is shown.
    pub notified: bool,
}

/// A chat in an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "one field of its own name")]
pub struct ChatBody {
    pub chat: Chat,
}

/// `GET /api/v1/chats/ongoing`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct OngoingChatBody {
    /// `null` where nothing is ongoing.
    pub chat: Option<Chat>,
}

/// `PATCH` of a chat.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ChatPatch {
    /// Only `finished`.
    pub status: String,
}

/// `POST` of a return to a dismissed chat.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ResumeRequest {}

/// `POST` of an answer to a check-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct CheckInRequest {
    /// `notified` where the prompt is shown, `confirmed` where the end user is there.
    pub state: String,
}

/// `POST` of a return to the queue.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct RejoinRequest {}

/// `PATCH` of a post-session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PostSessionRequest {
    /// `ready`, `in_progress`, `waiting` or `finished`.
    pub status: String,
    /// What the end user chose, where asking is required: no is the end of it.
    #[serde(default)]
    pub opt_in_selection: Option<bool>,
}

/// `POST` of whether a page is in view.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct VisibilityRequest {
    /// Whether it is in view now.
    pub visible: bool,
}

/// `POST` of the end user's typing.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TypingRequest {
    /// Whether the end user types now.
    pub typing: bool,
}

/// `POST` of what the end user has typed and not sent yet.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PreviewRequest {
    /// The text; empty where nothing is typed any more.
    pub content: String,
}

/// `POST` that asks for a chat's transcript as PDF.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TranscriptRequest {
    /// A BCP 47 tag; the chat's language where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// An IANA time zone for the times in it; the company's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// A transcript that was asked for. Seed 003, `GenerateTranscriptResponse`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TranscriptResponse {
    /// `pending`, `finished` or `failed`.
    pub status: String,
    /// The number to ask for it with.
    pub chat_transcript_id: u64,
}

/// Where a transcript stands that is not there (yet). Seed 003, `PdfStatusResponse` without its body.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TranscriptStatus {
    /// `pending` or `failed`.
    pub status: String,
    /// Why there is none: `too_large`, `timeout`, `expired`, `unavailable` or `internal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_reason: Option<String>,
}

/// A message with its envelope. Seed 003, `MessageResponse`, with `$timestamp` in milliseconds.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Message {
    /// The position in the chat: 1, 2, 3, … without a gap.
    #[serde(rename = "$index")]
    pub index: u64,
    /// The message's id.
    #[serde(rename = "$sid")]
    pub sid: String,
    /// When the gateway stored it.
    #[serde(rename = "$timestamp")]
    pub timestamp_ms: u64,
    /// `end_user`, `agent`, `virtual_agent` or `system`.
    #[serde(rename = "$userType")]
    pub user_type: String,
    /// The author's number; 0 for the system.
    #[serde(rename = "$userId")]
    pub user_id: u64,
    /// The idempotency key it was sent with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The gateway's mark on the message.
    pub signature: String,
    /// `type`, `content` and whatever belongs to the type.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub body: Map<String, Value>,
}

/// A page of messages, in index order.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct MessagesBody {
    /// Ascending, without a gap.
    pub messages: Vec<Message>,
    /// The index of the chat's newest message.
    pub last_index: u64,
}

/// `POST` of a message.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SendRequest {
    /// The client's idempotency key.
    pub client_id: String,
    /// `type`, `content` and whatever belongs to the type.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub message: Map<String, Value>,
}

/// A message was stored durably.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the envelope's fields without their dollar signs")]
pub struct SendResponse {
    pub index: u64,
    pub sid: String,
    pub timestamp_ms: u64,
}

/// `POST` of an upload: what is to come.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct UploadRequest {
    /// The client's idempotency key, which is also the message's.
    pub client_id: String,
    /// `photo`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The file's name.
    #[serde(default)]
    pub name: Option<String>,
    /// What the client takes it for; the gateway looks itself.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Its length in bytes.
    pub size: u64,
}

/// A place for a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct UploadResponse {
    /// What a message names it by.
    pub media_id: u64,
    /// How to bring it; `null` once it is there.
    pub upload: Option<UploadForm>,
}

/// A form to post as multipart: the fields, then the part `file`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct UploadForm {
    /// Where to post it, relative to the gateway's origin or absolute.
    pub url: String,
    /// What the gateway signed. Opaque.
    pub fields: std::collections::BTreeMap<String, String>,
}

/// `GET` of a form that was handed out (`ccaip.md` 5.6): what is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FormDefinition {
    /// What stands above it.
    pub title: String,
    /// Text before the questions.
    pub header: String,
    /// Text after the questions.
    pub footer: String,
    /// By position.
    pub questions: Vec<FormQuestion>,
}

/// A question of a form.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, in its spelling of REST bodies")]
pub struct FormQuestion {
    pub id: u64,
    /// `text_entry`, `list_picker`, `date`, `time` or `toggle`.
    #[serde(rename = "type")]
    pub kind: String,
    pub question: String,
    /// 1, 2, 3, …
    pub position: u64,
    pub is_mandatory: bool,
    /// The answer is shown to the agent only.
    pub is_masked: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placeholder: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help_text: Option<String>,
    /// Of a text: `text`, `number`, `email`, `phone` or `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Of a text, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub character_limit: Option<u64>,
    /// Of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_multiselect: Option<bool>,
    /// Of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<FormOption>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toggle_on_text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toggle_off_text: Option<String>,
}

/// What can be picked from a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, in its spelling of REST bodies")]
pub struct FormOption {
    pub id: u64,
    pub value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    pub list_position: u64,
}

/// `POST` of a form that was filled in.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FormSubmission {
    /// The client's idempotency key.
    pub client_id: String,
    /// What was answered, in any order; what was left out is not answered.
    pub form_response: Vec<FormAnswer>,
}

/// An answer to one question.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FormAnswer {
    /// Which.
    pub question_id: u64,
    /// A text; for a list the number of what was picked, or several; a day as `2026-11-24`; a time as `09:30`; a boolean for a toggle.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub value: Value,
}

/// What is wrong with an answer to a form or a survey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FormProblem {
    /// The question.
    pub question_id: u64,
    /// `required`, `too_long`, `wrong_type`, `not_a_number`, `not_an_email`, `not_a_phone_number`, `not_a_url`, `not_a_date`, `not_a_time`,
    /// `unknown_option`, `unknown_question` or `answered_twice`.
    pub problem: String,
}

/// `GET /api/v1/chats/{id}/survey`. Seed 003, `ChatSurveyResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct ChatSurvey {
    pub id: u64,
    pub lang: String,
    /// What thanks for the answers.
    pub sign_off_display_text: String,
    /// By position.
    pub questions: Vec<SurveyQuestion>,
}

/// A question of a survey. Seed 003, `QuestionItem`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct SurveyQuestion {
    pub id: u64,
    /// `csat`, `star`, `free-form`, `scale` or `enumeration`.
    #[serde(rename = "type")]
    pub kind: String,
    pub display_text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub is_csat: bool,
    /// 1, 2, 3, …
    pub position: u64,
    /// What can be answered; absent for a free-form question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_answers: Option<Vec<ValidAnswer>>,
}

/// An answer to choose. Seed 003.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ValidAnswer {
    /// What is sent.
    pub key: String,
    /// What is shown.
    pub value: String,
}

/// `POST` of the answers to a survey.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SurveySubmission {
    /// The contract's `SurveyAnswers`: by the question's number the key of what was chosen, or a text. A number stands for its digits.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub answers: Map<String, Value>,
}

/// `POST` of a rating: the contract's `RateRequest`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct RateRequest {
    /// 1 to 5.
    pub rating: u64,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<String>,
}

/// `POST` of an escalation: the contract's `EscalateRequest`, with unknown keys kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct EscalateRequest {
    /// Why, such as `by_end_user_ask`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What else the site sends.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub other: Map<String, Value>,
}

/// Seed 002, the answer to an escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's")]
pub struct Escalation {
    /// The index of the notice that says what became of it.
    pub id: u64,
    pub chat_id: u64,
    /// `escalated` or `deflected`.
    pub status: String,
    /// `after_hours` or `over_capacity`, where it is deflected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is offered instead, where it is deflected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<EscalationOption>>,
}

/// A way on after a deflected escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct EscalationOption {
    /// `human_agent` (wait all the same), `email`, `external_link` or `virtual_agent`.
    pub channel: String,
    /// The number of the link or virtual agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// `PATCH` of an escalation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct EscalationPatch {
    /// The channel that the customer chose.
    pub deflection_channel: String,
}

/// `POST` of an end user's event: the contract's `ChatEndUserEventRequest`, with unknown keys kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct EndUserEvent {
    /// What happened, such as `form_clicked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The end user's name for the agents of this chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_user_name: Option<String>,
    /// What else the site sends.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub other: Map<String, Value>,
}

/// `GET /api/v1/chat_history`. Seed 003, `ChatHistoryResponse`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct ChatHistory {
    /// Newest first.
    pub chats: Vec<ChatHistoryItem>,
    /// Chats of this page that the end user dropped, or whose messages do not fit the answer.
    pub missing_chat_ids: Vec<u64>,
    pub pagination: Pagination,
}

/// A chat that is over. Seed 003, with `menus` and `agents` beside it.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct ChatHistoryItem {
    pub comm_id: u64,
    /// ISO 8601; when the chat was opened, where no agent had it.
    pub assigned_at: String,
    /// `chat`.
    pub comm_type: String,
    /// The company's IANA time zone.
    pub timezone: String,
    pub menus: Vec<MenuName>,
    pub agents: Vec<ChatAgent>,
    /// All messages, in index order.
    pub entries: Vec<Message>,
}

/// Where a page stands. Seed 003.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct Pagination {
    /// -1 on the last page.
    pub next_page: i64,
    pub per_page: u64,
}

/// The part `data` of `POST /api/v1/menus/{menu_id}/emails`. Seed 003, `EmailRequest`; its files are parts of their own.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct EmailRequest {
    /// The idempotency key, 1 to 64 characters of `A-Z a-z 0-9 _ -`.
    pub client_id: String,
    /// The customer's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The customer's address, to which answers go.
    pub email: String,
    /// What the customer writes.
    pub content: String,
    /// A BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// The token of the page's reCAPTCHA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recaptcha: Option<String>,
}

/// The outcome of a message by e-mail. Seed 003, `EmailResponse`; the words are ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Email {
    /// Its number, 0 where it was refused.
    pub id: u64,
    /// Why it was written: `email`, or what kept its queue's people from chatting, `after_hours` or `over_capacity`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `open` where it is stored, `failed` where it was refused.
    pub status: String,
    /// Why it was refused; empty where it was not.
    pub fail_reason: String,
    /// Its files.
    pub attachment_count: u64,
}

/// `GET /api/v1/prohibited_file_types`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FileTypes {
    /// What may not be attached to a message by e-mail.
    pub file_types: Vec<FileType>,
}

/// A kind of files. Seed 003, `FileTypeItem`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FileType {
    /// How names of such files end, without the dot.
    pub extension: String,
    /// What they are.
    pub description: String,
}

/// `POST /api/v1/chats/{chat_id}/transcript_mails`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TranscriptMailRequest {
    /// One to five addresses.
    pub emails: Vec<String>,
    /// The idempotency key, 1 to 64 characters of `A-Z a-z 0-9 _ -`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The language of the mail's own words, a BCP 47 tag; the chat's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

/// `POST /api/v1/menus/{menu_id}/calls`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct CreateCallRequest {
    /// The client's idempotency key.
    pub client_id: String,
    /// The contract's `CallRequest`; unknown keys are ignored.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub call: Map<String, Value>,
}

/// A requested call. Seed 003, `CallResponse`; the words in `status` are from `ccaip.md` section 11.1, those in `type` are ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[allow(missing_docs, reason = "the fields are the vendor's, documented in the contract")]
pub struct Call {
    pub id: u64,
    pub lang: String,
    pub menu_id: u64,
    /// `scheduled`, `queued`, `assigned`, `connecting`, `connected`, `finished`, `failed` or `canceled`.
    pub status: String,
    /// `Immediate` or `Scheduled`.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<String>,
    pub recording_permitted: bool,
    pub survey_enabled: bool,
    pub created_at: String,
    pub menus: Vec<MenuName>,
}

/// `PATCH /api/v1/calls/{id}`: one of the two.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct CallPatch {
    /// `canceled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Another time for the call: one of the queue's time slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<String>,
}

/// `GET /api/v1/menus/{menu_id}/time_slots`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TimeSlots {
    /// The times at which a call can be had, the first one first.
    pub time_slots: Vec<String>,
}

/// `GET /api/v1/menus/{menu_id}/time_slot_availability`. The vendor's shape is unknown; this is ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TimeSlotAvailability {
    /// Every slot, those that are taken included.
    pub slots: Vec<TimeSlot>,
    /// How long a slot is.
    pub slot_ms: u64,
    /// The IANA time zone of the business hours that the slots come from.
    pub timezone: String,
}

/// A time at which people call back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TimeSlot {
    /// When it begins.
    pub at: String,
    /// Calls that can still be had then.
    pub free: u64,
    /// Calls that can be had then altogether.
    pub capacity: u64,
}

/// `GET /api/v1/triggers`: the questions that a page may ask this end user. Ours: the vendor does not publish the shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Triggers {
    /// Without those that were asked within a day.
    pub triggers: Vec<Trigger>,
}

/// A question that a page asks its visitors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Trigger {
    /// What `createChat` takes as `trigger_id`.
    pub id: String,
    /// The queue that a yes leads to.
    pub menu_id: u64,
    /// The language of that chat.
    pub lang: String,
    /// A heading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The question.
    pub message: String,
    /// When it is asked.
    pub conditions: TriggerConditions,
}

/// When a page asks a question: all of these must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TriggerConditions {
    /// The address has one of these words, whatever their case; any address where empty.
    pub url_contains: Vec<String>,
    /// The address has none of these words.
    pub url_excludes: Vec<String>,
    /// The visitor has been on the page for so long.
    pub time_on_page_ms: u64,
    /// `new` or `returning`; everybody where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<String>,
    /// The visitor's visit of this number, or a later one.
    pub min_visits: u64,
    /// The visitor's visit of this number, or an earlier one; 0 for any.
    pub max_visits: u64,
}

/// `POST /api/v1/trigger_runs`: a page is about to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TriggerRunRequest {
    /// Which question.
    pub trigger_id: String,
}

/// Whether it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TriggerRun {
    /// False where this end user was asked within a day; true counts as asked.
    pub run: bool,
}

/// `GET /api/v1/feature_flags`. Ours: the vendor does not publish the shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FeatureFlags {
    /// Whether each feature is there, by its name.
    pub flags: std::collections::BTreeMap<String, bool>,
}

/// A screen share, to both sides. The code is never in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Share {
    /// 1, 2, 3, … within the chat.
    pub id: u64,
    /// `pending`, `authorizing`, `active` or `ended`.
    pub status: String,
    /// Whose wish it was: `end_user`, `agent`, or `code` where the agent types a code in.
    pub from: String,
    /// What records and shows the page: `rrweb` or `cobrowse_io`.
    pub provider: String,
    /// The agent it is for; null while a code waits for one.
    pub agent: Option<ChatAgent>,
    /// What the agent can do: `view`, `pointer`.
    pub capabilities: Vec<String>,
    /// When it was begun.
    pub created_at_ms: u64,
    /// When the end user said yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at_ms: Option<u64>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at_ms: Option<u64>,
    /// Why it is over, such as `device_ended`; an open set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_reason: Option<String>,
    /// When it is over by itself, where nothing happens before.
    pub expires_at_ms: u64,
}

/// `POST /api/v1/chats/{chat_id}/screen_shares`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ShareRequest {
    /// The client's idempotency key: 8 to 64 characters of `A-Z a-z 0-9 _ -`.
    pub client_id: String,
    /// The page that will record, by a name of its own making, of the same characters.
    pub page_id: String,
    /// `end_user`, `agent` or `code`.
    pub from: String,
    /// `rrweb` where absent, or `cobrowse_io`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The code that Cobrowse.io made; with `rrweb` the gateway makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The language that the page asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// What the site says with a code, for the agent: at most 20 entries of at most 1 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub custom_data: Option<Map<String, Value>>,
}

/// A screen share that was begun.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ShareResponse {
    /// The share.
    pub share: Share,
    /// What the agent is to type in; null where nothing is.
    pub code: Option<String>,
}

/// A screen share in an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ShareBody {
    /// The share.
    pub share: Share,
}

/// `PATCH` of a screen share.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SharePatch {
    /// The page that asks; with `active`, the one that records from now on.
    pub page_id: String,
    /// `active` or `ended`.
    pub status: String,
    /// Why it is over: `device_ended` where absent, `denied` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The answer to a batch of a recording.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ShareRecorded {
    /// The share.
    pub share: Share,
    /// How many look at it now. With none the page pauses.
    pub viewers: u64,
    /// A batch is missing: the recording is to begin anew.
    pub resync: bool,
}

/// What happened at the desk, for the page that is shared.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ShareSignals {
    /// The share.
    pub share: Share,
    /// How many look at it now. With none the page pauses.
    pub viewers: u64,
    /// For the next request's `after`.
    pub next: u64,
    /// In no order; of pointers only the newest.
    pub signals: Vec<ShareSignal>,
}

/// One thing that happened at the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ShareSignal {
    /// The agent points at the page.
    Pointer {
        /// CSS pixels from the left of the customer's viewport.
        x: i64,
        /// CSS pixels from its top.
        y: i64,
        /// A button is down.
        down: bool,
    },
    /// The agent no longer points at it.
    PointerLeft,
    /// The recording is to begin anew: somebody came, or fell behind.
    Resync,
}

/// `POST /desk/api/v1/chats/{chat_id}/screen_share_requests`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ShareAskRequest {}

/// `POST /desk/api/v1/chats/{chat_id}/screen_share/join`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ShareJoinRequest {
    /// What the customer reads out.
    pub code: String,
}
