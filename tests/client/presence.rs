//! What the agent sees of the end user besides messages: previews and whether the page is looked at.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

#[wasm_bindgen_test]
async fn a_preview_goes_out_at_once_and_the_next_waits_for_its_time() {
    let (gateway, origin) = gateway();
    let (client, _recorder) = in_chat(&origin).await;
    let preview = |content: &str| client.ask("sendPreviewMessage", &[&content.into()], &NONE);
    assert_eq!(code(preview("H")).await, "unsupported", "the chat has no previews");
    gateway.change(r#"{"features":["preview"]}"#);
    turn().await;
    for content in ["H", "He", "Hel"] {
        assert!(value(preview(content)).await.is_undefined());
    }
    assert_eq!(gateway.frames_of("preview"), r#"[{"type":"preview","content":"H"}]"#);
    value(send(&client, "Hello")).await;
    assert_eq!(code(client.ask("sendPreviewMessage", &[&7.into()], &NONE)).await, "invalid_argument");
    assert_eq!(code(preview(&"x".repeat(70_000))).await, "too_large");
    client.close();
}

#[wasm_bindgen_test]
async fn a_hidden_page_says_so_while_the_end_user_waits() {
    let (gateway, origin) = gateway();
    set_hidden(true);
    let (client, _recorder) = in_chat(&origin).await;
    assert_eq!(gateway.frames_of("visibility"), "[]", "a virtual agent has the chat");
    gateway.change(r#"{"status":"queued"}"#);
    turn().await;
    set_hidden(false);
    let told = r#"[{"type":"visibility","visible":false},{"type":"visibility","visible":true}]"#;
    assert_eq!(gateway.frames_of("visibility"), told);
    client.close();
    set_hidden(true);
    set_hidden(false);
    assert_eq!(gateway.frames_of("visibility"), told, "a closed client listens no more");
}
