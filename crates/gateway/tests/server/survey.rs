//! Surveys and ratings: asked per queue and language, answered once after the end, counted at the desk.

use std::sync::Arc;

use gateway::config::Config;
use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Desk, Gateway, User, company_with};

const COMPANY: &str = r#"
languages = ["en", "it"]
redaction = [{ builtin = "card" }]
survey = { id = 3, sign_off = { en = "Thanks", it = "Grazie" }, questions = [
    { id = 11, type = "csat", name = "satisfaction", text = { en = "Content?", it = "Contento?" }, answers = [{ key = "5", value = { en = "very", it = "molto" } }] },
    { id = 12, type = "star", text = "The agent" },
    { id = 13, type = "scale", text = "Tell others?", range = [0, 3] },
    { id = 14, type = "enumeration", text = "About", answers = [{ key = "a", value = "bikes" }, { key = "b", value = "parts" }] },
    { id = 15, type = "free-form", text = "More?" },
] }
"#;
/// A folder with a survey of its own, of which one queue below wants none.
const FOLDER: &str = r#"id = 7, name = "Repairs", survey = { id = 4, sign_off = "Bye", questions = [{ id = 21, type = "enumeration", text = "Fixed?", answers = [{ key = "yes", value = "Yes" }, { key = "no", value = "No" }] }] }, children = [
    { id = 71, name = "Bikes" },
    { id = 72, name = "Quiet", survey = { id = 5, sign_off = "", questions = [] } },
]"#;
const PEOPLE: u64 = 2;

fn configured() -> Config {
    company_with(COMPANY, &[FOLDER])
}

async fn start() -> Gateway {
    Gateway::start_with(configured(), Arc::new(MemoryStore::default())).await
}

/// A chat that its end user has ended.
async fn ended(user: &User, menu_id: u64, client_id: &str) -> u64 {
    let chat = user.chat(menu_id, client_id).await;
    let (status, _) = user.call(Method::PATCH, &format!("/chats/{chat}"), Some(json!({"status": "finished"}))).await;
    assert_eq!(status, StatusCode::OK);
    chat
}

async fn answer(user: &User, chat: u64, answers: Value) -> (StatusCode, Value) {
    user.call(Method::POST, &format!("/chats/{chat}/survey"), Some(json!({ "answers": answers }))).await
}

async fn rate(user: &User, chat: u64, body: Value) -> (StatusCode, Value) {
    user.call(Method::POST, &format!("/chats/{chat}/rating"), Some(body)).await
}

async fn results(desk: &Desk, query: &str) -> Value {
    let (status, body) = desk.call(Method::GET, &format!("/results{query}"), None).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

async fn offered(user: &User, chat: u64) -> Value {
    user.get(&format!("/chats/{chat}")).await["chat"]["features"].clone()
}

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["error"]["code"].as_str().unwrap_or_default())
}

const DONE: (u16, &str) = (204, "");

