// The package is assignable to the documented client, and exports every type of it.
import * as sportello from "sportello";
import { Client, consoleLoggerHandler, initWasm, isSportelloError, Logger, PostSessionStatus } from "sportello";
import type {
  CallRequest, CallResponse, Chat, ChatAgent, ChatDeflectionResponse, ChatEndUserEventRequest, ChatHistoryItem, ChatHistoryResponse,
  ChatRequest, ChatResponse, ChatSurveyResponse, ClientOption, CobrowseMessages, CobrowseOption, CompanyResponse, CustomData, EmailRequest,
  EmailResponse, EscalateRequest, FileTypeItem, GenerateTranscriptResponse, Id, LanguageOption, MenuChannel, MenuItem, MenuResponse,
  MessageResponse, PdfStatusResponse, PostSessionStatusValue, QuestionItem, RateRequest, RequestReturn, SurveyAnswers, TokenResponse,
  TriggerItem, WaitTimeResponse,
} from "sportello";
import type * as contract from "../contract/headless-client.js";

export const values: contract.PackageExports = sportello;

// `Client` and `PostSessionStatus` as a value and as a type.
export const client: Client = new Client({ companyId: "demo", authenticate: async () => ({ token: "" }) });
export const asContract: contract.Client = client;
export const status: PostSessionStatus = PostSessionStatus.READY;
export const others: readonly unknown[] = [consoleLoggerHandler, initWasm, isSportelloError, Logger];

/** Errors where one of the two shapes does not fit the other's place. */
type Same<Ours extends Contract, Contract> = [Ours, Contract];
/** What a caller hands in: everything that fits the contract fits ours. */
type Accepts<Contract extends Ours, Ours> = [Contract, Ours];

// What the client returns fits the contract's type.
export type Outputs = [
  Same<CallResponse, contract.CallResponse>, Same<Chat, contract.Chat>, Same<ChatAgent, contract.ChatAgent>,
  Same<ChatDeflectionResponse, contract.ChatDeflectionResponse>, Same<ChatHistoryItem, contract.ChatHistoryItem>,
  Same<ChatHistoryResponse, contract.ChatHistoryResponse>, Same<ChatResponse, contract.ChatResponse>,
  Same<ChatSurveyResponse, contract.ChatSurveyResponse>, Same<CompanyResponse, contract.CompanyResponse>,
  Same<EmailResponse, contract.EmailResponse>, Same<FileTypeItem, contract.FileTypeItem>,
  Same<GenerateTranscriptResponse, contract.GenerateTranscriptResponse>, Same<LanguageOption, contract.LanguageOption>,
  Same<MenuChannel, contract.MenuChannel>, Same<MenuItem, contract.MenuItem>, Same<MenuResponse, contract.MenuResponse>,
  Same<MessageResponse, contract.MessageResponse>, Same<PdfStatusResponse, contract.PdfStatusResponse>,
  Same<QuestionItem, contract.QuestionItem>, Same<RequestReturn, contract.RequestReturn>, Same<TriggerItem, contract.TriggerItem>,
  Same<WaitTimeResponse, contract.WaitTimeResponse>, Same<Client, contract.Client>,
];

// What the client takes accepts the contract's type.
export type Inputs = [
  Accepts<contract.CallRequest, CallRequest>, Accepts<contract.ChatEndUserEventRequest, ChatEndUserEventRequest>,
  Accepts<contract.ChatRequest, ChatRequest>, Accepts<contract.ClientOption, ClientOption>,
  Accepts<contract.CobrowseMessages, CobrowseMessages>, Accepts<contract.CobrowseOption, CobrowseOption>,
  Accepts<contract.CustomData, CustomData>, Accepts<contract.EmailRequest, EmailRequest>,
  Accepts<contract.EscalateRequest, EscalateRequest>, Accepts<contract.Id, Id>, Accepts<contract.MessageResponse, MessageResponse>,
  Accepts<contract.PostSessionStatusValue, PostSessionStatusValue>, Accepts<contract.RateRequest, RateRequest>,
  Accepts<contract.SurveyAnswers, SurveyAnswers>, Accepts<contract.TokenResponse, TokenResponse>,
];

// Code written against the contract's types keeps compiling when it is handed ours.
export async function integration(api: contract.PackageExports): Promise<void> {
  const written: contract.Client = new api.Client({ companyId: "demo", authenticate: async () => ({ token: "" }), tenant: "t", host: "https://h" });
  written.on("chat.message", (message: contract.MessageResponse) => message.$userType);
  written.on("chat.memberJoined", (identity: { is_customer?: boolean; display_name?: string }) => identity.display_name);
  written.chat = await written.loadOngoingChat();
  api.Logger.addHandler(api.consoleLoggerHandler);
}
void integration(sportello);
