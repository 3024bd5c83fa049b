// What `noti` messages say, in words. A notice of a kind this page has no words for is still named: something happened, and nobody should wonder
// what.

import { t } from "../language.js";
import { clockWords, plainWords } from "../words.js";

/** Notices that something else on the page shows better: a card, a prompt, a panel. */
const SHOWN_ELSEWHERE = new Set(["formRequested", "checkInRequired"]);

/** The words of a notice, `null` where nothing is to be said. `name` is its author's. */
export function noticeWords(message, name) {
  const { event } = message;
  if (SHOWN_ELSEWHERE.has(event)) return null;
  // A system line is about somebody else than its author, where it names one.
  const about = message.agent?.name ?? message.member?.display_name ?? (message.$userType === "system" ? "" : name);
  switch (event) {
    case "chatEnded":
      return t(`notice.chatEnded.${message.fail_reason ?? message.ended_by}`) ?? t("notice.chatEnded");
    case "chatTransferred":
      return t(`notice.chatTransferred.${message.to?.type}`, { name: message.to?.name ?? "" }) ?? t("notice.chatTransferred");
    case "dismissalWarning":
      return t("notice.dismissalWarning", { time: clockWords(message.dismiss_at_ms ?? Date.now()) });
    case "cobrowseRequestedFromAgent":
      return t("notice.cobrowseRequestedFromAgent", { name: name || t("agent") });
    case "cobrowseCodeGenerated":
      // Codes of Cobrowse.io are typed in at Cobrowse.io; ours is on the customer's page only.
      return message.code ? t("notice.cobrowseCodeGenerated.code", { code: message.code }) : t("notice.cobrowseCodeGenerated");
    case "cobrowseEnded":
    case "cobrowseFailed":
      return t(`notice.${event}.${message.reason}`) ?? t(`notice.${event}`);
    case "escalationDeflected":
      return t(`notice.escalationDeflected.${message.reason}`) ?? t("notice.escalationDeflected");
    case "escalationAccepted":
    case "memberJoined":
    case "memberLeft":
      return t(`notice.${event}`, { name: about || t("notice.somebody") });
    default:
      return t(`notice.${event}`) ?? t("notice.other", { event: plainWords(event ?? t("notice.change")) });
  }
}