#[tokio::test]
async fn a_queue_asks_its_own_survey_or_the_nearest_above_in_the_language_that_is_asked_for() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(PEOPLE, "a").await;
    let asked = uma.get(&format!("/chats/{chat}/survey?lang=it")).await;
    assert_eq!(
        (&asked["id"], &asked["lang"], &asked["sign_off_display_text"]),
        (&json!(3), &json!("it"), &json!("Grazie"))
    );
    assert_eq!(
        asked["questions"][0],
        json!({"id": 11, "type": "csat", "display_text": "Contento?", "name": "satisfaction", "is_csat": true, "position": 1,
            "valid_answers": [{"key": "1", "value": "1"}, {"key": "2", "value": "2"}, {"key": "3", "value": "3"}, {"key": "4", "value": "4"}, {"key": "5", "value": "molto"}]})
    );
    let types: Vec<&str> =
        asked["questions"].as_array().unwrap().iter().map(|question| question["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["csat", "star", "scale", "enumeration", "free-form"]);
    assert_eq!(
        asked["questions"][4],
        json!({"id": 15, "type": "free-form", "display_text": "More?", "is_csat": false, "position": 5})
    );
    for (query, lang, sign_off) in [("", "en", "Thanks"), ("?lang=it-CH", "it", "Grazie"), ("?lang=de", "en", "Thanks")]
    {
        let asked = uma.get(&format!("/chats/{chat}/survey{query}")).await;
        assert_eq!((&asked["lang"], &asked["sign_off_display_text"]), (&json!(lang), &json!(sign_off)), "{query}");
    }
    let below = uma.chat(71, "b").await;
    assert_eq!(uma.get(&format!("/chats/{below}/survey")).await["id"], 4);
    let quiet = ended(&uma, 72, "c").await;
    let none = uma.call(Method::GET, &format!("/chats/{quiet}/survey"), None).await;
    assert_eq!(code(&none), (404, "not_found"));
    assert_eq!(code(&answer(&uma, quiet, json!({"11": 5})).await), (404, "not_found"));
    assert_eq!(offered(&uma, quiet).await, json!(["rating"]));
    gateway.stop().await;
}

#[tokio::test]
async fn a_survey_is_answered_once_after_the_end() {
    let gateway = start().await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let chat = uma.chat(PEOPLE, "a").await;
    let answers = json!({"11": 5, "12": "4", "13": 0, "14": "a", "15": "More bells"});
    assert_eq!(code(&answer(&uma, chat, answers.clone()).await), (409, "conflict"), "the chat goes on");
    uma.call(Method::PATCH, &format!("/chats/{chat}"), Some(json!({"status": "finished"}))).await;
    assert_eq!(offered(&uma, chat).await, json!(["survey", "rating"]));
    assert_eq!(code(&answer(&eve, chat, answers.clone()).await), (404, "not_found"));
    let wrong = answer(&uma, chat, json!({"11": 6, "14": "bikes", "15": "fine by me", "99": 1, "13": true})).await;
    assert_eq!(code(&wrong), (400, "invalid_argument"));
    assert_eq!(
        wrong.1["error"]["fields"],
        json!([{"question_id": 11, "problem": "unknown_option"}, {"question_id": 13, "problem": "wrong_type"}, {"question_id": 14, "problem": "unknown_option"}, {"question_id": 99, "problem": "unknown_question"}])
    );
    assert!(!wrong.1.to_string().contains("fine by me"), "no answer is repeated");
    let table = [
        json!({}),
        json!({"11": " "}),
        json!({"one": 1}),
        json!([]),
        json!("5"),
        Value::Null,
        json!({"15": "x".repeat(20_000)}),
    ];
    for wrong in table {
        assert_eq!(code(&answer(&uma, chat, wrong.clone()).await), (400, "invalid_argument"));
    }
    assert_eq!(code(&answer(&uma, chat, answers).await), DONE);
    // A number is its digits, what is blank is not there, and the order does not count.
    let again = json!({"15": "More bells", "14": "a", "13": "0", "12": 4, "11": "5", "98": ""});
    assert_eq!(code(&answer(&uma, chat, again).await), DONE);
    assert_eq!(code(&answer(&uma, chat, json!({"11": 1})).await), (409, "conflict"));
    assert_eq!(offered(&uma, chat).await, json!(["rating"]));
    gateway.stop().await;
}

#[tokio::test]
async fn a_chat_is_rated_once_after_the_end() {
    let gateway = start().await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let chat = uma.chat(PEOPLE, "a").await;
    let good = json!({"rating": 4, "feedback": "Quick and kind"});
    assert_eq!(code(&rate(&uma, chat, good.clone()).await), (409, "conflict"), "the chat goes on");
    uma.call(Method::PATCH, &format!("/chats/{chat}"), Some(json!({"status": "finished"}))).await;
    let table = [
        (json!({"rating": 0}), (400, "invalid_argument")),
        (json!({"rating": 6}), (400, "invalid_argument")),
        (json!({"rating": -1}), (400, "invalid_argument")),
        (json!({"rating": 4.5}), (400, "invalid_argument")),
        (json!({"rating": "4"}), (400, "invalid_argument")),
        (json!({"feedback": "none"}), (400, "invalid_argument")),
        (json!({"rating": 4, "feedback": 7}), (400, "invalid_argument")),
        (json!({"rating": 4, "feedback": "x".repeat(16_385)}), (413, "too_large")),
        (json!([]), (400, "invalid_argument")),
    ];
    for (body, expected) in table {
        assert_eq!(code(&rate(&uma, chat, body.clone()).await), expected);
    }
    assert_eq!(code(&rate(&eve, chat, good.clone()).await), (404, "not_found"));
    assert_eq!(code(&rate(&uma, chat, good.clone()).await), DONE);
    assert_eq!(code(&rate(&uma, chat, good).await), DONE);
    for other in [json!({"rating": 4}), json!({"rating": 5, "feedback": "Quick and kind"})] {
        assert_eq!(code(&rate(&uma, chat, other).await), (409, "conflict"));
    }
    assert_eq!(offered(&uma, chat).await, json!(["survey"]));
    let silent = ended(&uma, PEOPLE, "b").await;
    assert_eq!(code(&rate(&uma, silent, json!({"rating": 5, "feedback": "  "})).await), DONE);
    assert_eq!(code(&rate(&uma, silent, json!({"rating": 5, "feedback": null})).await), DONE, "blank is nothing");
    gateway.stop().await;
}

#[tokio::test]
async fn of_two_answers_at_once_one_is_kept() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    for round in 0..8 {
        let chat = ended(&uma, PEOPLE, &format!("c-{round}")).await;
        let answers = tokio::join!(answer(&uma, chat, json!({"11": 1})), answer(&uma, chat, json!({"11": 5})));
        let mut codes = [code(&answers.0), code(&answers.1)];
        codes.sort_unstable();
        assert_eq!(codes, [DONE, (409, "conflict")]);
        let ratings = tokio::join!(rate(&uma, chat, json!({"rating": 1})), rate(&uma, chat, json!({"rating": 5})));
        let mut codes = [code(&ratings.0), code(&ratings.1)];
        codes.sort_unstable();
        assert_eq!(codes, [DONE, (409, "conflict")]);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn the_desk_reads_averages_distributions_and_texts_as_agents_read_them() {
    let gateway = start().await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let ada = gateway.agent("ada").await;
    let nothing = results(&ada, "?company_id=acme").await;
    assert_eq!((&nothing["ratings"]["count"], &nothing["ratings"]["mean_x100"]), (&json!(0), &Value::Null));
    assert_eq!(nothing["questions"][0]["mean_x100"], Value::Null);

    let first = ended(&uma, PEOPLE, "a").await;
    let second = ended(&eve, PEOPLE, "a").await;
    let repair = ended(&uma, 71, "b").await;
    assert_eq!(
        code(&answer(&uma, first, json!({"11": 5, "13": 1, "14": "a", "15": "My card is 4111 1111 1111 1111"})).await),
        DONE
    );
    assert_eq!(code(&answer(&eve, second, json!({"11": 4, "13": 2, "14": "a"})).await), DONE);
    assert_eq!(code(&answer(&uma, repair, json!({"21": "no"})).await), DONE);
    assert_eq!(code(&rate(&uma, first, json!({"rating": 5, "feedback": "4111 1111 1111 1111 is paid"})).await), DONE);
    assert_eq!(code(&rate(&eve, second, json!({"rating": 3})).await), DONE);
    assert_eq!(code(&rate(&uma, repair, json!({"rating": 2})).await), DONE);

    let all = results(&ada, "").await;
    assert_eq!(all["company_id"], "acme", "the first of those whom the agent serves");
    assert_eq!(all["companies"], json!([{"id": "acme", "name": "Acme"}, {"id": "other", "name": "Other"}]));
    assert!(all["menus"].as_array().unwrap().contains(&json!({"id": 71, "name": "Repairs › Bikes"})));
    let ratings = &all["ratings"];
    assert_eq!((&ratings["count"], &ratings["mean_x100"]), (&json!(3), &json!(333)));
    let counts: Vec<u64> =
        ratings["distribution"].as_array().unwrap().iter().map(|share| share["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [0, 1, 1, 0, 1]);
    assert_eq!(ratings["latest"][0]["chat_id"], json!(repair), "newest first");
    assert_eq!(ratings["latest"][0]["feedback"], Value::Null);
    let told = &ratings["latest"][2];
    assert_eq!(
        (&told["chat_id"], &told["rating"], &told["feedback"]),
        (&json!(first), &json!(5), &json!("•••• 1111 is paid"))
    );
    assert!(told["at"].as_str().unwrap().ends_with('Z'));

    let questions = all["questions"].as_array().unwrap();
    let question = |id: u64| questions.iter().find(|question| question["id"] == id).unwrap();
    let ids: Vec<u64> = questions.iter().map(|question| question["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [11, 12, 13, 14, 15, 21]);
    let csat = question(11);
    assert_eq!((&csat["count"], &csat["mean_x100"], &csat["name"]), (&json!(2), &json!(450), &json!("satisfaction")));
    assert_eq!(csat["distribution"][4], json!({"key": "5", "value": "very", "count": 1}));
    assert_eq!((&question(12)["count"], &question(12)["mean_x100"]), (&json!(0), &Value::Null));
    assert_eq!((&question(13)["mean_x100"], question(13)["distribution"].as_array().unwrap().len()), (&json!(150), 4));
    let about = question(14);
    assert_eq!(
        about["distribution"],
        json!([{"key": "a", "value": "bikes", "count": 2}, {"key": "b", "value": "parts", "count": 0}])
    );
    assert_eq!(about["mean_x100"], Value::Null, "words have no mean");
    let free = question(15);
    assert_eq!((&free["count"], &free["distribution"], &free["mean_x100"]), (&json!(1), &json!([]), &Value::Null));
    assert_eq!(
        (&free["latest"][0]["text"], &free["latest"][0]["chat_id"]),
        (&json!("My card is •••• 1111"), &json!(first))
    );

    let of_people = results(&ada, &format!("?company_id=acme&menu_id={PEOPLE}")).await;
    assert_eq!((&of_people["ratings"]["count"], &of_people["ratings"]["mean_x100"]), (&json!(2), &json!(400)));
    assert_eq!(of_people["questions"].as_array().unwrap().len(), 5);
    let of_repairs = results(&ada, "?company_id=acme&menu_id=71").await;
    assert_eq!(of_repairs["questions"][0]["distribution"][1], json!({"key": "no", "value": "No", "count": 1}));
    gateway.stop().await;
}

#[tokio::test]
async fn agents_read_the_results_of_the_companies_that_they_serve() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let chat = ended(&uma, PEOPLE, "a").await;
    assert_eq!(code(&rate(&uma, chat, json!({"rating": 1, "feedback": "secret"})).await), DONE);
    let olga = gateway.agent("olga").await;
    let own = results(&olga, "").await;
    assert_eq!((&own["company_id"], &own["ratings"]["count"]), (&json!("other"), &json!(0)));
    for company in ["acme", "nobody", ""] {
        let refused = olga.call(Method::GET, &format!("/results?company_id={company}"), None).await;
        assert_eq!(code(&refused), (404, "not_found"), "{company}");
    }
    assert_eq!(code(&olga.call(Method::GET, "/results?menu_id=x", None).await), (400, "invalid_argument"));
    let nowhere = results(&olga, "?menu_id=999").await;
    assert_eq!((&nowhere["ratings"]["count"], &nowhere["questions"]), (&json!(0), &json!([])));
    let stranger = reqwest::get(format!("{}/desk/api/v1/results", gateway.base)).await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    let (_, lists) = olga.call(Method::GET, "/chats", None).await;
    assert_eq!(lists["ratings"], json!([]));
    gateway.stop().await;
}

#[tokio::test]
async fn a_desk_hears_of_a_rating_at_once() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let ada = gateway.agent("ada").await;
    let chat = ended(&uma, PEOPLE, "a").await;
    let mut list = ada.list().await;
    assert_eq!(list.expect("chats").await["ratings"], json!([]));
    assert_eq!(code(&rate(&uma, chat, json!({"rating": 2, "feedback": "slow"})).await), DONE);
    loop {
        let frame = list.expect("chats").await;
        if frame["ratings"] != json!([]) {
            assert_eq!(frame["ratings"], json!([{"chat_id": chat, "rating": 2}]));
            break;
        }
    }
    gateway.stop().await;
}

#[tokio::test]
async fn what_was_given_stays_given_over_a_restart_and_a_new_survey() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_in(folder.path(), configured()).await;
    let uma = gateway.user("uma").await;
    let chat = ended(&uma, PEOPLE, "a").await;
    let answers = json!({"11": 5, "14": "b"});
    assert_eq!(code(&answer(&uma, chat, answers.clone()).await), DONE);
    assert_eq!(code(&rate(&uma, chat, json!({"rating": 5})).await), DONE);
    gateway.stop().await;

    let mut config = configured();
    for company in &mut config.companies {
        if let Some(survey) = &mut company.survey {
            survey.questions.retain(|question| question.id != 11);
            for answer in survey.questions.iter_mut().flat_map(|question| &mut question.answers) {
                if answer.key == "b" {
                    answer.key = "c".to_owned();
                }
            }
        }
    }
    let gateway = Gateway::start_in(folder.path(), config).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    assert_eq!(code(&answer(&uma, chat, answers).await), DONE, "what was stored counts");
    assert_eq!(code(&answer(&uma, chat, json!({"12": 1})).await), (409, "conflict"));
    assert_eq!(code(&rate(&uma, chat, json!({"rating": 4})).await), (409, "conflict"));
    assert_eq!(offered(&uma, chat).await, json!([]));
    let kept = results(&ada, "").await;
    assert_eq!(kept["ratings"]["mean_x100"], 500);
    let about = kept["questions"].as_array().unwrap().iter().find(|question| question["id"] == 14).unwrap().clone();
    assert_eq!(about["distribution"][2], json!({"key": "b", "value": "b", "count": 1}), "what could be chosen once");
    gateway.stop().await;
}
