//! The OpenAPI document.

use serde_json::Value;

use crate::common::Gateway;

#[tokio::test]
async fn every_route_is_described_with_its_refusals() {
    let gateway = Gateway::start().await;
    let answer = reqwest::get(format!("{}/openapi.json", gateway.base)).await.unwrap();
    assert_eq!(answer.headers().get("content-type").unwrap(), "application/json");
    let document: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let routes: &[(&str, &[&str])] = &[
        ("/api/v1/sessions", &["post"]),
        ("/api/v1/company", &["get"]),
        ("/api/v1/after_hours_message", &["get"]),
        ("/api/v1/deflection", &["get"]),
        ("/api/v1/menus", &["get"]),
        ("/api/v1/menus/{menu_id}/wait_times", &["get"]),
        ("/api/v1/menus/{menu_id}/calls", &["post"]),
        ("/api/v1/menus/{menu_id}/time_slots", &["get"]),
        ("/api/v1/menus/{menu_id}/time_slot_availability", &["get"]),
        ("/api/v1/calls/{call_id}", &["get", "patch"]),
        ("/desk/api/v1/calls", &["get"]),
        ("/desk/api/v1/calls/{call_id}", &["patch"]),
        ("/api/v1/triggers", &["get"]),
        ("/api/v1/trigger_runs", &["post"]),
        ("/api/v1/feature_flags", &["get"]),
        ("/api/v1/stream", &["post"]),
        ("/api/v1/chats", &["post"]),
        ("/api/v1/chats/ongoing", &["get"]),
        ("/api/v1/chats/{chat_id}", &["get", "patch", "delete"]),
        ("/api/v1/chats/{chat_id}/messages", &["get", "post"]),
        ("/api/v1/chats/{chat_id}/deflection", &["get"]),
        ("/api/v1/chats/{chat_id}/escalations", &["post"]),
        ("/api/v1/chats/{chat_id}/escalations/{escalation_id}", &["patch"]),
        ("/api/v1/chats/{chat_id}/events", &["post"]),
        ("/api/v1/chats/{chat_id}/forms/{smart_action_id}", &["get", "post"]),
        ("/api/v1/chats/{chat_id}/survey", &["get", "post"]),
        ("/api/v1/chats/{chat_id}/rating", &["post"]),
        ("/api/v1/chat_history", &["get"]),
        ("/api/v1/chats/{chat_id}/resume", &["post"]),
        ("/api/v1/chats/{chat_id}/typing", &["post"]),
        ("/api/v1/chats/{chat_id}/preview", &["post"]),
        ("/api/v1/chats/{chat_id}/check_in", &["post"]),
        ("/api/v1/chats/{chat_id}/rejoin", &["post"]),
        ("/api/v1/chats/{chat_id}/post_session", &["patch"]),
        ("/api/v1/chats/{chat_id}/visibility", &["post"]),
        ("/api/v1/chats/{chat_id}/screen_shares", &["post"]),
        ("/api/v1/chats/{chat_id}/screen_shares/{share_id}", &["get", "patch"]),
        ("/api/v1/chats/{chat_id}/screen_shares/{share_id}/records", &["post"]),
        ("/api/v1/chats/{chat_id}/screen_shares/{share_id}/signals", &["get"]),
        ("/desk/api/v1/chats/{chat_id}/screen_share_requests", &["post"]),
        ("/desk/api/v1/chats/{chat_id}/screen_share/join", &["post"]),
        ("/desk/api/v1/chats/{chat_id}/screen_share", &["delete"]),
        ("/api/v1/chats/{chat_id}/uploads", &["post"]),
        ("/api/v1/chats/{chat_id}/media/{media_id}", &["get"]),
        ("/api/v1/uploads", &["post"]),
        ("/api/v1/prohibited_file_types", &["get"]),
        ("/api/v1/menus/{menu_id}/emails", &["post"]),
        ("/api/v1/chats/{chat_id}/transcript_mails", &["post"]),
        ("/desk/api/v1/emails", &["get"]),
        ("/desk/api/v1/emails/{email_id}", &["get", "patch"]),
        ("/desk/api/v1/emails/{email_id}/replies", &["post"]),
        ("/desk/api/v1/emails/{email_id}/attachments/{position}", &["get"]),
        ("/desk/api/v1/chats/{chat_id}/media/{media_id}", &["get"]),
        ("/desk/api/v1/chats/{chat_id}/uploads", &["post"]),
        ("/desk/api/v1/sessions", &["post", "delete"]),
        ("/desk/api/v1/me", &["get"]),
        ("/desk/api/v1/chats", &["get"]),
        ("/desk/api/v1/chats/{chat_id}/accept", &["post"]),
        ("/desk/api/v1/chats/{chat_id}/transfer", &["post"]),
        ("/desk/api/v1/agents", &["get"]),
        ("/desk/api/v1/results", &["get"]),
        ("/desk/api/v1/menus", &["get"]),
        ("/desk/api/v1/chats/{chat_id}", &["patch"]),
        ("/desk/api/v1/chats/{chat_id}/events", &["get"]),
        ("/desk/api/v1/chats/{chat_id}/post_session", &["get"]),
        ("/desk/api/v1/chats/{chat_id}/forms/{smart_action_id}", &["get"]),
        ("/desk/api/v1/forms", &["get"]),
        ("/desk/api/v1/chats/{chat_id}/messages", &["get", "post"]),
        ("/api/v1/chats/{chat_id}/transcripts", &["post"]),
        ("/api/v1/chats/{chat_id}/transcripts/{transcript_id}", &["get"]),
        ("/api/v1/transcript_media/{media_id}", &["get"]),
        ("/desk/api/v1/chats/{chat_id}/transcripts", &["post"]),
        ("/desk/api/v1/chats/{chat_id}/transcripts/{transcript_id}", &["get"]),
        ("/health", &["get"]),
    ];
    for (path, methods) in routes {
        for method in *methods {
            let operation = &document["paths"][path][method];
            assert!(operation.is_object(), "{method} {path} is not described");
            let responses = operation["responses"].as_object().unwrap();
            let ok = responses.iter().find(|(status, _)| status.starts_with('2')).map(|(_, response)| response);
            let ok = ok.unwrap_or_else(|| panic!("{method} {path} has no good answer"));
            let is_empty = responses.contains_key("204");
            let kind = match *path {
                "/api/v1/stream" => "text/event-stream",
                path if path.ends_with("{media_id}") => "image/*",
                path if path.ends_with("{position}") => "application/octet-stream",
                _ => "application/json",
            };
            assert!(is_empty || ok["content"][kind]["schema"].is_object(), "{method} {path}: {ok}");
            if *path == "/health" || *path == "/api/v1/stream" {
                continue;
            }
            let is_form = *path == "/api/v1/uploads";
            let session = if is_form { "408" } else { "401" };
            for status in ["400", session, "403", "429", "503"] {
                let schema = &responses[status]["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/ErrorBody", "{method} {path} {status}");
            }
            if *method == "post" && *path != "/desk/api/v1/chats/{chat_id}/accept" {
                let is_multipart = is_form || path.ends_with("{menu_id}/emails");
                let kind = match *path {
                    _ if is_multipart => "multipart/form-data",
                    path if path.ends_with("/records") => "application/octet-stream",
                    _ => "application/json",
                };
                assert!(operation["requestBody"]["content"][kind]["schema"].is_object(), "{method} {path}");
            }
        }
    }
    let described = document["paths"].as_object().unwrap().len();
    assert_eq!(described, routes.len(), "a route is missing in this test");
    check_references(&document, &document);
    gateway.stop().await;
}

/// Every `$ref` leads somewhere.
fn check_references(document: &Value, value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target} leads nowhere");
            }
            members.values().for_each(|member| check_references(document, member));
        }
        Value::Array(items) => items.iter().for_each(|item| check_references(document, item)),
        _ => {}
    }
}
