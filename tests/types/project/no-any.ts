// No member resolves to `any`, nor a parameter or result of one, except where the contract says so.
import type * as api from "sportello";

type IsAny<T> = 0 extends 1 & T ? true : false;
type AnyIn<T extends readonly unknown[]> = true extends { [I in keyof T]: IsAny<T[I]> }[number] ? true : false;

/** The members of `T` that are `any`, or functions that take or return it. */
type AnyMembers<T> = {
  [K in keyof T]-?: IsAny<T[K]> extends true
    ? K
    : NonNullable<T[K]> extends (...args: infer A) => infer R
      ? true extends AnyIn<A> | IsAny<R> | IsAny<Awaited<R>> ? K : never
      : NonNullable<T[K]> extends readonly (infer Item)[]
        ? IsAny<Item> extends true ? K : never
        : NonNullable<T[K]> extends Record<string, infer Value>
          ? IsAny<Value> extends true ? K : never
          : never;
}[keyof T];

type None<T extends never> = T;

// The check itself works.
export const found: [AnyMembers<{ a: any }>, AnyMembers<{ b(x: any): void }>, AnyMembers<{ c(): Promise<any> }>, AnyMembers<{ d: any[] }>] = ["a", "b", "c", "d"];

export type Checked = [
  None<AnyMembers<api.Client>>, None<AnyMembers<api.Chat>>, None<AnyMembers<typeof api>>, None<AnyMembers<typeof api.Logger>>,
  None<AnyMembers<api.CallOptions>>, None<AnyMembers<api.CallRequest>>, None<AnyMembers<api.CallResponse>>, None<AnyMembers<api.ChatAgent>>,
  None<AnyMembers<api.ChatDeflectionResponse>>, None<AnyMembers<api.ChatEndUserEventRequest>>, None<AnyMembers<api.ChatHistoryItem>>,
  None<AnyMembers<api.ChatHistoryResponse>>, None<AnyMembers<api.ChatMember>>, None<AnyMembers<api.ChatRequest>>,
  None<AnyMembers<api.ChatResponse>>, None<AnyMembers<api.ChatSurveyResponse>>, None<AnyMembers<api.ClientEventMap>>,
  None<AnyMembers<api.ClientOption>>, None<AnyMembers<api.ClientStorage>>, None<AnyMembers<api.CobrowseMessages>>,
  None<AnyMembers<api.CobrowseOption>>, None<AnyMembers<api.CobrowseSession>>, None<AnyMembers<api.CompanyResponse>>, None<AnyMembers<api.Delivery>>,
  None<AnyMembers<api.EmailRequest>>, None<AnyMembers<api.EmailResponse>>, None<AnyMembers<api.EscalateRequest>>, None<AnyMembers<api.FormAnswer>>, None<AnyMembers<api.FormProblem>>,
  None<AnyMembers<api.FormQuestion>>, None<AnyMembers<api.FormResponse>>, None<AnyMembers<api.SendFileOptions>>, None<AnyMembers<api.UploadProgress>>,
  None<AnyMembers<api.FileTypeItem>>, None<AnyMembers<api.GenerateTranscriptResponse>>, None<AnyMembers<api.Identity>>,
  None<AnyMembers<api.LanguageOption>>, None<AnyMembers<api.LogEntry>>, None<AnyMembers<api.MenuChannel>>, None<AnyMembers<api.MenuItem>>,
  None<AnyMembers<api.MenuResponse>>, None<AnyMembers<api.MessageResponse>>, None<AnyMembers<api.OutboxEntry>>, None<AnyMembers<api.PdfStatusResponse>>,
  None<AnyMembers<api.QuestionItem>>, None<AnyMembers<api.RateRequest>>, None<AnyMembers<api.ReconnectOption>>,
  None<AnyMembers<api.RequestReturn>>, None<AnyMembers<api.SportelloError>>, None<AnyMembers<api.SurveyAnswers>>,
  None<AnyMembers<api.TokenResponse>>, None<AnyMembers<api.TriggerItem>>, None<AnyMembers<api.WaitTimeResponse>>,
  IsAny<api.WasmSource> extends false ? IsAny<api.WasmInput> extends false ? never : 0 : 0,
];

// The contract says so here.
export const allowed: AnyMembers<api.CustomData> = "unsigned";
