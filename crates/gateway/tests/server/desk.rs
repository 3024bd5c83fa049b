//! The agent desk.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::common::{Gateway, texts};

#[tokio::test]
async fn of_two_agents_who_accept_at_once_one_gets_the_chat_and_the_other_a_conflict() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let (ada, grace) = (gateway.agent("ada").await, gateway.agent("grace").await);
    for round in 0..5 {
        let chat = uma.chat(2, &format!("open-{round}")).await;
        let (a, g) = tokio::join!(ada.accept(chat), grace.accept(chat));
        let mut statuses = [a.0.as_u16(), g.0.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        assert_eq!(texts(&uma.messages(chat).await), ["(escalationAccepted)"]);
        let (winner, loser) = if a.0 == StatusCode::OK { (&ada, &grace) } else { (&grace, &ada) };
        assert_eq!(winner.accept(chat).await.0, StatusCode::OK, "a repeated acceptance is no conflict");
        // The other one neither reads nor writes nor ends it.
        let path = format!("/chats/{chat}");
        assert_eq!(loser.call(Method::GET, &format!("{path}/messages"), None).await.0, StatusCode::NOT_FOUND);
        assert_eq!(loser.send(chat, "x", "mine!").await.0, StatusCode::NOT_FOUND);
        let finish = Some(json!({"status": "finished"}));
        assert_eq!(loser.call(Method::PATCH, &path, finish).await.0, StatusCode::NOT_FOUND);
        assert_eq!(loser.join(chat, 0).await.refusal().await, ("forbidden".to_owned(), 4403));
    }
    gateway.stop().await;
}

#[tokio::test]
async fn the_queue_is_first_in_first_out_and_shows_the_conversation_before_it_is_accepted() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let with_bot = uma.chat(1, "a").await;
    let first = uma.chat(2, "b").await;
    let second = uma.chat(2, "c").await;
    let ada = gateway.agent("ada").await;
    let ids = async || {
        let (_, chats) = ada.call(Method::GET, "/chats", None).await;
        chats["queue"].as_array().unwrap().iter().map(|chat| chat["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids().await, [first, second]);
    // A chat that a virtual agent has is nobody's business yet.
    assert_eq!(ada.accept(with_bot).await.0, StatusCode::CONFLICT);
    assert_eq!(ada.call(Method::GET, &format!("/chats/{with_bot}/messages"), None).await.0, StatusCode::NOT_FOUND);
    uma.send(with_bot, "m-1", "person").await;
    assert_eq!(ids().await, [first, second, with_bot]);
    let (status, page) = ada.call(Method::GET, &format!("/chats/{with_bot}/messages?after_index=2"), None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(texts(page["messages"].as_array().unwrap()), ["person", "One moment.", "(escalationStarted)"]);
    gateway.stop().await;
}

#[tokio::test]
async fn an_agent_of_one_company_does_not_see_another_companys_chats() {
    let gateway = Gateway::start().await;
    let chat = gateway.user("uma").await.chat(2, "open-1").await;
    let olga = gateway.agent("olga").await;
    let (_, chats) = olga.call(Method::GET, "/chats", None).await;
    assert_eq!(chats, json!({"queue": [], "mine": [], "ratings": []}));
    assert_eq!(olga.accept(chat).await.0, StatusCode::NOT_FOUND);
    assert_eq!(olga.call(Method::GET, &format!("/chats/{chat}/messages"), None).await.0, StatusCode::NOT_FOUND);
    gateway.stop().await;
}

#[tokio::test]
async fn the_list_follows_the_queue_and_duty_ends_with_the_stream() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let ada = gateway.agent("ada").await;
    let mut list = ada.list().await;
    assert_eq!(list.expect("chats").await["queue"], json!([]));
    let chat = uma.chat(2, "open-1").await;
    while list.expect("chats").await["queue"][0]["id"] != json!(chat) {}
    uma.call(Method::DELETE, &format!("/chats/{chat}"), None).await;
    while list.expect("chats").await["queue"] != json!([]) {}
    assert_eq!(uma.get("/menus/2/wait_times").await["chat"], 0);
    list.socket.close(None).await.unwrap();
    // The socket's end is noticed, not announced: ask until it is.
    crate::common::within(async {
        while uma.get("/menus/2/wait_times").await["chat"] == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    gateway.stop().await;
}

#[tokio::test]
async fn waiting_time_grows_with_the_queue() {
    let gateway = Gateway::start().await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let wait = async || eve.get("/menus/2/wait_times").await["chat"].as_u64().unwrap();
    assert_eq!(wait().await, 300);
    uma.chat(2, "a").await;
    assert_eq!(wait().await, 600);
    let ada = gateway.agent("ada").await;
    let mut list = ada.list().await;
    list.expect("chats").await;
    // Three places, one of them for the one who waits.
    assert_eq!(wait().await, 0);
    uma.chat(2, "b").await;
    uma.chat(2, "c").await;
    assert_eq!(wait().await, 100);
    gateway.stop().await;
}
