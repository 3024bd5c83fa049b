//! The contract's methods that this release does not carry out yet. Each exists and rejects with `unsupported`, so that code written for
//! the contract loads and can tell.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wire::ErrorCode;

use super::client::Client;
use super::errors::refusal;

macro_rules! unsupported {
    ($($rust:ident $js:ident,)+) => {
        #[wasm_bindgen]
        impl Client {
            $(
                #[doc = concat!("`", stringify!($js), "`: rejects with `unsupported`.")]
                #[wasm_bindgen(js_name = $js)]
                pub fn $rust(&self) -> Promise {
                    reject(stringify!($js))
                }
            )+
        }
    };
}

unsupported! {
    get_trigger getTrigger,
    run_trigger runTrigger,
    get_after_hour_message getAfterHourMessage,
    create_call createCall,
    load_call loadCall,
    cancel_call cancelCall,
    get_time_slots getTimeSlots,
    check_in checkIn,
    rejoin_chat rejoinChat,
    notify_check_in_state notifyCheckInState,
    send_preview_message sendPreviewMessage,
    get_message_attachment getMessageAttachment,
    get_chat_history getChatHistory,
    get_chat_deflection getChatDeflection,
    send_chat_transcripts sendChatTranscripts,
    download_chat_transcript downloadChatTranscript,
    get_pdf_status getPdfStatus,
    get_chat_survey getChatSurvey,
    send_chat_survey sendChatSurvey,
    send_chat_rate sendChatRate,
    track_chat_escalation trackChatEscalation,
    track_chat_end_user_event trackChatEndUserEvent,
    create_email createEmail,
    get_prohibited_file_types getProhibitedFileTypes,
    create_cobrowse_code createCobrowseCode,
    start_cobrowse startCobrowse,
    update_post_session updatePostSession,
}

fn reject(method: &str) -> Promise {
    Promise::reject(&refusal(ErrorCode::Unsupported, &[method, " is not offered by this release."].concat()))
}
